"""What a posting puts into which table; nothing here begins or ends a transaction."""

from typing import Any, Final

import sqlalchemy as sa

from opportunity.storage.books import BookError, Posting
from opportunity.storage.candidates import candidate_rows
from opportunity.storage.events import add_events, insert_new
from opportunity.storage.ledger_rows import (
    account_body,
    encode,
    fill_rows,
    order_rows,
    trade_rows,
)
from opportunity.storage.trading_tables import (
    book,
    candidate,
    equity_mark,
    fill,
    paper_order,
    position,
    trade,
)

ORDER_CHANGES: Final = ("status", "size_by")
"""What may become of an order after it is in."""


def follows(there: Any, posting: Posting) -> bool:
    """Say whether a posting is still to be written to the book of which `there` is the row.

    Raises
    ------
    BookError
        If it does not follow what the book holds, or there is no such book.
    """
    if there is None:
        raise BookError(f"book must be open to be posted to, was not: {posting.book!r}")
    if posting.epoch < there.epoch or posting.version <= there.version:
        return False
    if posting.epoch > there.epoch or posting.after != there.version:
        raise BookError(
            f"posting to {posting.book!r} must follow version {there.version} of epoch "
            f"{there.epoch}, was {posting.version} after {posting.after} of {posting.epoch}"
        )
    if posting.time < there.time:
        raise BookError(
            f"posting to {posting.book!r} must be of {there.time} or later, was {posting.time}"
        )
    return True


def write(connection: sa.Connection, market: str, posting: Posting, now: int) -> None:
    """Write a posting to a book of a market; `now` is the wall time, ms UTC."""
    key = {"book": posting.book, "epoch": posting.epoch}
    insert_new(
        connection, paper_order, order_rows(key, posting.symbols, *posting.orders),
        ("book", "epoch", "number"), ORDER_CHANGES,
    )
    for table, rows in (
        (fill, fill_rows(key, posting.symbols, *posting.fills)),
        (trade, trade_rows(key, posting.symbols, *posting.trades)),
    ):
        if rows:
            connection.execute(sa.insert(table), rows)
    _hold(connection, posting)
    if posting.marked:
        insert_new(
            connection, equity_mark, [key | _mark(posting)], ("book", "epoch", "time"),
            ("equity", "cash", "gross", "drawdown"),
        )
    insert_new(
        connection, candidate,
        candidate_rows(posting.book, posting.epoch, market, posting.candidates),
        ("book", "epoch", "time", "symbol"),
    )
    add_events(connection, posting.events, now)
    connection.execute(
        sa.update(book)
        .where(book.c.name == posting.book, book.c.market == market)
        .values(
            time=posting.time, version=posting.version, updated_at=now,
            account=account_body(posting.account, posting.tally),
        )
    )


def _hold(connection: sa.Connection, posting: Posting) -> None:
    """Write what is held now, and let go of what is not held any more."""
    rows, flat = [], []
    for symbol, record in posting.positions.items():
        if record is None:
            flat.append(symbol)
            continue
        rows.append({
            "book": posting.book, "epoch": posting.epoch, "symbol": symbol,
            "side": int(record["side"][0]), "quantity": float(record["quantity"][0]),
            "body": encode(record) | {"seen": int(posting.seen.get(symbol, posting.time))},
        })  # fmt: skip
    insert_new(
        connection, position, rows, ("book", "epoch", "symbol"), ("side", "quantity", "body")
    )
    if flat:
        connection.execute(sa.delete(position).where(
            position.c.book == posting.book, position.c.epoch == posting.epoch,
            position.c.symbol.in_(flat),
        ))  # fmt: skip


def _mark(posting: Posting) -> dict[str, Any]:
    account = posting.account[0]
    equity, peak = float(account["equity"]), float(account["peak"])
    return {
        "time": posting.time, "equity": equity, "cash": float(account["cash"]),
        "gross": posting.gross, "drawdown": 1.0 - equity / peak if peak > 0.0 else 0.0,
    }  # fmt: skip

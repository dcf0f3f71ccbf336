"""The law of the ledger: cash and positions are what the fills come to."""

import math

import sqlalchemy as sa

from opportunity.storage.books import Book, Identity
from opportunity.storage.trading_tables import fill


def identity_of(connection: sa.Connection, book: Book) -> Identity:
    """Add up the fills of a book's epoch, in their order, and hold them against what it has."""
    account = book.account[0]
    c = fill.c
    wanted = (
        sa.select(c.number, c.symbol, c.side, c.quantity, c.price, c.fee)
        .where(c.book == book.name, c.epoch == book.epoch)
        .order_by(c.number)
    )
    flows: list[float] = [book.cash, float(account["funding"])]
    held: dict[str, list[float]] = {}
    n = 0
    for row in connection.execute(wanted):
        n += 1
        flows += [-row.side * row.quantity * row.price, -row.fee]
        held.setdefault(row.symbol, []).append(row.side * row.quantity)
    found = {symbol: math.fsum(parts) for symbol, parts in held.items()}
    size = {symbol: max(map(abs, parts)) for symbol, parts in held.items()}
    mine = {s: float(p["side"][0] * p["quantity"][0]) for s, p in book.positions.items()}
    differ = {
        symbol: (mine.get(symbol, 0.0), found.get(symbol, 0.0))
        for symbol in sorted(mine.keys() | found.keys())
        if abs(mine.get(symbol, 0.0) - found.get(symbol, 0.0))
        > 1e-9 * max(abs(mine.get(symbol, 0.0)), size.get(symbol, 0.0))
    }
    cash = float(account["cash"])
    marks = [
        float(p["side"][0] * p["quantity"][0] * p["mark"][0])
        for p in book.positions.values() if p["side"][0]
    ]  # fmt: skip
    return Identity(
        cash, math.fsum(flows), differ, cash + math.fsum(marks), float(account["equity"]), n,
        int(account["n_fills"]) - n,
    )

"""Money that can be counted, for tests that break what it is kept in: a book, its fills, its log.

One commit adds `FILLS` fills and an event, and moves the cash and the version of the book. Whatever
happens, what is in the database must be a whole number of such commits.
"""

import math
import os
import shutil
import subprocess
from collections.abc import Callable
from typing import Any, Final

import pytest
import sqlalchemy as sa

from opportunity.storage.trading_tables import METADATA, book, event, fill
from opportunity.storage.transactions import repeated

CASH: Final = 10_000.0
FILLS: Final = 3


def begin_book(engine: sa.Engine, name: str = "paper") -> None:
    """Open an account without fills."""
    row = {"name": name, "market": "simulated-7", "epoch": 1, "cash": CASH, "begun": 0, "time": 0,
           "version": 0, "account": {"cash": CASH}, "updated_at": 0}
    with engine.begin() as connection:
        connection.execute(sa.insert(book), row)


def commit_fills(engine: sa.Engine, name: str = "paper", text: str = "") -> int:
    """Commit the next fills; return the version they made."""

    def work(connection: sa.Connection) -> int:
        wanted = sa.select(book.c.version, book.c.account).where(book.c.name == name)
        version, account = connection.execute(wanted.with_for_update()).one()
        version += 1
        rows, cash = [], account["cash"]
        for i in range(FILLS):
            side, price = (1 if (version + i) % 2 else -1), 100.0 + (version * 7 + i) % 13
            cash -= side * 0.5 * price + 0.05
            rows.append({
                "book": name, "epoch": 1, "number": version * FILLS + i, "time": version,
                "symbol": "BTC/USDT", "side": side, "reason": "ENTRY", "quantity": 0.5,
                "reference": price, "price": price, "fee": 0.05, "slippage": 0.0, "trade": version,
            })
        connection.execute(sa.insert(fill), rows)
        connection.execute(sa.insert(event), {
            "key": f"{name}:{version}", "at": version, "time": version, "kind": "fill",
            "body": {"book": name, "text": text},
        })
        connection.execute(sa.update(book).where(book.c.name == name).values(
            version=version, time=version, account={"cash": cash}, updated_at=version,
        ))
        return version

    return repeated(engine, work, "fills must be kept, were not")


def check_book(engine: sa.Engine, name: str = "paper") -> int:
    """Insist that the account is a whole number of commits and adds up; return how many.

    Others may write meanwhile: everything is read as it was at one moment.
    """
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")
        else:
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        version, account = connection.execute(
            sa.select(book.c.version, book.c.account).where(book.c.name == name)
        ).one()
        c = fill.c
        rows = connection.execute(
            sa.select(c.number, c.side, c.quantity, c.price, c.fee)
            .where(c.book == name).order_by(c.number)
        ).all()
        n_events = connection.execute(
            sa.select(sa.func.count()).where(event.c.key.like(f"{name}:%"))
        ).scalar_one()
    assert [r.number for r in rows] == list(range(FILLS, FILLS * (version + 1)))
    assert n_events == version
    spent = math.fsum(r.side * r.quantity * r.price + r.fee for r in rows)
    assert account["cash"] == pytest.approx(CASH - spent, abs=1e-6)
    return int(version)


def check_file(engine: sa.Engine) -> None:
    """Insist that a SQLite file is whole."""
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").first() is None


def rows_of(engine: sa.Engine, names: set[str] | None = None) -> dict[str, list[tuple[Any, ...]]]:
    """Return everything that is in the tables, in the order of their keys."""
    found = {}
    with engine.connect() as connection:
        for table in METADATA.sorted_tables:
            if names is None or table.name in names:
                ordered = sa.select(table).order_by(*table.primary_key)
                found[table.name] = [tuple(row) for row in connection.execute(ordered)]
    return found


def fill_tables(engine: sa.Engine, names: set[str], n: int = 20) -> None:
    """Put rows into each of these tables, of values that fit its columns."""
    with engine.begin() as connection:
        for table in METADATA.sorted_tables:
            if table.name in names:
                rows = [{c.name: _value(c, i) for c in table.columns} for i in range(1, n + 1)]
                connection.execute(sa.insert(table), rows)


def _value(column: "sa.Column[Any]", i: int) -> Any:
    for key in column.foreign_keys:  # the row that it points to has the same number
        return _value(key.column, i)
    kind = column.type
    if isinstance(kind, sa.JSON):
        return {"i": i, "of": [None, 0.5, "\N{EURO SIGN}"]}
    if isinstance(kind, sa.Boolean):
        return bool(i % 2)
    if isinstance(kind, sa.String):
        return f"{column.name[:3]}{i}"
    if isinstance(kind, sa.Float):
        return None if column.nullable and i % 3 == 0 else i + 0.25
    return None if column.nullable and i % 3 == 0 else i


def own_mounts() -> None:
    """Skip where a process may not have mounts of its own; fail in CI."""
    if shutil.which("unshare") and os.getuid() == 0:
        tried = subprocess.run(
            ["unshare", "-m", "sh", "-c", "mount -t tmpfs -o size=1m tmpfs /mnt"],
            check=False, capture_output=True, text=True,
        )
        if tried.returncode == 0:
            return
        why = f"no small disk here: {tried.stderr.strip()[:100]}"
    else:
        why = "no small disk here: unshare and root are needed to mount one"
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)


def until_raised(kind: type[BaseException], work: Callable[[], object], most: int) -> int:
    """Repeat work until it raises an error of a kind; return how often it went well."""
    for n in range(most):
        try:
            work()
        except kind:
            return n
    raise AssertionError(f"{kind.__name__} must be raised within {most} times, was not")

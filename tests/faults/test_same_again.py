"""The same market gives the same log, whatever the order of sets and the kind of database."""

import json

import pytest
import sqlalchemy as sa
from killing import Child, check

from opportunity.storage.engines import make_engine, parse_url
from opportunity.storage.trading_tables import book, candidate, equity_mark, event, fill

HOURS = 30 * 3_600_000

LEFT_OUT = ("id", "at", "success")
"""What follows the wall clock: calibration is learned beside the agent, seconds after a start."""


def log_of(url: str, until: int) -> list[str]:
    """Return what happened up to a feed time, as texts that are equal to the bit or not."""
    engine, found = make_engine(parse_url(url)), []
    with engine.connect() as connection:
        for table, order in (
            (event, (event.c.time, event.c.key)),
            (fill, (fill.c.number,)),
            (candidate, (candidate.c.time, candidate.c.symbol)),
            (equity_mark, (equity_mark.c.time,)),
        ):  # fmt: skip
            columns = [c for c in table.c if c.name not in LEFT_OUT]
            rows = connection.execute(
                sa.select(*columns).where(table.c.time <= until).order_by(*order)
            )
            found += [json.dumps(list(row), sort_keys=True) for row in rows]
    engine.dispose()
    return found


def begun_of(url: str) -> int:
    return _times(url)[0]


def time_of(url: str) -> int:
    """Return for how long it has traded, feed time in ms."""
    begun, time = _times(url)
    return time - begun


def _times(url: str) -> tuple[int, int]:
    engine = make_engine(parse_url(url))
    with engine.connect() as connection:
        found = connection.execute(sa.select(book.c.begun, book.c.time)).one()
    engine.dispose()
    return found.begun, found.time


def run(url: str, hash_seed: int) -> None:
    """Trade for so much feed time at least."""
    child = Child(url, -1, PYTHONHASHSEED=str(hash_seed))
    child.wait_for("ack")
    for _ in range(4_000):
        if time_of(url) >= HOURS:
            break
        child.wait_for("ack")
    check(url, child.kill())


@pytest.mark.slow
def test_the_log_is_that_of_the_market(tmp_path, postgres_url: str) -> None:
    urls = [f"sqlite:///{tmp_path / 'x.sqlite'}", postgres_url]
    for i, url in enumerate(urls):
        run(url, i + 1)
    until = min(time_of(url) for url in urls)
    assert until >= HOURS
    one, other = (log_of(url, begun_of(url) + until - 1) for url in urls)
    assert len(one) > 100
    assert one == other

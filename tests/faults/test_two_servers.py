"""Two servers over one database: one trades, the other is refused; a sleeper is fenced off."""

import os
import signal

import pytest
import sqlalchemy as sa
from killing import MARKET, Child, check

from opportunity.feeds.clock import wall_ms
from opportunity.storage.engines import make_engine, parse_url
from opportunity.storage.holder import myself
from opportunity.storage.lease import Lease, LeaseTaken
from opportunity.storage.trading_tables import lease as table


def urls(request: pytest.FixtureRequest, tmp_path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'x.sqlite'}"
    return request.getfixturevalue("postgres_url")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def url(request, tmp_path) -> str:
    return urls(request, tmp_path)


def test_a_second_server_is_refused_and_told_who_trades(url) -> None:
    child = Child(url, 1)
    engine = make_engine(parse_url(url))
    with pytest.raises(LeaseTaken, match=f"process {child.pid} on"):
        Lease(engine, f"trading {MARKET}", myself(), wall_ms).acquire()
    said = child.kill()
    # Dead on this machine: its time need not be waited for.
    assert Lease(engine, f"trading {MARKET}", myself(), wall_ms).acquire() > 1
    engine.dispose()
    check(url, said)


def put_to_sleep(child: Child, engine: sa.Engine) -> None:
    """Stop a process between two of its transactions, and let the time of its lease run out."""
    for _ in range(200):
        os.killpg(child.pid, signal.SIGSTOP)
        try:
            with engine.begin() as connection:
                if engine.dialect.name == "sqlite":
                    connection.exec_driver_sql("PRAGMA busy_timeout = 50")
                else:
                    connection.exec_driver_sql("SET LOCAL lock_timeout = '50ms'")
                connection.execute(sa.update(table).values(expires_at=1))
            return
        except sa.exc.OperationalError:  # it holds the lock: nobody else can write at all
            os.killpg(child.pid, signal.SIGCONT)
            child.wait_for("ack")
    raise AssertionError("it was never found between two transactions")


def test_who_slept_through_its_time_writes_nothing_any_more(url) -> None:
    sleeper = Child(url, 2)
    sleeper.wait_for("ack")
    engine = make_engine(parse_url(url))
    put_to_sleep(sleeper, engine)
    engine.dispose()
    other = Child(url, 3)
    other.wait_for("ack")
    os.killpg(sleeper.pid, signal.SIGCONT)
    sleeper.wait_for("ended")
    n_said = len(sleeper.said.keys)
    assert "another server" in sleeper.said.ended
    other.wait_for("ack")
    mine, theirs = sleeper.kill(), other.kill()
    assert len(mine.keys) == n_said  # nothing was promised after it had lost
    check(url, mine)
    check(url, theirs)

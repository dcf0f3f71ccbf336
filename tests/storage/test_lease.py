import os
import subprocess
import sys

import pytest
import sqlalchemy as sa

from opportunity.storage.database import open_database
from opportunity.storage.holder import Holder, myself
from opportunity.storage.lease import TTL_MS, Lease, LeaseLost, LeaseTaken
from opportunity.storage.trading_tables import lease as table


@pytest.fixture
def engine(tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    yield engine
    engine.dispose()


class Wall:
    now = 1_000_000

    def __call__(self) -> int:
        return self.now


def on(engine, host: str, clock) -> Lease:
    return Lease(engine, "trading m", Holder(host, 7, "-", "-"), clock)


def test_one_holder_at_a_time(engine) -> None:
    wall = Wall()
    one, two = on(engine, "a", wall), on(engine, "b", wall)
    assert one.acquire() == 1
    with pytest.raises(LeaseTaken, match="process 7 on a"):
        two.acquire()
    assert two.fence == 0
    one.release()
    assert two.acquire() == 2
    with pytest.raises(LeaseLost):
        one.renew()


def test_time_runs_out_unless_it_is_renewed(engine) -> None:
    wall = Wall()
    one, two = on(engine, "a", wall), on(engine, "b", wall)
    one.acquire()
    wall.now += TTL_MS - 1
    one.renew()
    wall.now += TTL_MS - 1
    with pytest.raises(LeaseTaken):
        two.acquire()
    wall.now += 1
    assert two.acquire() == 2
    with pytest.raises(LeaseLost, match="took it over"):
        one.renew()


def test_sleeper_that_nobody_missed_goes_on(engine) -> None:
    wall = Wall()
    one = on(engine, "a", wall)
    one.acquire()
    wall.now += 10 * TTL_MS
    one.renew()
    with engine.begin() as connection:
        one.check(connection)


def test_check_refuses_the_stale_and_the_one_that_let_go(engine) -> None:
    wall = Wall()
    one, two = on(engine, "a", wall), on(engine, "b", wall)
    one.acquire()
    one.release()
    with engine.begin() as connection, pytest.raises(LeaseLost):
        one.check(connection)
    two.acquire()
    one.release()  # nothing is held: nothing is let go
    with engine.begin() as connection:
        two.check(connection)


def test_process_that_is_gone_is_not_waited_for(engine) -> None:
    wall = Wall()
    told = subprocess.run(
        [sys.executable, "-c", "from opportunity.storage.holder import myself; print(myself())"],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    gone = Lease(engine, "trading m", Holder.parse(told), wall)
    gone.acquire()
    mine = Lease(engine, "trading m", myself(), wall)
    if myself().machine == "-":
        pytest.skip("nothing tells processes apart here")
    assert mine.acquire() == 2


def test_process_that_lives_is_waited_for(engine) -> None:
    wall = Wall()
    me = myself()
    living = Lease(engine, "trading m", me, wall)
    living.acquire()
    other = Lease(engine, "trading m", Holder("b", 1, "-", "-"), wall)
    with pytest.raises(LeaseTaken, match=f"process {os.getpid()} on"):
        other.acquire()
    assert living.acquire() == 2  # the same process begins anew


def test_another_machine_is_never_taken_for_gone() -> None:
    me = myself()
    assert not Holder(me.host, 1 << 30, "5", "other-boot.1").gone()
    assert not Holder(me.host, 1 << 30, "-", me.machine).gone()


def test_names_are_told_apart_and_rows_stay(engine) -> None:
    wall = Wall()
    Lease(engine, "x", Holder("a", 1, "-", "-"), wall).acquire()
    Lease(engine, "y", Holder("b", 1, "-", "-"), wall).acquire()
    with engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(table)).scalar() == 2


def test_time_must_be_positive(engine) -> None:
    with pytest.raises(ValueError, match="ttl must be > 0"):
        Lease(engine, "x", ttl=0)

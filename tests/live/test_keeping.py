"""Accounts that are kept: whatever happens to the process, they are as if nothing had."""

import asyncio
import shutil
import threading
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import sqlalchemy as sa
from accounts import STATE
from sessions import EAGER, FRAMES, QUARTER, WARM, StepFeed, live

from opportunity.bus.memory import Hub
from opportunity.errors import OpportunityError
from opportunity.live import bookkeeper
from opportunity.live.agent import Agent
from opportunity.live.keeping import Books, Keeping
from opportunity.live.paper_trading import PaperTrading
from opportunity.market.timeframe import HOUR_MS
from opportunity.storage import trading_tables as tables
from opportunity.storage.books import PAPER
from opportunity.storage.database import open_database
from opportunity.storage.failures import StorageFull
from opportunity.storage.holder import Holder
from opportunity.storage.lease import Lease, LeaseLost, LeaseTaken
from opportunity.storage.ledger import Ledger
from opportunity.trading.rules import TradeRules

N = 160
"""Batches of one life."""


class Mortal(Ledger):
    """A ledger whose process dies at one of its commits: before it, or right after."""

    def __init__(self, engine, left: int | None = None, after: bool = False) -> None:
        super().__init__(engine, "steps", lambda: 0)
        self.left, self.after = left, after
        self.dead = threading.Event()

    def commit(self, postings, lease=None):
        if self.dead.is_set():
            raise LeaseLost("dead")
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                self.dead.set()
                if self.after:
                    super().commit(postings, lease)
                raise LeaseLost("dead")
        return super().commit(postings, lease)


async def life(ledger: Ledger, state, start: int = 0, stop: int = N, hub=None) -> Agent:
    """Run an agent from one batch up to another, or until its ledger dies; return it stopped."""
    feed = StepFeed(start=WARM + start)
    feed.steps = [feed.batch(b, (0, 1, 2)) for b in range(WARM + start, WARM + stop)]
    paper = PaperTrading(rules=TradeRules(**EAGER))
    agent = Agent(
        feed, timeframes=FRAMES, trading=paper, ledger=ledger, state=state, hub=hub,
        scan_interval_ms=60_000,
    )
    async with asyncio.timeout(120):
        await agent.start()
        while not feed.done.is_set() and not getattr(ledger, "dead", threading.Event()).is_set():
            assert agent.running, agent._core.error
            await asyncio.sleep(0.002)
        await agent.stop()
    agent.close()
    return agent


def rows(engine: sa.Engine) -> dict[str, list]:
    """Return all that a life leaves behind, without what counts attempts and wall times."""
    found = {}
    with engine.connect() as connection:
        for table in (tables.fill, tables.trade, tables.paper_order, tables.equity_mark,
                      tables.candidate, tables.position):  # fmt: skip
            columns = [c for c in table.c if c.name != "id"]
            found[table.name] = sorted(map(repr, connection.execute(sa.select(*columns))))
        c = tables.event.c
        told = connection.execute(sa.select(c.time, c.kind, c.body))
        found["event"] = sorted(map(repr, told))
    return found


def account_of(ledger: Ledger) -> tuple:
    book = ledger.read_book(PAPER)
    held = {symbol: record.tobytes() for symbol, record in book.positions.items()}
    return book.time, book.account.tobytes(), book.tally.tobytes(), held, dict(book.seen)


@pytest.fixture(scope="module")
def never_stopped(tmp_path_factory):
    """An account that was never stopped, and the streams' state at its beginning."""
    folder = tmp_path_factory.mktemp("straight")
    engine = open_database(f"sqlite:///{folder / 'x.sqlite'}")
    ledger, state = Ledger(engine, "steps", lambda: 0), folder / "start.npz"

    async def run() -> None:
        # The state of the beginning, from which every later start catches up.
        await life(Ledger(engine, "warm", lambda: 0), folder / "warm.npz", stop=0)
        shutil.copy(folder / "warm.npz", state)
        with engine.begin() as connection:
            for table in (tables.book, tables.position, tables.event):
                connection.execute(sa.delete(table))
        await life(ledger, _fresh(state, folder))

    asyncio.run(run())
    yield account_of(ledger), rows(engine), state
    engine.dispose()


def _fresh(state, folder):
    copy = folder / "state.npz"
    shutil.copy(state, copy)
    return copy


def bar_of(time: int) -> int:
    return (time - StepFeed.opened(WARM)) // QUARTER


async def crashes(seed: int, folder, state) -> tuple[Ledger, sa.Engine, int]:
    """Live through deaths and returns at random batches."""
    rng = np.random.default_rng(seed)
    engine = open_database(f"sqlite:///{folder / 'x.sqlite'}")
    start, n = 0, 0
    while True:
        left = int(rng.integers(0, 14))
        ledger = Mortal(engine, left, after=bool(rng.integers(2)))
        stop = N if rng.random() < 0.7 else int(rng.integers(start, N + 1))
        await life(ledger, _fresh(state, folder), start, stop)
        n += 1
        book = ledger.read_book(PAPER)
        done = bar_of(book.time)
        if done == N and not ledger.dead.is_set():
            return ledger, engine, n
        # Back to before what is stored, to it, or past it: but never past a lost decision.
        whole = (book.time // HOUR_MS + 1) * HOUR_MS
        start = int(rng.integers(max(0, done - 5), min(N, bar_of(whole) - 1) + 1))
        if n > 40:
            return ledger, engine, n


SEEDS = [*range(3), *(pytest.param(i, marks=pytest.mark.slow) for i in range(3, 40))]


@pytest.mark.parametrize("seed", SEEDS)
async def test_deaths_and_restarts_change_nothing(
    seed, never_stopped, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(bookkeeper, "MOST_TOGETHER", 1 + seed % 3)
    straight, left_behind, state = never_stopped
    ledger, engine, n = await crashes(seed, tmp_path, state)
    assert n > 1
    assert account_of(ledger) == straight
    found = rows(engine)
    for name, expected in left_behind.items():
        assert found[name] == expected, name
    assert ledger.identity(PAPER).holds
    engine.dispose()


class Failing(Ledger):
    """Takes nothing between two postings."""

    failing = False

    def commit(self, postings, lease=None):
        if self.failing:
            raise StorageFull("no room")
        return super().commit(postings, lease)


def told_by(hub: Hub) -> list:
    events = []
    hub.subscribe(lambda states, found: events.extend(e for topic, e in found if topic == "event"))
    return events


async def test_full_disk_stops_entries_and_loses_nothing(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(bookkeeper, "FIRST_S", 0.002)
    monkeypatch.setattr(bookkeeper, "LONGEST_S", 0.01)
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    ledger, hub = Failing(engine, "steps", lambda: 0), Hub(asyncio.get_running_loop(), tick_s=0)
    events, feed = told_by(hub), StepFeed()
    paper = PaperTrading(rules=TradeRules(**EAGER))
    agent = Agent(feed, timeframes=FRAMES, trading=paper, ledger=ledger, hub=hub)
    seen = {}

    def account() -> np.ndarray:
        return agent._desk.trader.broker.account[0].copy()

    async def fill_up() -> None:
        await agent._desk.keeping.flush()
        ledger.failing = True
        agent._desk.keeping.put([agent._desk.trader.note()])
        await until(lambda: agent.storage_error)
        seen["orders"], seen["version"] = account()["n_entries"], ledger.version_of(PAPER)

    async def make_room() -> None:
        seen["in memory"] = agent._desk.trader.version
        assert account()["n_entries"] == seen["orders"]
        assert ledger.version_of(PAPER) == seen["version"]
        state = agent.portfolio.state
        assert state.n_trades <= account()["n_trades"]
        ledger.failing = False
        await until(lambda: not agent.storage_error)
        await until(lambda: ledger.version_of(PAPER)[1] >= seen["in memory"])

    def batches(first: int, last: int) -> list:
        return [feed.batch(WARM + b, (0, 1, 2)) for b in range(first, last)]

    feed.steps = [*batches(0, 60), fill_up, *batches(60, 100), make_room, *batches(100, N)]
    await live(agent, feed.done)
    assert account()["n_entries"] > seen["orders"]  # it goes on afterwards
    assert ledger.identity(PAPER).holds
    assert ledger.read_book(PAPER).account.tobytes() == account().tobytes()
    stale = [e.body["state"] for e in events if e.kind == "breaker"]
    assert stale[:2] == ["OPEN", "CLOSED"]
    assert [e.body["number"] for e in events if e.kind == "fill"] == list(
        range(int(account()["n_fills"]))
    )
    engine.dispose()


async def test_server_that_lost_the_lease_trades_no_more(tmp_path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    now = [0]
    mine, other = (
        Lease(engine, "trading steps", Holder(host, 1, "-", "-"), lambda: now[0])
        for host in ("here", "there")
    )
    mine.acquire()
    ledger, feed, seen = Ledger(engine, "steps", lambda: 0), StepFeed(), {}
    paper = PaperTrading(rules=TradeRules(**EAGER))
    agent = Agent(feed, timeframes=FRAMES, trading=paper, ledger=ledger, lease=mine)

    async def take_over() -> None:
        await agent._desk.keeping.flush()
        now[0] = 60_000
        other.acquire()
        seen["book"] = account_of(ledger)

    async def look() -> None:
        await until(lambda: agent._desk.halted)
        seen["fills"] = int(agent._desk.trader.broker.account["n_fills"][0])
        with pytest.raises(OpportunityError, match="took it over"):
            await agent.flatten("page")

    def batches(first: int, last: int) -> list:
        return [feed.batch(WARM + b, (0, 1, 2)) for b in range(first, last)]

    async def wait_a_commit() -> None:
        await until(lambda: agent.storage_error)

    feed.steps = [
        *batches(0, 60), take_over, *batches(60, 80), wait_a_commit, *batches(80, 81), look,
        *batches(81, N),
    ]  # fmt: skip
    async with asyncio.timeout(60):
        await agent.start()
        await feed.done.wait()
        assert agent.running  # it looks on
        assert "took it over" in agent.last_error
        assert not agent.portfolio.can_trade
        assert "took it over" in agent.portfolio.why_not
        await agent.stop()
    agent.close()
    assert int(agent._desk.trader.broker.account["n_fills"][0]) == seen["fills"]
    assert account_of(ledger) == seen["book"]
    with engine.begin() as connection:
        other.check(connection)  # and it has not let go what is not its own
    engine.dispose()


async def test_lease_is_taken_at_the_start_and_let_go_at_the_end(tmp_path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    ledger = Ledger(engine, "steps", lambda: 0)
    mine, other = (
        Lease(engine, "trading steps", Holder(host, 1, "-", "-"), lambda: 0)
        for host in ("here", "there")
    )
    feed = StepFeed()
    paper = PaperTrading(rules=TradeRules(**EAGER))

    def agent_with(lease: Lease) -> Agent:
        return Agent(feed, timeframes=FRAMES, trading=paper, ledger=ledger, lease=lease)

    other.acquire()
    refused = agent_with(mine)
    with pytest.raises(LeaseTaken, match="process 1 on there"):
        await refused.start()
    refused.close()
    other.release()
    feed.steps = [feed.batch(WARM, (0, 1, 2))]
    await live(agent_with(mine), feed.done)
    assert other.acquire() == 3
    engine.dispose()


async def test_silent_market_stops_entries_before_the_next_bar_comes(tmp_path) -> None:
    class WallFeed(StepFeed):
        on_wall_time = True

    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    ledger, feed = Ledger(engine, "steps", lambda: 0), WallFeed()
    now = [feed.opened(WARM)]
    feed.clock.now = lambda: now[0]
    paper = PaperTrading(rules=TradeRules(**EAGER))
    agent = Agent(feed, timeframes=FRAMES, trading=paper, ledger=ledger)

    async def look(wait_bars: float, state: str, why: str) -> None:
        now[0] = agent._desk.trader.time + round(wait_bars * QUARTER)
        agent._desk.look()
        await agent._desk.keeping.flush()
        await until(lambda: agent.portfolio.breakers[3].state == state)
        assert why in agent.portfolio.why_not

    def bar(number: int):
        def step():
            now[0] = feed.opened(WARM + number + 1)
        return [step, feed.batch(WARM + number, (0, 1, 2))]

    feed.steps = [
        *bar(0), lambda: look(2.9, "CLOSED", ""), lambda: look(3.5, "OPEN", "stale_data"),
        *bar(1), lambda: look(0.0, "HALF_OPEN", ""), *bar(2), *bar(3),
        lambda: look(0.0, "CLOSED", ""),
    ]  # fmt: skip
    await live(agent, feed.done)
    with engine.connect() as connection:
        c = tables.event.c
        told = connection.execute(sa.select(c.body).where(c.kind == "breaker").order_by(c.id))
        states = [body["state"] for (body,) in told]
    assert states == ["OPEN", "HALF_OPEN", "CLOSED"]
    engine.dispose()


async def until(condition) -> None:
    for _ in range(5_000):
        if condition():
            return
        await asyncio.sleep(0.002)
    raise AssertionError("nothing happened in time")


def test_straight_life_did_something(never_stopped) -> None:
    _, left_behind, _ = never_stopped
    assert len(left_behind["trade"]) > 3
    assert len(left_behind["fill"]) > 8
    assert len(left_behind["equity_mark"]) == N // 4
    assert len(left_behind["candidate"]) > 20


class Slow(Ledger):
    """Writes nothing until it may."""

    may = threading.Event()

    def commit(self, postings, lease=None):
        assert self.may.wait(20)
        return ()


async def test_account_is_not_shown_before_it_is_stored(tmp_path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    keeping = Keeping(Books(Slow(engine, "steps", lambda: 0)))
    await keeping.open()
    shown = []
    keeping.on_state = shown.append
    keeping.put([SimpleNamespace(book="paper")])
    keeping.show(STATE)  # a mark came, and nothing more
    assert shown == []
    failing = replace(STATE, storage="no room")
    keeping.show(failing)
    assert shown == [failing]
    keeping.show(failing, keeping.put([SimpleNamespace(book="paper")]))  # with a posting, too
    assert shown == [failing, failing]
    Slow.may.set()
    await keeping.flush()
    await until(lambda: shown == [failing, failing, STATE])
    await asyncio.to_thread(keeping.close)
    engine.dispose()

"""Commands by hand, as an agent takes them between two batches."""

import asyncio

import numpy as np
import pytest
from sessions import EAGER, FRAMES, WARM, StepFeed, live

from opportunity.bus.memory import Hub
from opportunity.errors import OpportunityError
from opportunity.live import bookkeeper
from opportunity.live.agent import Agent
from opportunity.live.paper_trading import PaperTrading
from opportunity.live.told import breaker_rows
from opportunity.storage.books import PAPER
from opportunity.storage.database import open_database
from opportunity.storage.events import EventRepository
from opportunity.storage.failures import DatabaseError, StorageFull
from opportunity.storage.ledger import Ledger
from opportunity.storage.session import read_session
from opportunity.trading.broker import PaperBroker
from opportunity.trading.records import CLOSED, OPEN, STREAK
from opportunity.trading.rules import TradeRules


@pytest.fixture
def engine(tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    yield engine
    engine.dispose()


class Failing(Ledger):
    """Fails on demand."""

    error: Exception | None = None
    all_the_same = False
    blind = False

    def _maybe(self) -> None:
        if self.error is not None:
            raise self.error

    def commit(self, postings, lease=None):
        if not self.all_the_same:
            self._maybe()
        done = super().commit(postings, lease)
        self._maybe()
        return done

    def reset(self, *args, **more):
        if not self.all_the_same:
            self._maybe()
        done = super().reset(*args, **more)
        self._maybe()
        return done

    def version_of(self, name):
        if self.blind:
            raise DatabaseError("no line")
        return super().version_of(name)

    def read_book(self, name):
        if self.blind:
            raise DatabaseError("no line")
        return super().read_book(name)


@pytest.fixture
def ledger(engine) -> Failing:
    return Failing(engine, "steps", lambda: 0)


def batches(feed: StepFeed, first: int, last: int) -> list:
    return [feed.batch(b, (0, 1, 2)) for b in range(WARM + first, WARM + last)]


def agent_on(feed: StepFeed, ledger: Ledger | None, **more) -> Agent:
    paper = PaperTrading(rules=TradeRules(**EAGER))
    return Agent(feed, timeframes=FRAMES, trading=paper, ledger=ledger, **more)


def held(agent: Agent) -> list[str]:
    account = agent._desk.trader
    sides = account.broker.positions["side"]
    return [s for s, side in zip(account.broker.symbols, sides, strict=True) if side]


def memory_of(agent: Agent) -> bytes:
    broker = agent._desk.trader.broker
    return b"".join(x.tobytes() for x in (broker.account, broker.tally, broker.positions))


async def until(condition) -> None:
    for _ in range(5_000):
        if condition():
            return
        await asyncio.sleep(0.002)
    raise AssertionError("nothing happened in time")


async def run(ledger, at, n: int = 80, **more) -> Agent:
    """Live, and do something once positions are held."""
    feed = StepFeed()
    agent = agent_on(feed, ledger, **more)
    done = []

    async def step() -> None:
        if not done and held(agent):
            done.append(True)
            await at(agent)

    feed.steps = [s for batch in batches(feed, 0, n) for s in (batch, step)]
    await live(agent, feed.done)
    assert done
    return agent


async def test_closed_position_leaves_at_the_next_open(ledger) -> None:
    seen = {}

    async def close(agent: Agent) -> None:
        seen["symbol"] = held(agent)[0]
        seen["order"] = await agent.close_position(seen["symbol"], "page", "enough")
        assert ledger.read_book(PAPER).positions[seen["symbol"]]["exit"][0] != 0  # it is durable
        again = await agent.close_position(seen["symbol"], "page")
        assert again == seen["order"]

    await run(ledger, close)
    orders = {o.number: o for o in ledger.orders(PAPER, 1_000).rows}
    assert orders[seen["order"]].reason == "MANUAL"
    assert orders[seen["order"]].status == "filled"
    fills = [f for f in ledger.fills(PAPER, 1_000).rows if f.reason == "MANUAL"]
    assert [f.symbol for f in fills] == [seen["symbol"]]
    assert ledger.identity(PAPER).holds


async def test_flatten_leaves_everything(ledger) -> None:
    seen = {}

    async def flatten(agent: Agent) -> None:
        agent.enabled = False
        seen["n"] = len(held(agent))
        seen["orders"] = await agent.flatten("api", "night")
        assert len(seen["orders"]) >= seen["n"]

    agent = await run(ledger, flatten)
    assert not held(agent)
    assert await _told(ledger, "hand") == ["leave"]


async def _told(ledger: Ledger, kind: str) -> list[str]:
    events = EventRepository(ledger._engine, lambda: 0).read([kind])
    assert all(e.body["book"] == PAPER and e.body["by"] for e in events)
    return [e.body.get("what", "") for e in events]


async def test_what_is_not_held_cannot_be_closed(ledger) -> None:
    async def close(agent: Agent) -> None:
        before = memory_of(agent)
        flat = next((s for s in agent.symbols if s not in held(agent)), None)
        if flat is not None and len(agent._desk.trader.active) != 3:
            with pytest.raises(ValueError, match="must be held"):
                await agent.close_position(flat, "page")
        with pytest.raises(ValueError, match="Did you mean"):
            await agent.close_position("BTC/USD", "page")
        assert memory_of(agent) == before

    await run(ledger, close)


@pytest.mark.parametrize("error", [DatabaseError("no line"), StorageFull("no room")])
async def test_command_that_cannot_be_stored_has_never_been(ledger, error, monkeypatch) -> None:
    monkeypatch.setattr(bookkeeper, "FIRST_S", 0.002)
    monkeypatch.setattr(PaperBroker, "set_stale", lambda *_: None)  # a slow machine is no fault

    async def attempt(agent: Agent) -> None:
        await agent._desk.keeping.flush()
        before, version = memory_of(agent), agent._desk.trader.version
        agent._desk.trader.broker.account["breaker"][0, STREAK] = OPEN
        opened = memory_of(agent)
        ledger.error = error
        for command in (
            agent.flatten("page"), agent.reset_account(5.0, "page"),
            agent.reset_breakers(by="page"),
        ):
            with pytest.raises(DatabaseError):
                await command
            ledger.error = None
            await until(lambda: not agent.storage_error)
            ledger.error = error
            assert memory_of(agent) == opened
            assert agent._desk.trader.version == version
        ledger.error = None
        agent._desk.trader.broker.account["breaker"][0, STREAK] = CLOSED
        assert memory_of(agent) == before

    agent = await run(ledger, attempt)
    assert agent._desk.halted == ""
    assert ledger.identity(PAPER).holds
    assert await _told(ledger, "hand") == []
    assert ledger.read_book(PAPER).account.tobytes() == (
        agent._desk.trader.broker.account.tobytes()
    )


async def test_reset_begins_anew_and_trades_on(ledger) -> None:
    async def reset(agent: Agent) -> None:
        with pytest.raises(ValueError, match="cash"):
            await agent.reset_account(0.0, "page")
        await agent.reset_account(500.0, "page", "again")
        assert not held(agent)
        assert agent._desk.trader.start_cash == 500.0

    hub = Hub(asyncio.get_running_loop())
    agent = await run(ledger, reset, hub=hub)
    book = ledger.read_book(PAPER)
    assert (book.epoch, book.cash) == (1, 500.0)
    assert ledger.identity(PAPER).holds
    assert ledger.fills(PAPER).rows
    assert ledger.fills(PAPER, epoch=0).rows
    assert hub.latest("portfolio").epoch == 1
    assert agent.portfolio.start_cash == 500.0


async def test_reset_of_which_nobody_knows_stops_trading(ledger) -> None:
    async def reset(agent: Agent) -> None:
        await agent._desk.keeping.flush()
        ledger.error, ledger.all_the_same = DatabaseError("line broke"), True
        ledger.blind = True
        with pytest.raises(DatabaseError, match="line broke"):
            await agent.reset_account(500.0, "page")
        ledger.error, ledger.blind = None, False
        assert "start again" in agent._desk.halted
        with pytest.raises(OpportunityError, match="start again"):
            await agent.flatten("page")

    feed = StepFeed()
    agent = agent_on(feed, ledger)
    async with asyncio.timeout(60):
        feed.steps = [*batches(feed, 0, 30), lambda: reset(agent), *batches(feed, 30, 40)]
        await agent.start()
        await feed.done.wait()
        await agent.stop()
    agent.close()
    assert "start again" in agent.last_error
    assert ledger.read_book(PAPER).epoch == 1
    assert ledger.fills(PAPER).rows == ()


async def test_reset_whose_answer_was_lost_counts(ledger) -> None:
    async def reset(agent: Agent) -> None:
        await agent._desk.keeping.flush()
        ledger.error, ledger.all_the_same = DatabaseError("line broke"), True
        await agent.reset_account(500.0, "page")
        ledger.error = None
        assert agent._desk.trader.epoch == 1

    agent = await run(ledger, reset)
    assert agent.last_error == ""
    assert ledger.identity(PAPER).holds
    assert ledger.fills(PAPER).rows


async def test_breakers_are_closed_by_hand(ledger) -> None:
    async def turn(agent: Agent) -> None:
        assert await agent.reset_breakers(by="page") == ()
        account = agent._desk.trader.broker.account
        account["breaker"][0, STREAK], account["until"][0, STREAK] = OPEN, 1 << 50
        agent._desk.trader._breakers = breaker_rows(account)
        with pytest.raises(ValueError, match="losing_streak"):
            await agent.reset_breakers("losing_streaks", by="page")
        assert await agent.reset_breakers("daily_loss", by="page") == ()
        assert await agent.reset_breakers("losing_streak", "page", "a calm day") == (
            "losing_streak",
        )
        assert account["breaker"][0, STREAK] == CLOSED

    await run(ledger, turn)
    assert await _told(ledger, "hand") == ["reset_breakers"]
    (event,) = EventRepository(ledger._engine, lambda: 0).read(["breaker"])
    assert event.body["reason"] == "reset by hand (page): a calm day"


async def test_recorded_session_takes_commands_but_no_reset(ledger, tmp_path) -> None:
    async def turn(agent: Agent) -> None:
        with pytest.raises(OpportunityError, match="must not be recorded"):
            await agent.reset_account(5.0, "page")
        await agent.flatten("page")

    await run(ledger, turn, session=tmp_path / "s")
    frames = [f for f in read_session(tmp_path / "s") if f.kind == "hand"]
    assert [f.meta["what"] for f in frames] == ["leave"]
    assert frames[0].arrays["rows"].dtype == np.int64


async def test_nobody_trades_nothing_to_command(ledger) -> None:
    agent = Agent(StepFeed(), timeframes=FRAMES)
    with pytest.raises(OpportunityError, match="must trade on paper"):
        await agent.flatten("page")
    agent.close()


async def test_without_a_ledger_commands_are_in_memory() -> None:
    async def turn(agent: Agent) -> None:
        await agent.flatten("page")
        await agent.reset_account(700.0, "page")
        assert agent._desk.trader.broker.equity == 700.0

    agent = await run(None, turn)
    assert agent._desk.trader.epoch == 1


async def test_whoever_does_not_wait_leaves_nothing_half_done(ledger) -> None:
    async def turn(agent: Agent) -> None:
        task = asyncio.ensure_future(agent.flatten("page"))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    await run(ledger, turn)
    assert await _told(ledger, "hand") == ["leave"]
    assert ledger.identity(PAPER).holds

"""Challengers beside the champion: the same account under the same weights, books, chapters."""

import asyncio
import threading
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from sessions import EAGER, WARM, StepFeed, live
from structlog.testing import capture_logs

from opportunity.live import shadows as module
from opportunity.live.agent import Agent
from opportunity.live.config import Challenger
from opportunity.live.paper_trading import PaperTrading
from opportunity.live.shadows import BEGAN, OTHER_ACCOUNT, OTHER_WEIGHTS
from opportunity.scoring.presets import PRESETS
from opportunity.scoring.weights import Weights
from opportunity.storage.books import PAPER, shadow_book
from opportunity.storage.database import open_database
from opportunity.storage.failures import DatabaseError
from opportunity.storage.ledger import Ledger
from opportunity.storage.shadows import MOST_SHADOWS, ShadowRepository
from opportunity.storage.trading_tables import equity_mark, fill, position, trade
from opportunity.trading.rules import TradeRules

FRAMES = ("15m", "1h", "4h")
OWN = Weights().as_array()
OTHER = Weights(**PRESETS["aggressive"]).as_array()
SAME, BOLD = Challenger("same", OWN), Challenger("bold", OTHER)


def wall() -> int:
    return 1_767_225_600_000


@pytest.fixture
def engine(tmp_path: Path):
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    yield engine
    engine.dispose()


@pytest.fixture
def ledger(engine) -> Ledger:
    return Ledger(engine, "steps", wall)


def agent_of(feed: StepFeed, ledger: Ledger | None, state: Path | None = None) -> Agent:
    paper = PaperTrading(rules=TradeRules(**EAGER))
    return Agent(feed, timeframes=FRAMES, trading=paper, ledger=ledger, state=state)


def feed_of(first: int, last: int) -> StepFeed:
    feed = StepFeed(start=first)
    feed.steps = [feed.batch(bar, (0, 1, 2)) for bar in range(first, last)]
    return feed


async def ran(
    ledger: Ledger | None, *challengers: Challenger, first: int = WARM, last: int = WARM + 240,
    state: Path | None = None,
) -> Agent:
    feed = feed_of(first, last)
    agent = agent_of(feed, ledger, state)
    agent.set_challengers(challengers)
    await live(agent, feed.done)
    return agent


def rows(engine: sa.Engine, table: sa.Table, book: str) -> list:
    """Return what a book has in a table, without its name."""
    wanted = sa.select(*[c for c in table.c if c.name != "book"]).where(table.c.book == book)
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(wanted.order_by(*table.primary_key))]


def accounts(agent: Agent) -> dict:
    return {trader.name: trader for trader in agent._desk.shadows.accounts}


def assert_same_account(one, other) -> None:
    for name in ("account", "tally", "positions"):
        assert getattr(one.broker, name).tobytes() == getattr(other.broker, name).tobytes(), name


async def test_own_weights_give_the_champions_account_bit_for_bit(engine, ledger) -> None:
    agent = await ran(ledger, SAME, BOLD)
    champion, found = agent._desk.trader, accounts(agent)
    assert_same_account(champion, found[shadow_book("same")])
    for table in (fill, trade, position, equity_mark):
        mine = rows(engine, table, PAPER)
        assert rows(engine, table, shadow_book("same")) == mine, table.name
    assert len(rows(engine, trade, PAPER)) > 3
    assert rows(engine, fill, shadow_book("bold")) != rows(engine, fill, PAPER)
    times = [row[1] for row in rows(engine, equity_mark, PAPER)]
    assert [row[1] for row in rows(engine, equity_mark, shadow_book("bold"))] == times
    assert len(times) == 60
    for name in (PAPER, shadow_book("same"), shadow_book("bold")):
        assert ledger.identity(name).holds


async def test_champion_is_what_it_is_without_challengers(engine, ledger, tmp_path) -> None:
    await ran(ledger, SAME, BOLD)
    other = open_database(f"sqlite:///{tmp_path / 'alone.sqlite'}")
    await ran(Ledger(other, "steps", wall))
    for table in (fill, trade, position, equity_mark):
        assert rows(engine, table, PAPER) == rows(other, table, PAPER)
    other.dispose()


async def test_a_batch_is_one_transaction(ledger, monkeypatch) -> None:
    commit, seen = Ledger.commit, []

    def watched(self, postings, lease=None):
        seen.append({(p.book, p.time) for p in postings if p.marked})
        return commit(self, postings, lease)

    monkeypatch.setattr(Ledger, "commit", watched)
    await ran(ledger, BOLD)
    marked = [s for s in seen if s]
    assert len(marked) > 10
    for together in marked:
        times = {book: {t for b, t in together if b == book} for book in (PAPER, "shadow:bold")}
        assert times[PAPER] == times["shadow:bold"]


async def test_restart_is_as_if_nothing_had_happened(engine, ledger, tmp_path) -> None:
    for first, last in ((WARM, WARM + 90), (WARM + 90, WARM + 150), (WARM + 150, WARM + 240)):
        agent = await ran(
            ledger, SAME, BOLD, first=first, last=last, state=tmp_path / "state.npz"
        )
    other = open_database(f"sqlite:///{tmp_path / 'through.sqlite'}")
    through = await ran(Ledger(other, "steps", wall), SAME, BOLD)
    for name in ("same", "bold"):
        book = shadow_book(name)
        assert_same_account(accounts(through)[book], accounts(agent)[book])
        for table in (fill, trade, position, equity_mark):
            assert rows(engine, table, book) == rows(other, table, book), (name, table.name)
        kept = [ShadowRepository(e, "steps", wall).chapters(name) for e in (engine, other)]
        assert kept[0] == kept[1]
        assert len(kept[0]) == 1
    other.dispose()


async def test_missed_bars_are_gone_through_like_the_champions(engine, ledger) -> None:
    await ran(ledger, SAME, BOLD, last=WARM + 90)
    agent = await ran(ledger, SAME, BOLD, first=WARM + 130, last=WARM + 240)
    assert_same_account(agent._desk.trader, accounts(agent)[shadow_book("same")])
    assert rows(engine, fill, shadow_book("same")) == rows(engine, fill, PAPER)
    assert ledger.identity(shadow_book("bold")).holds


async def test_chapters_follow_the_champion(engine, ledger) -> None:
    feed = feed_of(WARM, WARM + 120)
    agent = agent_of(feed, ledger)
    agent.set_challengers((BOLD,))
    feed.steps.insert(40, lambda: agent.weights.update({"smc": 0.9}))
    feed.steps.insert(80, lambda: agent.reset_account(5_000.0, by="test"))
    await live(agent, feed.done)
    told = ShadowRepository(engine, "steps", wall).chapters("bold")
    assert [one.why for one in told] == [BEGAN, OTHER_WEIGHTS, OTHER_ACCOUNT]
    assert told[0].weights == tuple(OWN.tolist())
    assert told[1].weights == told[2].weights == tuple(agent.weights.as_array().tolist())
    assert [one.against for one in told] == [0, 0, 1]
    assert [one.time for one in told] == [
        feed.opened(WARM + 1), feed.opened(WARM + 41), feed.opened(WARM + 80),
    ]  # fmt: skip
    again = await ran(ledger, BOLD, first=WARM + 120, last=WARM + 130)
    told = ShadowRepository(engine, "steps", wall).chapters("bold")
    assert [one.why for one in told][3:] == [OTHER_WEIGHTS]  # back to what it was
    assert accounts(again)[shadow_book("bold")].start_cash == 10_000.0


async def opened(agent: Agent, name: str) -> None:
    """Wait until a book is open, or could not be; a batch must have come since it was wanted."""
    shadows = agent._desk.shadows
    if name not in shadows._running:
        await asyncio.to_thread(shadows._opening[name][1].exception, 10)


async def test_challengers_come_and_go_while_it_runs(engine, ledger) -> None:
    feed = feed_of(WARM, WARM + 160)
    agent = agent_of(feed, ledger)
    feed.steps.insert(120, lambda: agent.set_challengers(()))
    feed.steps.insert(41, lambda: opened(agent, "bold"))
    feed.steps.insert(40, lambda: agent.set_challengers((BOLD,)))
    await live(agent, feed.done)
    assert accounts(agent) == {}
    times = [row[1] for row in rows(engine, equity_mark, shadow_book("bold"))]
    assert times[0] == feed.opened(WARM + 44)
    assert times[-1] == feed.opened(WARM + 120)
    book = ledger.read_book(shadow_book("bold"))
    assert (book.begun, book.cash) == (feed.opened(WARM + 41), 10_000.0)
    assert ledger.identity(shadow_book("bold")).holds


async def test_one_that_comes_later_decides_like_one_that_was_there(engine, ledger) -> None:
    """Both are flat at the start; from then on they see the same."""
    feed = feed_of(WARM, WARM + 240)
    agent = agent_of(feed, ledger)
    first, second = Challenger("first", OTHER), Challenger("second", OTHER)
    feed.steps.insert(41, lambda: opened(agent, "second"))
    feed.steps.insert(40, lambda: agent.set_challengers((first, second)))
    await live(agent, feed.done)
    found = accounts(agent)
    assert_same_account(found[shadow_book("first")], found[shadow_book("second")])
    assert len(rows(engine, trade, shadow_book("first"))) > 2


async def test_only_so_many_run(ledger) -> None:
    many = tuple(Challenger(f"n{i}", OWN) for i in range(MOST_SHADOWS + 3))
    agent = await ran(ledger, *many, last=WARM + 8)
    assert len(accounts(agent)) == MOST_SHADOWS


async def test_a_database_that_fails_is_asked_again(ledger, monkeypatch) -> None:
    open_book, n = Ledger.open_book, [0]

    def broken(self, name, cash, time, lease=None):
        n[0] += name != PAPER
        if name != PAPER and n[0] < 3:
            raise DatabaseError("not now")
        return open_book(self, name, cash, time, lease)

    monkeypatch.setattr(Ledger, "open_book", broken)
    feed = feed_of(WARM, WARM + 40)
    agent = agent_of(feed, ledger)
    for i in (14, 12, 10):
        feed.steps.insert(i, lambda: opened(agent, "bold"))
    feed.steps.insert(8, lambda: agent.set_challengers((BOLD,)))
    with capture_logs() as logs:
        await live(agent, feed.done)
    assert n[0] == 3
    assert list(accounts(agent)) == [shadow_book("bold")]
    told = [log["event"] for log in logs if log["event"].startswith("challenger")]
    assert told == ["challenger not opened", "challenger runs"]  # not once for every bar


async def test_without_a_ledger_they_trade_in_memory() -> None:
    agent = await ran(None, SAME, BOLD)
    found = accounts(agent)
    assert_same_account(agent._desk.trader, found[shadow_book("same")])
    assert found[shadow_book("bold")].broker.tally.tobytes() != b""


async def test_much_work_leaves_the_loop(ledger, monkeypatch) -> None:
    threads = {}
    judge = module.evaluate

    def watched(*args, **named):
        threads.setdefault(few[0], set()).add(threading.current_thread() is main)
        return judge(*args, **named)

    main, few = threading.current_thread(), [True]
    monkeypatch.setattr(module, "evaluate", watched)
    await ran(None, BOLD, last=WARM + 12)
    few[0] = False
    await ran(None, *(Challenger(f"n{i}", OTHER) for i in range(8)), last=WARM + 12)
    assert threads == {True: {True}, False: {False}}


async def test_a_stop_in_the_midst_leaves_a_whole_batch(engine, ledger, monkeypatch) -> None:
    judge, n, stopped = module.evaluate, [0], asyncio.Event()
    loop = asyncio.get_running_loop()
    feed = feed_of(WARM, WARM + 40)
    agent = agent_of(feed, ledger)

    def slow(*args, **named):
        n[0] += 1
        if n[0] == 20:  # of the third decision of eight
            loop.call_soon_threadsafe(agent._core.stop)
            loop.call_soon_threadsafe(stopped.set)
            told = threading.Event()
            told.wait(0.2)  # meanwhile the agent's tasks are cancelled
        return judge(*args, **named)

    monkeypatch.setattr(module, "evaluate", slow)
    agent.set_challengers(tuple(Challenger(f"n{i}", OWN) for i in range(8)))
    async with asyncio.timeout(60):
        await agent.start()
        await stopped.wait()
        await agent.stop()
    agent.close()
    assert agent.last_error == agent.storage_error == ""
    champion = ledger.read_book(PAPER)
    assert champion.time == feed.opened(WARM + 12)
    for i in range(8):
        book = ledger.read_book(shadow_book(f"n{i}"))
        assert book.time == champion.time
        assert book.account.tobytes() == champion.account.tobytes()


async def test_they_judge_only_where_somebody_decides(monkeypatch) -> None:
    judge, n = module.evaluate, [0]

    def counted(*args, **named):
        n[0] += 1
        return judge(*args, **named)

    monkeypatch.setattr(module, "evaluate", counted)
    await ran(None, BOLD, last=WARM + 40)
    assert n[0] == 10  # hours


async def test_off_means_off_for_all(engine, ledger) -> None:
    feed = feed_of(WARM, WARM + 60)
    agent = agent_of(feed, ledger)
    agent.enabled = False
    agent.set_challengers((BOLD,))
    await live(agent, feed.done)
    assert rows(engine, fill, shadow_book("bold")) == []
    assert np.all(accounts(agent)[shadow_book("bold")].broker.positions["side"] == 0)

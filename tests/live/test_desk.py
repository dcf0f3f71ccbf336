import asyncio
import errno
import json
import time

import numpy as np
import pytest
from sessions import WARM, StepFeed, agent_of, live

from opportunity.backtest.session_input import read
from opportunity.kernels import VERSION
from opportunity.live.agent import Agent
from opportunity.live.desk import Desk
from opportunity.live.trader import PaperTrading
from opportunity.storage.session import BATCH, HEADER, LOG, SessionWriter, read_session
from opportunity.trading.broker import PaperBroker
from opportunity.trading.setup import TradeSetup


def batches(feed: StepFeed, n: int) -> list:
    return [feed.batch(b, (0, 1, 2)) for b in range(WARM, WARM + n)]


async def test_session_holds_all_that_is_needed(tmp_path) -> None:
    feed = StepFeed()
    feed.steps = batches(feed, 60)
    await live(agent_of(feed, tmp_path / "s"), feed.done)
    header = json.loads((tmp_path / "s" / HEADER).read_text())
    assert header["kernels"] == VERSION
    assert header["symbols"] == list(feed.symbols)
    assert (header["base"], header["decision_timeframe"]) == ("15m", "1h")
    assert (header["source"], header["cash"]) == ("simulated", 10_000.0)
    frames = list(read_session(tmp_path / "s"))
    kinds = [f.kind for f in frames]
    assert kinds.count("warm") == 3
    assert kinds.count("update") == kinds.count("flush") == kinds.count(BATCH) == 60
    assert kinds.count("ready") == kinds.count("config") == 1
    told = [f for f in frames if f.kind == BATCH]
    assert sum(f.arrays["decisions"].size for f in told if "decisions" in f.arrays) == 45
    assert all(np.isfinite(f.meta["equity"]) for f in told)


async def test_desk_holds_the_loop_for_less_than_five_milliseconds(tmp_path, monkeypatch) -> None:
    took = []
    follow = Desk.follow

    def timed(self, *args):
        began = time.thread_time()  # of the processor: what else runs does not count
        follow(self, *args)
        took.append(time.thread_time() - began)

    monkeypatch.setattr(Desk, "follow", timed)
    feed = StepFeed()
    feed.steps = batches(feed, 200)
    await live(agent_of(feed, tmp_path / "s"), feed.done)
    assert len(took) == 200
    assert np.quantile(took, 0.95) < 0.005


async def test_log_takes_what_is_new_and_never_all_that_ever_was(tmp_path, monkeypatch) -> None:
    """A copy of every order of a year would hold the loop for longer with every batch."""

    def whole(self):
        raise AssertionError("all rows were copied")

    for name in ("orders", "fills", "trades"):
        monkeypatch.setattr(PaperBroker, name, property(whole))
    monkeypatch.setattr(PaperBroker, "trim", lambda *_: None)  # to compare with all of it below
    feed = StepFeed()
    feed.steps = batches(feed, 200)
    agent = agent_of(feed, tmp_path / "s")
    await live(agent, feed.done)
    monkeypatch.undo()
    session = read(read_session(tmp_path / "s"))
    broker = agent._desk.trader.broker
    assert session.orders().tobytes() == broker.orders.tobytes()
    assert session.column("fills").tobytes() == broker.fills.tobytes()
    assert session.column("trades").tobytes() == broker.trades.tobytes()
    assert broker.trades.size > 3


async def test_trades_without_a_log(tmp_path) -> None:
    feed = StepFeed()
    feed.steps = batches(feed, 200)
    agent = agent_of(feed, None)
    await live(agent, feed.done)
    assert agent._desk.trader.broker.account["n_fills"][0] > 0
    assert list(tmp_path.iterdir()) == []


async def test_agent_without_either_does_nothing_beside() -> None:
    feed = StepFeed()
    feed.steps = batches(feed, 8)
    agent = Agent(feed, timeframes=("15m", "1h"))
    await live(agent, feed.done)
    assert agent.trading is None
    assert agent._desk.trader is None
    assert agent.session_error == ""


async def test_session_alone_trades_by_the_defaults(tmp_path) -> None:
    feed = StepFeed()
    agent = Agent(feed, session=tmp_path / "s")
    assert agent.trading.setup() == TradeSetup()
    given = Agent(StepFeed(), trading=TradeSetup(cash=5.0))
    assert isinstance(given.trading, PaperTrading)
    assert given.trading.setup().cash == 5.0


async def test_full_disk_stops_the_log_and_not_the_agent(tmp_path, monkeypatch) -> None:
    append, n = SessionWriter.append, [0]

    def full(self, frame):
        n[0] += frame.kind == BATCH
        if n[0] > 10:
            raise OSError(errno.ENOSPC, "No space left on device")
        append(self, frame)

    monkeypatch.setattr(SessionWriter, "append", full)
    feed = StepFeed()
    agent = agent_of(feed, tmp_path / "s")
    feed.steps = batches(feed, 100)
    async with asyncio.timeout(60):
        await agent.start()
        await feed.done.wait()
        assert agent.running
        await agent.stop()
    agent.close()
    assert agent.last_error == ""
    assert "No space left" in agent.session_error
    assert agent._desk.frames.n_batches == 100  # it traded on
    assert sum(f.kind == BATCH for f in read_session(tmp_path / "s")) == 10


async def test_folder_that_cannot_be_made_costs_the_log_only(tmp_path) -> None:
    (tmp_path / "s").mkdir()
    feed = StepFeed()
    feed.steps = batches(feed, 8)
    agent = agent_of(feed, tmp_path / "s")
    await live(agent, feed.done)
    assert agent._desk.frames.n_batches == 8
    assert list((tmp_path / "s").iterdir()) == []


async def test_start_that_fails_closes_the_log(tmp_path) -> None:
    class Broken(StepFeed):
        async def histories(self, timeframe, n_bars, end_ms):
            raise OSError("no history")

    agent = agent_of(Broken(), tmp_path / "s")
    with pytest.raises(OSError, match="no history"):
        await agent.start()
    agent.close()
    assert not agent._desk.recorder._thread.is_alive()


async def test_second_start_says_that_it_is_not_recorded(tmp_path) -> None:
    class Slow(StepFeed):
        broken = True

        async def histories(self, timeframe, n_bars, end_ms):
            if self.broken:
                raise OSError("no history")
            return await super().histories(timeframe, n_bars, end_ms)

    feed = Slow()
    feed.steps = batches(feed, 8)
    agent = agent_of(feed, tmp_path / "s")
    with pytest.raises(OSError, match="no history"):
        await agent.start()
    size = (tmp_path / "s" / LOG).stat().st_size
    feed.broken = False
    async with asyncio.timeout(60):
        await agent.start()
        await feed.done.wait()
        await agent.stop()
    agent.close()
    assert agent.session_error == "its folder holds a start that failed"
    assert agent._desk.frames.n_batches == 8
    assert agent._desk.recorder._waiting.qsize() <= 1  # nothing piles up for a thread that ended
    assert (tmp_path / "s" / LOG).stat().st_size == size


async def test_rules_that_do_not_fit_each_other_wait(tmp_path) -> None:
    feed = StepFeed()
    agent = agent_of(feed, None)
    before = agent._core.config.trade
    agent.trading.rules.targets_r = [1.0]
    assert agent._core.config.trade == before  # three shares for one target
    agent.trading.rules.shares = [1.0]
    assert agent._core.config.trade.rules.targets_r == (1.0,)
    agent.close()

import asyncio
import threading

import numpy as np
import pytest

from opportunity.bus.memory import Hub
from opportunity.errors import CoverageError, OpportunityError, ThreadError
from opportunity.live import opening
from opportunity.live.agent import Agent
from opportunity.market.timeframe import HOUR_MS
from opportunity.scoring.ensemble import score
from opportunity.scoring.weights import Weights
from opportunity.strategy import ScanRules, evaluate

FRAMES = ("1h", "4h")


async def until(condition, timeout_s: float = 20.0) -> None:
    deadline = asyncio.get_running_loop().time() + timeout_s
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, "nothing happened in time"
        await asyncio.sleep(0.002)


@pytest.fixture
def feed(scripted):
    return scripted.ScriptedFeed()


async def test_first_ranking_is_there_when_start_returns(feed) -> None:
    agent = Agent(feed, timeframes=FRAMES)
    assert agent.evaluation() is None
    await agent.start()
    snapshot = agent.snapshot()
    assert agent.running
    assert snapshot.symbols == feed.symbols
    assert np.isfinite(snapshot.price).all()
    assert (snapshot.closed == feed.clock.now()).all()
    assert np.isfinite(agent.evaluation().combined.net).all()
    await agent.stop()
    assert not agent.running
    assert feed.closed == 1


async def test_each_closed_bar_is_scored_as_in_batch(feed) -> None:
    agent = Agent(feed, timeframes=FRAMES, rules=ScanRules(min_volume_usd=0))
    await agent.start()
    for bar in range(5_500, 5_512):
        feed.put(bar)
    end = feed.start + 12
    await until(lambda: agent.snapshot().closed[0, 0] == feed.bars[0].time[end])
    snapshot = agent.snapshot()
    for row, symbol in enumerate(feed.symbols):
        for column, timeframe in enumerate(FRAMES):
            bars = feed._newest(row, timeframe, 1_000 + 12, feed.bars[0].time[end])
            lead = 12 if timeframe == "1h" else 3
            whole = score(bars[-1_000 - lead :], weights=agent.weights)
            seen = agent.evaluation().combined.net[row, column]
            assert seen == whole.net[-1], (symbol, timeframe)
    assert snapshot.price[0] == feed.bars[0].close[end - 1]
    await agent.stop()


async def test_starting_twice_makes_one_loop(feed) -> None:
    agent = Agent(feed, timeframes=FRAMES)
    await agent.start()
    await agent.start()
    for _ in range(3):
        agent.enabled = False
        agent.enabled = True
    feed.put(5_500)
    await until(lambda: agent.snapshot().price[0] == feed.bars[0].close[5_500])
    assert feed.streams == 1
    await agent.stop()
    await agent.stop()
    assert feed.closed == 1


async def test_off_stops_signals_but_not_prices_and_states(feed) -> None:
    hub = Hub(asyncio.get_running_loop(), tick_s=0.0)
    seen: list[str] = []
    hub.subscribe(lambda states, events: seen.extend(topic for topic, _ in states))
    agent = Agent(feed, timeframes=FRAMES, hub=hub)
    await agent.start()
    await until(lambda: "signal" in seen)
    agent.enabled = False
    await until(lambda: agent._core.evaluation.snapshot.version > 1)
    seen.clear()
    feed.put(5_500)
    await until(lambda: "price" in seen)
    await asyncio.sleep(0.05)
    assert "signal" not in seen
    agent.enabled = True
    await until(lambda: "signal" in seen)
    assert agent.snapshot().closed[0, 0] == feed.bars[0].time[5_501]
    await agent.stop()


async def test_weights_and_rules_change_the_ranking_at_once(feed) -> None:
    weights = Weights()
    agent = Agent(feed, weights=weights, timeframes=FRAMES, scan_interval_ms=60_000)
    await agent.start()
    weights.update(sar=1.0, price_action=0.0, fibonacci=0.0)
    expected = evaluate(agent.snapshot(), weights).combined.net
    await until(lambda: np.array_equal(agent.evaluation().combined.net, expected))
    agent.rules.direction = "BEARISH"
    await until(lambda: agent.evaluation().rules.direction == "BEARISH")
    await agent.stop()


async def test_heartbeat_publishes_again_without_a_bar(feed) -> None:
    hub = Hub(asyncio.get_running_loop(), tick_s=0.0)
    agent = Agent(feed, timeframes=FRAMES, hub=hub, scan_interval_ms=100)
    await agent.start()
    first = agent.n_scans
    await until(lambda: agent.n_scans >= first + 2)
    assert agent.last_scan_at == feed.clock.now()
    assert agent.next_scan_at > agent.last_scan_at
    await agent.stop()


async def test_own_thread_runs_elsewhere_and_obeys(feed) -> None:
    agent = Agent(feed, timeframes=FRAMES)
    names: list[str] = []
    histories = feed.histories

    async def spy(*args):
        names.append(threading.current_thread().name)
        return await histories(*args)

    feed.histories = spy
    feed.events = asyncio.Queue()  # belongs to the loop that first awaits it: the agent's
    await agent.start(thread=True)
    assert set(names) == {"agent"}
    agent.weights.update(sar=1.0)
    await until(lambda: agent.evaluation().weights[5] == 1.0)
    await agent.stop()
    await until(lambda: "agent" not in {t.name for t in threading.enumerate()})


async def test_bound_agent_cannot_be_turned_from_a_foreign_thread(feed) -> None:
    agent = Agent(feed, timeframes=FRAMES)
    agent.bind_thread()
    with pytest.raises(ThreadError, match=r"Agent\.enabled"):
        await asyncio.to_thread(setattr, agent, "enabled", False)
    assert agent.enabled


async def test_feed_that_cannot_open_is_an_error_and_leaves_nothing(feed) -> None:
    async def fail() -> int:
        raise CoverageError("BTC/USDT has no bars of 1m")

    feed.open = fail
    agent = Agent(feed, timeframes=FRAMES)
    for thread in (False, True):
        with pytest.raises(CoverageError, match="no bars of 1m"):
            await agent.start(thread=thread)
        assert not agent.running
    assert agent.snapshot() is None


async def test_timeframes_shorter_than_the_base_are_left_out(feed) -> None:
    agent = Agent(feed, timeframes=("5m", "1h"))
    await agent.start()
    assert agent.timeframes == ("1h",)
    await agent.stop()
    alone = Agent(feed, timeframes=("5m",))
    with pytest.raises(ValueError, match="1h"):
        await alone.start()


async def test_restart_equals_never_having_stopped(scripted, tmp_path) -> None:
    straight, first = scripted.ScriptedFeed(), scripted.ScriptedFeed()
    whole = Agent(straight, timeframes=FRAMES)
    await whole.start()
    half = Agent(first, timeframes=FRAMES, state=tmp_path / "s.npz")
    await half.start()
    for bar in range(5_500, 5_530):
        straight.put(bar)
        first.put(bar)
    done = straight.bars[0].time[5_530]
    await until(lambda: half.snapshot().closed[0, 0] == done)
    await half.stop()

    second = scripted.ScriptedFeed(start=5_533)  # three bars were missed while it was off
    again = Agent(second, timeframes=FRAMES, state=tmp_path / "s.npz")
    await again.start()
    for bar in range(5_530, 5_560):
        straight.put(bar)
        if bar >= 5_533:
            second.put(bar)
    done = straight.bars[0].time[5_560]
    await until(lambda: again.snapshot().closed[0, 0] == whole.snapshot().closed[0, 0] == done)
    for name, array in whole.snapshot().arrays().items():
        np.testing.assert_array_equal(again.snapshot().arrays()[name], array, err_msg=name)
    await whole.stop()
    await again.stop()


async def test_unreadable_state_is_left_and_the_warm_up_runs(feed, tmp_path) -> None:
    path = tmp_path / "s.npz"
    path.write_bytes(b"not an archive")
    agent = Agent(feed, timeframes=FRAMES, state=path)
    await agent.start()
    assert np.isfinite(agent.evaluation().combined.net).all()
    await agent.stop()
    assert path.read_bytes()[:2] == b"PK"  # replaced by a good one at the end


async def test_missing_bar_is_flagged_and_the_longer_bar_closes_late(feed) -> None:
    agent = Agent(feed, timeframes=FRAMES)
    await agent.start()
    feed.put(5_500)
    feed.put(5_501, rows=[0])
    feed.put(5_502)
    await until(lambda: agent.snapshot().closed[0, 0] == feed.bars[0].time[5_503])
    flagged = agent.snapshot().flagged
    assert not flagged[0, 0]
    assert flagged[1, 0]
    assert agent.snapshot().closed[1, 0] == feed.bars[0].time[5_502] + HOUR_MS
    await agent.stop()


async def test_forming_bar_joins_closed_and_running_base_bars(feed) -> None:
    agent = Agent(feed, timeframes=FRAMES)
    await agent.start()
    feed.put(5_500)
    feed.put(5_501)
    await until(lambda: agent.snapshot().closed[0, 0] == feed.bars[0].time[5_502])
    assert agent.forming(feed.symbols[0], "1h") is None
    bar = agent.forming(feed.symbols[0], "4h")
    two = feed.bars[0][5_500:5_502]
    assert bar.time == two.time[0]
    assert (bar.open, bar.high, bar.low, bar.close, bar.volume) == (
        two.open[0], two.high.max(), two.low.min(), two.close[1], two.volume.sum(),
    )
    await agent.stop()


async def test_error_of_the_feed_stops_the_agent_and_says_why(feed) -> None:
    agent = Agent(feed, timeframes=FRAMES)
    await agent.start()
    feed.events.put_nowait(CoverageError("file went away"))
    await until(lambda: not agent.running)
    assert "file went away" in agent.last_error
    assert feed.closed == 1
    await agent.stop()


async def test_end_of_the_feed_leaves_the_last_ranking(feed) -> None:
    agent = Agent(feed, timeframes=FRAMES, scan_interval_ms=100)
    await agent.start()
    feed.put(5_500)
    feed.events.put_nowait(None)
    await until(lambda: agent.snapshot().closed[0, 0] == feed.bars[0].time[5_501])
    scans = agent.n_scans
    await until(lambda: agent.n_scans > scans)
    assert agent.running
    await agent.stop()


async def test_agent_that_has_run_cannot_run_again(feed) -> None:
    agent = Agent(feed, timeframes=FRAMES)
    await agent.start()
    await agent.stop()
    with pytest.raises(OpportunityError, match="must be started once"):
        await agent.start()
    assert not agent.running


async def test_failed_start_may_be_tried_again(scripted) -> None:
    feed = scripted.ScriptedFeed()
    opened = feed.open

    async def fail() -> int:
        feed.open = opened
        raise RuntimeError("not yet")

    feed.open = fail
    agent = Agent(feed, timeframes=FRAMES)
    with pytest.raises(RuntimeError, match="not yet"):
        await agent.start(thread=True)
    await agent.start()
    assert agent.running
    feed.put(5_500)
    await until(lambda: agent.time > feed.clock.now())
    assert agent.running
    await agent.stop()


async def test_timeframe_named_twice_is_scored_once(feed) -> None:
    agent = Agent(feed, timeframes=("1h", "4h", "1h"))
    await agent.start()
    assert agent.timeframes == ("1h", "4h")
    whole = score(feed._newest(0, "1h", 1_000, feed.clock.now()), weights=agent.weights)
    assert agent.evaluation().combined.net[0, 0] == whole.net[-1]
    await agent.stop()


async def test_feed_is_asked_on_the_loop_of_the_agent(feed) -> None:
    async def where() -> str:
        return threading.current_thread().name

    agent = Agent(feed, timeframes=FRAMES)
    assert await agent.ask(where()) == "MainThread"
    await agent.start(thread=True)
    assert await agent.ask(where()) == "agent"
    await agent.stop()
    with pytest.raises(OpportunityError, match="must run"):
        await agent.ask(where())


async def test_error_right_after_the_start_leaves_it_stopped(feed) -> None:
    feed.events.put_nowait(CoverageError("gone"))
    agent = Agent(feed, timeframes=FRAMES)
    await agent.start(thread=True)
    await until(lambda: agent.last_error == "gone")
    assert not agent.running
    await agent.stop()


class LateError(OpportunityError):
    """A market that does not answer now."""

    passing = True


@pytest.mark.parametrize("thread", [False, True])
async def test_a_market_that_comes_late_is_waited_for(feed, monkeypatch, thread) -> None:
    monkeypatch.setattr(opening, "FIRST_S", 0.001)
    opened, tries = feed.open, []

    async def late() -> int:
        tries.append(1)
        if len(tries) < 4:
            raise LateError("nobody there")
        return await opened()

    feed.open = late
    agent = Agent(feed, timeframes=FRAMES)
    with pytest.raises(LateError):
        await agent.start(thread)
    assert not agent.running
    async with asyncio.timeout(20):
        await agent.start(thread, patient=True)
    assert agent.running
    assert len(tries) == 4
    await agent.stop()


async def test_what_does_not_pass_is_not_waited_for(feed) -> None:
    async def wrong() -> int:
        raise OpportunityError("no such symbol")

    feed.open = wrong
    with pytest.raises(OpportunityError, match="no such symbol"):
        await Agent(feed, timeframes=FRAMES).start(patient=True)

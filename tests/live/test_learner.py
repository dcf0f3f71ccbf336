"""The agent calibrates itself in the background, and anew when weights are turned."""

import asyncio
import contextlib
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from calling import made_calls

from opportunity.bus.memory import Hub
from opportunity.live import learner as module
from opportunity.live.agent import Agent
from opportunity.live.learner import N_SYMBOLS, Learner
from opportunity.market.bars import Bars
from opportunity.scoring.calibration import calibrated
from opportunity.scoring.calls import calls_of, pooled
from opportunity.scoring.ensemble import score
from opportunity.scoring.reliability import improvement
from opportunity.scoring.weights import Weights
from opportunity.strategy import ScanRules

FRAMES = ("1h", "4h")
WEIGHTS = Weights().as_array()


async def until(condition, timeout_s: float = 20.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 - the learner tells nobody but its core
            await asyncio.sleep(0.005)


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(module, "AFTER_S", 0.0)


@pytest.fixture
def feed(scripted):
    return scripted.ScriptedFeed(n_symbols=3)


@pytest.fixture
def saved():
    calls = made_calls(3_000)
    return calibrated({t: replace(calls, timeframe=t) for t in FRAMES}, None, "simulated", [])


async def learned(feed, weights=WEIGHTS, frames=FRAMES):
    learner = Learner(feed, frames, 1_000)
    await learner.ask(await feed.open())
    return learner, learner.learn(weights, None)


async def test_it_learns_what_calibrating_the_same_bars_would(feed) -> None:
    _, found = await learned(feed)
    end = await feed.open()
    bars = [await feed.history(s, "1h", 1_000, end) for s in feed.symbols]
    calls = pooled([calls_of(score(b)) for b in bars])
    wanted = calibrated({"1h": calls}, WEIGHTS, "simulated", feed.symbols)
    kept, fresh = found.calibrators["1h"], wanted.calibrators["1h"]
    np.testing.assert_allclose(kept.knots, fresh.knots, atol=1e-5)
    assert (kept.n_calls, found.symbols, found.family) == (
        fresh.n_calls, feed.symbols, "simulated"
    )


async def test_histories_that_were_offered_are_not_asked_for(feed) -> None:
    _, asked = await learned(feed)
    learner = Learner(feed, FRAMES, 1_000)
    for timeframe in FRAMES:
        learner.offer(timeframe, *await feed.histories(timeframe, 1_000, await feed.open()))
    feed.bars = []
    await learner.ask(0)
    found = learner.learn(WEIGHTS, None)
    assert found.as_dict() == asked.as_dict()


async def test_other_weights_are_judged_without_a_new_look(feed, monkeypatch) -> None:
    learner, first = await learned(feed)
    monkeypatch.setattr(module, "collect", None)  # a second look would fail
    other = learner.learn(Weights(sar=0.9).as_array(), None)
    assert first.problem(WEIGHTS, "simulated") == ""
    assert other.problem(Weights(sar=0.9), "simulated") == ""
    assert other.problem(WEIGHTS, "simulated") != ""


async def test_symbols_are_spread_over_a_large_universe(scripted) -> None:
    feed = scripted.ScriptedFeed(n_symbols=2)
    feed.symbols = tuple(f"S{i}/USDT" for i in range(1_000))
    learner = Learner(feed, FRAMES, 10)
    places = [int(s[1:-5]) for s in learner.symbols]
    assert len(places) == N_SYMBOLS
    assert (places[0], places[-1]) == (0, 999)
    assert max(np.diff(places)) - min(np.diff(places)) <= 1


async def test_a_stopped_learner_returns_nothing(feed) -> None:
    learner = Learner(feed, FRAMES, 1_000)
    await learner.ask(await feed.open())
    learner.stop()
    assert learner.learn(WEIGHTS, None) is None


async def test_a_saved_calibration_wins_where_it_fits(feed, saved) -> None:
    learner, own = await learned(feed)
    learner.saved, learner.learned = saved, own
    late = max(saved.known, own.known)
    assert learner.calibration(WEIGHTS, late) is saved
    learner.saved = replace(saved, source="binance")
    assert learner.calibration(WEIGHTS, late) is own
    assert learner.calibration(Weights(smc=0.9).as_array(), late) is own  # says why it does not
    assert Learner(feed, FRAMES, 10).calibration(WEIGHTS, late) is None


async def test_the_agent_knows_its_success_some_time_after_the_start(feed) -> None:
    hub = Hub(asyncio.get_running_loop(), tick_s=0.0)
    heard: dict = {}
    hub.subscribe(lambda states, events: heard.update(states))
    agent = Agent(feed, timeframes=FRAMES, hub=hub, rules=ScanRules(min_volume_usd=0))
    await agent.start()
    assert agent.calibration() is None
    first = agent.evaluation()
    assert first.uncalibrated == "uncalibrated: these scores have no calibration yet"
    await until(lambda: agent.calibration() is not None and agent.evaluation() is not first)
    seen = agent.evaluation()
    assert seen.uncalibrated == ""
    pointed = seen.consensus.direction != 0
    np.testing.assert_array_equal(np.isfinite(seen.success), pointed)
    await until(lambda: all(
        heard[("signal", s)]["success"] == (seen.success[i] if pointed[i] else None)
        for i, s in enumerate(feed.symbols)
    ))
    await agent.stop()


async def test_turned_weights_are_uncalibrated_until_learned(feed) -> None:
    agent = Agent(feed, timeframes=FRAMES)
    await agent.start()
    await until(lambda: agent.calibration() is not None)
    agent.weights.update(sar=0.9)
    assert agent.calibration().problem(agent.weights, "simulated") != ""
    await until(lambda: not agent.calibration().problem(agent.weights, "simulated"))
    await until(lambda: agent.evaluation().uncalibrated == "")
    assert agent.calibration({"sar": 0.5}).problem({"sar": 0.5}, "simulated") != ""
    await agent.stop()


async def test_with_a_saved_calibration_nothing_is_learned(feed, saved, monkeypatch) -> None:
    monkeypatch.setattr(Learner, "learn", None)
    early = replace(saved, calibrators={
        t: replace(c, known=1) for t, c in saved.calibrators.items()
    })
    agent = Agent(feed, timeframes=FRAMES, calibration=early)
    await agent.start()
    assert agent.evaluation().calibration is early
    assert agent.evaluation().uncalibrated == ""
    await asyncio.sleep(0.02)
    assert agent.running
    await agent.stop()


async def test_history_that_cannot_be_read_does_not_stop_the_agent(feed, monkeypatch) -> None:
    def broken(*_):
        raise ValueError("no bars")

    monkeypatch.setattr(Learner, "learn", broken)
    agent = Agent(feed, timeframes=FRAMES)
    await agent.start()
    feed.put(5_500)
    await until(lambda: agent.snapshot().price[0] == feed.bars[0].close[5_500])
    assert agent.running
    await agent.stop()


class Given:
    """What a learner is told of its agent; `tells` counts how often success was told anew."""

    def __init__(self, time: int) -> None:
        self.time, self.relearn, self.tells = time, 0, 0

    @property
    def config(self):
        return SimpleNamespace(weights=WEIGHTS, relearn=self.relearn)

    def observers(self, _):
        return None

    def tell_again(self) -> None:
        self.tells += 1


class Drifting:
    """Hourly bars of several symbols that run on in their direction, and from `TURN` on back."""

    source, n = "simulated", 2_400
    TURN, LEARNED, AGAIN = 1_200, 1_100, 2_100

    def __init__(self, n_symbols: int = 6) -> None:
        self.bars = [self._walk(seed) for seed in range(n_symbols)]
        self.symbols = tuple(bars.symbol for bars in self.bars)
        self.asked = 0

    def _walk(self, seed: int) -> Bars:
        rng = np.random.default_rng(seed)
        noise, pushed = 0.003 * rng.standard_normal((self.n, 4)), rng.standard_normal((self.n, 4))
        price = level = np.log(100.0)
        drift, rows = 0.0, np.empty((self.n, 5))
        for i in range(self.n):
            path = [price]
            for k in range(4):
                if i < self.TURN:
                    drift = 0.97 * drift + 0.0006 * pushed[i, k]
                    price += drift + noise[i, k]
                    level = price
                else:
                    price += 0.06 * (level - price) + noise[i, k]
                path.append(price)
            rows[i] = path[0], max(path), min(path), price, np.log(100.0)
        return Bars(3_600_000 * np.arange(self.n), np.exp(rows), "1h", f"S{seed}/USDT", "simulated")

    def closed(self, bar: int) -> int:
        return int(self.bars[0].close_time[bar - 1])

    async def history(self, symbol, timeframe, n_bars, end_ms):
        self.asked += 1
        bars = self.bars[self.symbols.index(symbol)]
        end = int(np.searchsorted(bars.close_time, end_ms, side="right"))
        return bars[max(0, end - n_bars) : end]


async def running(learner: Learner, given: Given, works) -> None:
    task = asyncio.ensure_future(learner.run(given))
    try:
        await works()
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_learning_again_follows_a_market_that_has_changed() -> None:
    """Out of sample: the newest 300 bars are seen by neither fit."""
    feed = Drifting()
    given = Given(feed.closed(feed.LEARNED))
    learner, found = Learner(feed, ("1h",), 1_000), []

    async def works() -> None:
        await until(lambda: learner.learned is not None)
        found.append(learner.learned)
        given.time = feed.closed(feed.AGAIN)
        given.relearn = 1
        learner.turned.set()
        await until(lambda: learner.learned is not found[0])

    await running(learner, given, works)
    before, after = (c.calibrators["1h"] for c in (found[0], learner.learned))
    assert before.known <= feed.closed(feed.LEARNED) < after.known <= feed.closed(feed.AGAIN)
    calls = pooled([calls_of(score(bars)) for bars in feed.bars])
    late = calls.take((calls.at > given.time) & calls.resolved)
    gain, (low, _) = improvement(
        before.predict(late), after.predict(late), late.right, late.at, n_draws=300
    )
    assert low > 0.01  # of a Brier score around 0.25: the lower bound, not the mean
    assert gain > 0.03
    assert given.tells == 2


async def test_what_is_a_week_old_is_learned_anew(monkeypatch) -> None:
    monkeypatch.setattr(module, "LOOK_S", 0.01)
    feed = Drifting(2)
    given = Given(feed.closed(feed.LEARNED))
    learner, found = Learner(feed, ("1h",), 1_000), []

    async def works() -> None:
        await until(lambda: learner.learned is not None)
        found.append(learner.learned)
        given.time += module.REFIT_MS - 1
        asked = feed.asked
        await asyncio.sleep(0.05)
        assert (learner.due(given), feed.asked) == (False, asked)
        given.time += 1
        await until(lambda: learner.learned is not found[0])
        assert not learner.due(given)

    await running(learner, given, works)
    assert learner.learned.known > found[0].known


async def test_a_saved_calibration_is_not_refitted_but_yields_when_asked_to(saved) -> None:
    feed = Drifting(2)
    given = Given(feed.closed(feed.AGAIN))
    early = replace(saved, calibrators={
        t: replace(c, known=1) for t, c in saved.calibrators.items()
    })
    learner = Learner(feed, ("1h",), 1_000, early)
    assert learner.calibration(WEIGHTS, given.time) is early
    assert not learner.due(given)
    given.relearn = 1
    assert learner.due(given)

    async def works() -> None:
        await until(lambda: learner.learned is not None)

    await running(learner, given, works)
    assert learner.calibration(WEIGHTS, given.time) is learner.learned
    assert not learner.due(given)


async def test_a_market_that_does_not_answer_costs_nothing_that_was_learned() -> None:
    feed = Drifting(2)
    given = Given(feed.closed(feed.LEARNED))
    learner, found = Learner(feed, ("1h",), 1_000), []

    async def works() -> None:
        await until(lambda: learner.learned is not None)
        found.append(learner.learned)
        bars, feed.bars = feed.bars, [b[:50] for b in feed.bars]
        given.relearn, given.time = 1, feed.closed(50)
        learner.turned.set()
        await until(lambda: not learner.due(given))
        assert learner.learned is found[0]
        feed.bars = bars
        assert learner.learn(Weights(smc=0.9).as_array(), None).calibrators  # of what was seen

    await running(learner, given, works)


async def test_an_agent_that_is_asked_learns_again(feed) -> None:
    agent = Agent(feed, timeframes=FRAMES)
    await agent.start()
    await until(lambda: agent.calibration() is not None)
    first = agent.calibration()
    agent.learn_again()
    await until(lambda: agent.calibration() is not first)
    assert not agent.calibration().problem(agent.weights, "simulated")
    await agent.stop()

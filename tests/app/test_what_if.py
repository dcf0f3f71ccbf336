import asyncio
import math
from dataclasses import replace

import pytest

from app import what_if
from app.bar_source import SimulatedBars
from app.what_if import Market, WhatIfs, frames_of
from opportunity.backtest.trials import MemoryTrials
from opportunity.errors import CoverageError
from opportunity.feeds.simulation.market import SimulatedMarket
from opportunity.feeds.simulation.weeks import MARKET_START
from opportunity.market.timeframe import DAY_MS
from opportunity.scoring.weights import Weights
from opportunity.storage.failures import DatabaseError
from opportunity.trading.rules import TradeRules
from opportunity.trading.setup import TradeSetup

RULES = TradeRules(min_score=0.55, min_confidence=0.1, max_disagreement=1.0).record()
SIMULATED = SimulatedMarket(2, seed=7)


class World:
    """Two simulated symbols at some time of theirs."""

    def __init__(self) -> None:
        self.now = MARKET_START + 300 * DAY_MS
        self.market = Market(SIMULATED.symbols, ("15m", "1h", "4h"), TradeSetup(rules=RULES))
        self.source, self.loaded = SimulatedBars(SIMULATED, lambda: self.now), 0
        self.trials = MemoryTrials()

    def load(self, *asked):
        self.loaded += 1
        return SimulatedBars.load(self.source, *asked)

    def what_ifs(self) -> WhatIfs:
        return WhatIfs(lambda: self.market, lambda: self, lambda: self.now, self.trials)


@pytest.fixture
def world(monkeypatch) -> World:
    monkeypatch.setattr(what_if, "MOST_BARS", 30 * 24)
    return World()


@pytest.fixture
async def asked(world):
    made = world.what_ifs()
    yield made
    made.close()


BALANCED, TURNED = Weights().as_array(), Weights(sar=0.6, smc=0.0).as_array()


async def test_draft_is_run_over_the_same_history_as_what_is_in_force(world, asked) -> None:
    assert not asked.ready
    found = await asked.compare(BALANCED, TURNED)
    assert asked.ready
    assert found.sleeves.timeframes == ("1h", "4h")
    assert found.sleeves.symbols == world.market.symbols
    assert found.now.time.size == 30 * 24
    assert int(found.now.time[-1]) <= world.now
    assert found.now.n_trades > 0
    assert found.draft.earned != found.now.earned
    assert found.chance.difference == found.draft.earned - found.now.earned
    assert 0 < found.chance.p <= 1
    alone = await asked.compare(BALANCED)
    assert (alone.draft, alone.chance) == (None, None)
    assert alone.now.earned == found.now.earned
    assert world.loaded == 2  # once for each symbol


async def test_only_what_rests_counts_as_tried_and_once(asked) -> None:
    assert (await asked.compare(BALANCED, TURNED)).tried == 0
    assert (await asked.compare(BALANCED, TURNED, counts=True)).tried == 1
    found = await asked.compare(BALANCED, 2 * TURNED, counts=True)
    assert (found.tried, found.chance.tried) == (1, 1)
    found = await asked.compare(BALANCED, Weights(sar=0.5).as_array(), counts=True)
    assert (found.tried, found.chance.tried) == (2, 2)
    assert (await asked.compare(BALANCED)).tried == 2


async def test_what_was_tried_stays_tried_while_history_goes_on(world, asked, monkeypatch) -> None:
    await asked.compare(BALANCED, TURNED, counts=True)
    monkeypatch.setattr(what_if, "RENEW_S", -1.0)
    until = int((await asked.compare(BALANCED)).now.time[-1])
    world.now += 2 * DAY_MS
    hurried = await asked.compare(BALANCED, TURNED)
    assert int(hurried.now.time[-1]) == until  # who drags does not wait
    found = await asked.compare(BALANCED)
    assert int(found.now.time[-1]) == until + 2 * DAY_MS
    assert found.tried == 1


async def test_questions_at_once_wait_for_one_history(world, asked) -> None:
    answers = await asyncio.gather(*(asked.compare(BALANCED, TURNED) for _ in range(5)))
    assert world.loaded == 2
    assert len({answer.draft.earned for answer in answers}) == 1


async def test_other_rules_or_timeframe_weights_are_another_history(world, asked) -> None:
    before = await asked.compare(BALANCED)
    world.market = replace(world.market, timeframe_weights=(("4h", 0.0),))
    assert (await asked.compare(BALANCED)).now.earned != before.now.earned
    world.market = replace(world.market, timeframe_weights=(("1h", 0.0), ("4h", 0.0)))
    assert (await asked.compare(BALANCED)).now.earned == before.now.earned
    rules = replace(RULES, min_score=0.99)
    world.market = replace(world.market, setup=replace(world.market.setup, rules=rules))
    assert (await asked.compare(BALANCED)).now.n_trades == 0


async def test_symbols_without_history_are_left_out(world, asked) -> None:
    world.market = replace(world.market, symbols=(*SIMULATED.symbols[:1], "NONE/USDT"))
    assert (await asked.compare(BALANCED)).sleeves.symbols == SIMULATED.symbols[:1]
    world.market = replace(world.market, symbols=("NONE/USDT",))
    with pytest.raises(CoverageError, match="NONE/USDT"):
        await asked.compare(BALANCED)
    world.market = replace(world.market, symbols=())
    with pytest.raises(CoverageError, match="symbols must be watched, were none"):
        await asked.compare(BALANCED)


async def test_short_history_is_used_as_far_as_it_goes(world, asked) -> None:
    world.now = MARKET_START + 20 * DAY_MS
    found = await asked.compare(BALANCED, TURNED)
    assert 0 < found.now.time.size < 17 * 24
    assert math.isnan(found.chance.p)


async def test_history_is_let_go_when_nobody_asks(asked, monkeypatch) -> None:
    monkeypatch.setattr(what_if, "IDLE_S", 0.0)
    await asked.compare(BALANCED)
    async with asyncio.timeout(20):
        while asked.ready:  # noqa: ASYNC110 - it lets go by itself
            await asyncio.sleep(0.01)
    monkeypatch.undo()
    monkeypatch.setattr(what_if, "MOST_BARS", 30 * 24)
    await asked.compare(BALANCED)
    assert asked.ready


async def test_closed_one_holds_nothing_and_stops_reading(world) -> None:
    made = world.what_ifs()
    asking = asyncio.ensure_future(made.compare(BALANCED))
    await asyncio.sleep(0)
    made.close()
    with pytest.raises(what_if.ClosedError):
        await asking
    assert not made.ready


async def test_database_that_fails_is_told(world, asked, monkeypatch) -> None:
    def fail(*_):
        raise DatabaseError("trials must be counted, were not")

    monkeypatch.setattr(world.trials, "add", fail)
    with pytest.raises(DatabaseError):
        await asked.compare(BALANCED, TURNED, counts=True)


@pytest.mark.parametrize(
    ("watched", "wanted"),
    [
        (("5m", "15m", "1h", "4h", "1d"), ("1h", "4h", "1d")),
        (("1d", "4h"), ("4h", "1d")),
        (("1w", "1h"), ("1h",)),
        (("5m", "15m"), ("15m",)),
    ],
)
def test_timeframes_are_those_of_an_hour_and_more(watched, wanted) -> None:
    assert frames_of(watched) == wanted

import asyncio
from pathlib import Path

import numpy as np
import pytest
from builders import random_bars
from ideas import HOUR, IDEA, MARKET, keep

from opportunity.errors import CoverageError, OpportunityError
from opportunity.indicators import atr as atr_of
from opportunity.live import journal as module
from opportunity.live.journal import LAST_BARS, PATIENCE_BARS, Journal, judged
from opportunity.market.bars import Bars
from opportunity.scoring.aftermath import BARRIERS, HORIZONS
from opportunity.scoring.barriers import outcomes
from opportunity.storage.database import open_database
from opportunity.storage.outcomes import UNKNOWN, Due, OutcomeRepository

N = 300
BARS = {s: random_bars(N, seed=i) for i, s in enumerate(("BTC/USDT", "ETH/USDT"), 1)}
ENDS = BARS["BTC/USDT"].close_time


class Market:
    """Bars up to the hour that it is now; notes what it was asked."""

    def __init__(self, hour: int) -> None:
        self.hour, self.asked, self.fails = hour, [], None
        self.bars = dict(BARS)

    def now(self) -> int:
        return int(ENDS[self.hour])

    async def history(self, symbol: str, timeframe: str, n_bars: int, end_ms: int) -> Bars:
        self.asked.append((symbol, timeframe, n_bars, end_ms))
        if self.fails is not None:
            raise self.fails
        if symbol not in self.bars:
            raise ValueError(f"symbol must be known, was {symbol}")
        bars = self.bars[symbol]
        closed = int(np.searchsorted(bars.close_time, min(end_ms, self.now()), side="right"))
        return bars[max(0, closed - n_bars) : closed]


@pytest.fixture
def engine(tmp_path: Path):
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    yield engine
    engine.dispose()


def journal(engine, market: Market) -> Journal:
    return Journal(OutcomeRepository(engine, MARKET), market.history, market.now, "1h")


def write(engine, hours, symbols=tuple(BARS), **values) -> None:
    made = []
    for symbol in symbols:
        atr = atr_of(BARS.get(symbol, BARS["BTC/USDT"]), 14)
        for hour in hours:
            made.append(IDEA._replace(**{
                "time": int(ENDS[hour]), "symbol": symbol, "side": 1 if hour % 3 else -1,
                "atr": float(atr[hour]), **values,
            }))  # fmt: skip
    keep(engine, made)


def kept(engine) -> dict:
    store = OutcomeRepository(engine, MARKET)
    return store.of(list(range(1, 500)))


async def test_outcomes_are_those_of_the_barriers_array_for_array(engine) -> None:
    hours = range(20, 120)
    write(engine, hours)
    market = Market(N - 1)
    assert await journal(engine, market).catch_up() == 2 * 100 * len(HORIZONS)
    found = list(kept(engine).values())
    for k, symbol in enumerate(BARS):
        bars = BARS[symbol]
        atr = atr_of(bars, 14)
        sides = np.where(np.arange(N) % 3, 1.0, -1.0)
        for i, horizon in enumerate(HORIZONS):
            wanted = outcomes(bars, atr, horizon)
            rows = found[100 * k : 100 * k + 100]
            made = np.array([one[i].right for one in rows])
            np.testing.assert_array_equal(made, wanted.right(sides)[20:120])
            known = np.array([one[i].known for one in rows])
            np.testing.assert_array_equal(known, ENDS[wanted.resolved[20:120]])


async def test_one_pass_after_another_equals_one_pass_at_the_end(engine, tmp_path) -> None:
    write(engine, range(20, 60, 5))
    market = Market(20)
    one = journal(engine, market)
    for hour in range(20, 130):
        market.hour = hour
        await one.catch_up()
    stepwise = kept(engine)
    other = open_database(f"sqlite:///{tmp_path / 'y.sqlite'}")
    write(other, range(20, 60, 5))
    await journal(other, Market(129)).catch_up()
    assert kept(other) == stepwise
    assert len(stepwise) == 16
    other.dispose()


async def test_a_restart_goes_on_at_what_is_open_and_changes_nothing(engine) -> None:
    write(engine, range(20, 40))
    market = Market(50)
    first = await journal(engine, market).catch_up()
    before = kept(engine)
    market.asked.clear()
    assert await journal(engine, market).catch_up() == 0
    assert market.asked == []
    market.hour = 120
    assert first + await journal(engine, market).catch_up() == 40 * len(HORIZONS)
    for number, told in before.items():
        assert kept(engine)[number][: len(told)] == told


async def test_little_is_asked_for(engine) -> None:
    write(engine, range(20, 60))
    market = Market(200)
    await journal(engine, market).catch_up()
    assert [(s, t) for s, t, *_ in market.asked] == [("BTC/USDT", "1h"), ("ETH/USDT", "1h")]
    assert all(n == 181 for *_, n, _ in market.asked)


async def test_corrected_bars_do_not_change_what_was_told(engine) -> None:
    write(engine, [30], symbols=["BTC/USDT"])
    market = Market(36)
    one = journal(engine, market)
    await one.catch_up()
    early = kept(engine)[1]
    values = BARS["BTC/USDT"].values.copy()
    values[31:, :4] += 500.0
    market.bars["BTC/USDT"] = Bars(BARS["BTC/USDT"].time, values, "1h", "BTC/USDT", "simulated")
    market.hour = 100
    await one.catch_up()
    late = kept(engine)[1]
    assert late[0] == early[0]
    assert all((o.barrier, o.right) == (BARRIERS[0], int(30 % 3 != 0)) for o in late[1:])


async def test_an_idea_whose_bars_never_come_is_closed_as_unknown_not_invented(engine) -> None:
    write(engine, [30], symbols=["GONE/USDT", "BTC/USDT"])
    market = Market(30 + HORIZONS[0] + PATIENCE_BARS)
    bars = BARS["BTC/USDT"]
    market.bars["BTC/USDT"] = Bars(
        np.delete(bars.time, 30), np.delete(bars.values, 30, axis=0), "1h", "", "simulated"
    )
    one = journal(engine, market)
    assert await one.catch_up() == 0
    market.hour += 1
    assert await one.catch_up() == 2
    assert [told[0].barrier for told in kept(engine).values()] == [UNKNOWN, UNKNOWN]
    market.hour = 30 + HORIZONS[-1] + PATIENCE_BARS + 1
    await one.catch_up()
    assert OutcomeRepository(engine, MARKET).tally().unknown == dict.fromkeys(HORIZONS, 2)
    assert await journal(engine, market).catch_up() == 0


async def test_an_idea_without_a_range_has_no_outcome(engine) -> None:
    write(engine, [30], atr=float("nan"))
    await journal(engine, Market(34)).catch_up()
    assert {o.barrier for told in kept(engine).values() for o in told} == {UNKNOWN}


async def test_a_market_that_does_not_answer_is_asked_again(engine) -> None:
    write(engine, [30])
    market = Market(200)
    one = journal(engine, market)
    market.fails = OpportunityError("no line")
    assert await one.catch_up() == 0
    market.fails = None
    assert await one.catch_up() == 2 * len(HORIZONS)
    assert UNKNOWN not in {o.barrier for told in kept(engine).values() for o in told}


async def test_a_market_without_such_history_is_as_one_without_the_symbol(engine) -> None:
    write(engine, [30], symbols=["BTC/USDT"])
    market = Market(200)
    market.fails = CoverageError("nothing there")
    await journal(engine, market).catch_up()
    assert {o.barrier for o in kept(engine)[1]} == {UNKNOWN}


def test_what_nobody_answers_for_is_given_up_in_the_end() -> None:
    due = [Due(1, 0, "BTC/USDT", "1h", 1, 2.0, 4)]
    assert judged(due, None, (4 + LAST_BARS) * HOUR) == []
    assert judged(due, None, (4 + LAST_BARS) * HOUR + 1)[0].barrier == UNKNOWN


async def test_long_stretches_are_asked_for_in_parts(engine, monkeypatch) -> None:
    monkeypatch.setattr(module, "MOST_BARS", 150)
    monkeypatch.setattr(module, "PAGE", 30)
    write(engine, range(20, 240, 2), symbols=["BTC/USDT"])
    market = Market(N - 1)
    await journal(engine, market).catch_up()
    assert len(market.asked) > 4
    assert all(n <= 150 for *_, n, _ in market.asked)
    told = kept(engine)
    assert len(told) == 110
    assert all(len(one) == len(HORIZONS) for one in told.values())


async def test_the_task_wakes_at_decision_closes(engine) -> None:
    write(engine, [30])
    market, told = Market(33), asyncio.Queue()
    one = journal(engine, market)
    task = asyncio.ensure_future(one.run(told.put))
    market.hour = 34
    one.heard(market.now())
    assert await asyncio.wait_for(told.get(), 10) == 2
    market.hour = 42
    one.heard(market.now() - 1)
    assert await asyncio.wait_for(told.get(), 10) == 2
    assert (one.n_judged, one.error) == (4, "")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_database_that_fails_is_told_and_tried_again(engine) -> None:
    market = Market(34)
    one = journal(engine, market)
    passes = asyncio.Queue()
    works = one._store.due

    def broken(*_):
        passes.put_nowait(None)
        raise OpportunityError("disk gone")

    one._store.due = broken
    told: asyncio.Queue = asyncio.Queue()
    task = asyncio.ensure_future(one.run(told.put))
    await asyncio.wait_for(passes.get(), 10)
    one.heard(market.now())
    await asyncio.wait_for(passes.get(), 10)  # the one before is over
    assert one.error == "disk gone"
    write(engine, [30])
    one._store.due = works
    one.heard(market.now() + HOUR)
    assert await asyncio.wait_for(told.get(), 10) == 2
    assert one.error == ""
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_nothing_is_done_before_the_feed_has_a_time(engine) -> None:
    market = Market(34)
    one = Journal(OutcomeRepository(engine, MARKET), market.history, lambda: 0, "1h")
    write(engine, [30])
    assert await one.catch_up() == 0

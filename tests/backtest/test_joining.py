from dataclasses import replace

import numpy as np
import pytest
from builders import HOUR, START, random_bars

from opportunity.backtest.history import History, prepare
from opportunity.market.bars import Bars
from opportunity.market.timeframe import length_ms
from opportunity.market.trust import FLAT


def cut(bars: Bars, hole: slice) -> Bars:
    keep = np.ones(len(bars), np.bool_)
    keep[hole] = False
    return replace(bars, time=bars.time[keep], values=bars.values[keep])


def history(*bars: Bars, start: int = 500, partial: bool = False) -> History:
    return prepare(
        list(bars), timeframes=("1h", "4h"), start=START + start * HOUR, partial=partial
    )


def test_each_decision_reads_the_newest_closed_bar_of_every_timeframe() -> None:
    made = history(random_bars(600))
    joined = made.joined
    assert len(joined) == 100
    assert made.joined is joined
    for f, stream in enumerate(made.streams[0]):
        closed = stream.closed[joined.rows[:, f]]
        assert (closed <= joined.time).all()
        assert (closed + length_ms(stream.timeframe) > joined.time).all()
    np.testing.assert_array_equal(joined.trust, 1.0)
    np.testing.assert_array_equal(joined.atr, made.streams[0][0].atr[-100:])
    assert not joined.flagged.any()


def test_the_bar_after_a_gap_is_flagged_and_trusted_less() -> None:
    made = history(cut(random_bars(600), slice(550, 560)))
    joined = made.joined
    (at,) = np.flatnonzero(joined.flagged)
    assert joined.time[at] == START + 561 * HOUR
    assert (joined.trust[:at] == 1).all()
    assert (joined.trust[at:, 0] < 1).all()


def test_a_stream_that_stands_still_is_not_read() -> None:
    """A symbol whose hours come again, while its last long bar is too old."""
    whole, torn = random_bars(600), cut(random_bars(600, seed=2), slice(520, 541))
    made = history(whole, torn.label(symbol="TORN/USDT"))
    joined = made.joined
    mine = joined.symbol == made.symbols.index("TORN/USDT")
    stale = mine & (joined.rows[:, 1] < 0)
    assert stale.any()
    assert (joined.rows[~mine] >= 0).all()
    assert (np.diff(np.flatnonzero(stale)) >= 1).all()
    assert (joined.time[stale] > START + 541 * HOUR).all()
    np.testing.assert_array_equal(joined.trust[stale, 1], 0.0)


def test_hours_in_which_nobody_trades_cost_trust() -> None:
    bars = random_bars(600)
    values = bars.values.copy()
    values[540:544, 4] = 0.0
    joined = history(replace(bars, values=values)).joined
    np.testing.assert_array_equal(joined.trust[:, 0][39:45], [1, 1, 1, FLAT, FLAT, 1])


def test_places_of_each_symbol_are_its_decisions() -> None:
    made = history(*(random_bars(600, seed=i).label(symbol=f"S{i}") for i in range(3)))
    joined = made.joined
    assert len(joined) == 300
    assert (np.diff(joined.batch * 3 + joined.symbol) > 0).all()
    for i, places in enumerate(joined.of_symbol):
        np.testing.assert_array_equal(places, np.flatnonzero(joined.symbol == i))


def test_one_decision_where_a_batch_makes_two_bars_known() -> None:
    """Of a single symbol: what was to close first, closes together with what came next."""
    base = length_ms("15m")
    start = START // length_ms("4h") * length_ms("4h")
    bars = Bars(start + base * np.arange(700), random_bars(700).values, "15m", "TEST/USDT")
    torn = cut(bars, slice(603, 607))  # the end of one hour, and the beginning of the next
    made = prepare(torn, timeframes=("1h",))
    stream, joined = made.streams[0][0], made.joined
    twice = np.flatnonzero(np.diff(stream.known) == 0)
    assert twice.size == 1
    assert (np.diff(joined.batch) > 0).all()
    assert twice[0] not in joined.rows[:, 0]
    assert twice[0] + 1 in joined.rows[:, 0]


def test_volume_is_that_of_the_24_hours_up_to_each_decision() -> None:
    """Of symbols with holes and of one that begins late; of base bars, not of longer ones."""
    torn = cut(random_bars(600, seed=2), slice(520, 541)).label(symbol="TORN/USDT")
    late = random_bars(600, seed=3)[505:].label(symbol="LATE/USDT")
    made = history(random_bars(600), torn, late, partial=True)
    joined = made.joined
    for k in range(0, len(joined), 7):
        mine = made.batches.symbol == joined.symbol[k]
        opened = made.batches.open_time[mine]
        known = opened[opened < joined.time[k]]
        inside = (opened > known[-1] - 24 * HOUR) & (opened <= known[-1])
        bars = made.batches.values[mine][inside]
        assert joined.volume[k] == (
            pytest.approx((bars[:, 3] * bars[:, 4]).sum(), rel=1e-12)
        )

import numpy as np
import pandas as pd
import pytest
from builders import mirrored, random_bars
from smc_bars import TICK, after_lead, events_of, told, walk

from opportunity.detectors.smc import Smc
from opportunity.detectors.smc_gaps import gap_quality
from opportunity.indicators import atr
from opportunity.market.bars import Bars
from opportunity.market.readers import read_bars

PLAIN = Smc(least_gap=0.0, merge=0)


def three(low: float):
    """Rows whose last bar has this low; the first of them has its high at 100.5."""
    return [(100, 100.5, 99.5, 100), (100, 102, 100, 102), (102, 103, low, 103)]


def test_gap_of_the_least_height_counts_and_one_tick_less_does_not():
    before = atr(after_lead(three(101)), 14)[-2]
    least = 100.5 + np.ceil(0.25 * before / TICK) * TICK
    assert told(events_of(after_lead(three(least + TICK)), "fvg")) == [(2, "fvg", 1, "active")]
    assert told(events_of(after_lead(three(least)), "fvg")) == [(2, "fvg", 1, "active")]
    assert told(events_of(after_lead(three(least - TICK)), "fvg")) == []


@pytest.mark.parametrize(("low", "n"), [(100.5 + TICK, 1), (100.5, 0), (100.5 - TICK, 0)])
def test_without_a_least_height_one_tick_is_a_gap_and_touching_is_none(low, n):
    assert len(events_of(after_lead(three(low)), "fvg", detector=PLAIN)) == n


def test_middle_bar_must_close_in_the_gap_direction():
    rows = [(100, 100.5, 99.5, 100), (102, 102, 101.25, 101.5), (102, 103, 101, 103)]
    assert events_of(after_lead(rows), "fvg") == []
    rows[1] = (101.5, 102, 101.25, 101.5)
    assert events_of(after_lead(rows), "fvg") == []


def test_gap_through_a_small_body_is_worth_less():
    jump = [(100, 100.5, 99.5, 100), (101.5, 102, 101.25, 101.75), (102, 103, 101, 103)]
    large, small = (events_of(after_lead(r), "fvg")[0] for r in (three(101), jump))
    assert large.zone == small.zone
    assert small.quality < 0.7 * large.quality


def test_quality_grows_with_height_between_bounds():
    rate = getattr(gap_quality, "py_func", gap_quality)
    values = [rate(size, True, 2.0) for size in (0.1, 0.5, 1.0, 2.0, 9.0)]
    assert values == [0.25, 0.25, 0.5, 1.0, 1.0]
    assert rate(1.0, False, 2.0) == 0.3


def test_gaps_of_one_side_within_two_bars_become_one():
    rows = walk(100, 100.5, 101.5, 102.5, 103.5, 104.5)
    events = events_of(after_lead(rows), "fvg")
    assert len({e.id for e in events}) == 1
    assert [e.state for e in events] == ["active"] * len(events)
    assert events[-1].zone == (103.5, 100.0)
    apart = events_of(after_lead(rows), "fvg", detector=Smc(merge=0))
    assert len({e.id for e in apart}) == len(apart) > 1


def test_a_gap_three_bars_later_is_another_one():
    still = [(103, 103.5, 102, 103)]
    next_gap = [(103, 105, 103, 105), (105, 106, 104, 105.5)]
    for pause, n in ((1, 2), (0, 1)):
        bars = after_lead(three(101), still * pause, next_gap)
        events = events_of(bars, "fvg")
        assert len({e.id for e in events}) == n, pause


def oracle(bars: Bars) -> list[tuple[int, int, float, float]]:
    """Gaps of the bars by the textbook, in pandas: (bar, side, top, bottom)."""
    f = pd.DataFrame(bars.values[:, :4], columns=["open", "high", "low", "close"])
    rising, falling = f.close.shift(1) > f.open.shift(1), f.close.shift(1) < f.open.shift(1)
    up = rising & (f.low > f.high.shift(2))
    down = falling & (f.high < f.low.shift(2))
    top = f.low.where(up, f.low.shift(2))
    bottom = f.high.shift(2).where(up, f.high)
    side = up.astype(int) - down.astype(int)
    return [(i, side[i], top[i], bottom[i]) for i in np.flatnonzero(up | down)]


def gaps(bars: Bars) -> list[tuple[int, int, float, float]]:
    """What the detector finds with no least height and no merging."""
    found = [e for e in PLAIN.events(bars) if e.kind == "fvg" and e.state == "active"]
    return [(e.bar, e.side, *e.zone) for e in found if e.zone]


@pytest.mark.parametrize("seed", range(3))
def test_finds_the_gaps_of_an_independent_count(seed):
    bars = random_bars(1500, seed=seed)
    expected = [g for g in oracle(bars) if g[0] >= 15]  # from the second ATR on
    assert gaps(bars) == expected
    assert len(expected) > 50
    assert {g[:2] for g in gaps(mirrored(bars))} == {(bar, -side) for bar, side, *_ in expected}


@pytest.mark.realdata
def test_finds_the_gaps_of_an_independent_count_on_recorded_bars(market_data):
    bars = read_bars(market_data / "binance" / "BTC-USDT" / "1h.parquet")
    expected = [g for g in oracle(bars) if g[0] >= 15]
    found = gaps(bars)
    assert len(expected) > 10_000
    assert set(found) <= set(expected)
    assert len(found) > 0.999 * len(expected)  # a bar with more than 8 events drops some

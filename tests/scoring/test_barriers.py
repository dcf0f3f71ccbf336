import numpy as np
import pytest
from builders import from_ohlc, mirrored, random_bars
from hypothesis import given, settings
from hypothesis import strategies as st

from opportunity.indicators import atr as atr_of
from opportunity.scoring.barriers import BARRIER, HORIZON, NOTHING, OPEN, Outcomes, outcomes
from opportunity.trading.levels import STOP_ATR, TARGETS_R, levels


def told(bars, atr, horizon, barrier):
    """The rules one entry at a time, in the words of the documentation."""
    rows = []
    for i in range(len(bars)):
        entry, away = bars.close[i], barrier * atr[i]
        answer = (np.nan, np.nan, OPEN)
        if not atr[i] > 0:
            rows.append((np.nan, np.nan, NOTHING))
            continue
        above, below = entry + away, entry - away
        for k in range(1, horizon + 1):
            if i + k >= len(bars):
                break
            opened, high, low, close = bars.values[i + k, :4]
            up, down = high >= above, low <= below
            if opened >= above:
                answer = (1.0, 0.0, i + k)
            elif opened <= below:
                answer = (0.0, 1.0, i + k)
            elif up and down:
                answer = (0.0, 0.0, i + k)
            elif up:
                answer = (1.0, 0.0, i + k)
            elif down:
                answer = (0.0, 1.0, i + k)
            elif k == horizon:
                answer = (float(close > entry), float(close < entry), i + k)
            else:
                continue
            break
        rows.append(answer)
    return [np.array(column) for column in zip(*rows, strict=True)]


def agree(found, wanted):
    np.testing.assert_array_equal(found.right_if_long, wanted[0])
    np.testing.assert_array_equal(found.right_if_short, wanted[1])
    np.testing.assert_array_equal(found.resolved, wanted[2])


@pytest.mark.parametrize(("horizon", "barrier"), [(24, 1.5), (1, 0.5), (5, 3.0), (60, 0.25)])
def test_every_bar_equals_the_rules_written_out(horizon, barrier):
    bars = random_bars(800, seed=horizon)
    atr = atr_of(bars)
    agree(outcomes(bars, atr, horizon, barrier), told(bars, atr, horizon, barrier))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(*[st.integers(1, 12)] * 4), min_size=1, max_size=30),
    st.sampled_from([0.0, 1.0, 2.0, 4.0, float("nan")]), st.integers(1, 6),
    st.sampled_from([0.5, 1.0, 2.0]),
)
def test_any_small_chart_equals_the_rules_written_out(rows, atr, horizon, barrier):
    prices = [(o, max(o, h, low, c), min(o, h, low, c), c) for o, h, low, c in rows]
    bars, atrs = from_ohlc(np.array(prices, float) + 10), np.full(len(rows), atr)
    agree(outcomes(bars, atrs, horizon, barrier), told(bars, atrs, horizon, barrier))


def chart(*bars):
    """Bars after a first one that closes at 100, as (open, high, low, close)."""
    return from_ohlc([(100, 100, 100, 100), *bars])


@pytest.mark.parametrize(
    ("bars", "long", "short", "at"),
    [
        ([(100, 101, 99, 100), (100, 102, 99, 101)], 1, 0, 2),  # up first
        ([(100, 101, 99, 100), (100, 101, 98, 99), (99, 105, 99, 104)], 0, 1, 2),  # down first
        ([(100, 102, 98, 100)], 0, 0, 1),  # both inside one bar: against either side
        ([(102, 103, 97, 98)], 1, 0, 1),  # it opened beyond: the order is known
        ([(98, 103, 97, 102)], 0, 1, 1),
        ([(100, 101, 99, 100), (100, 101, 99, 100), (100, 101, 99, 101)], 1, 0, 3),  # time, above
        ([(100, 101, 99, 100), (100, 101, 99, 100), (100, 101, 99, 99)], 0, 1, 3),
        ([(100, 101, 99, 100), (100, 101, 99, 100), (100, 101, 99, 100)], 0, 0, 3),  # stood still
    ],
)
def test_hand_drawn_charts(bars, long, short, at):
    found = outcomes(chart(*bars), np.full(len(bars) + 1, 1.0), horizon=3, barrier=2.0)
    assert (found.right_if_long[0], found.right_if_short[0], found.resolved[0]) == (long, short, at)


def test_what_is_not_known_yet_is_nan():
    found = outcomes(chart((100, 101, 99, 100)), np.array([1.0, 1.0]), horizon=3, barrier=2.0)
    assert np.isnan(found.right_if_long).all()
    assert found.resolved.tolist() == [OPEN, OPEN]
    assert np.isnan(found.right(np.array([1, -1]))).all()


def test_reflected_prices_exchange_both_sides_exactly():
    bars = random_bars(3_000, seed=5)
    atr = np.maximum(np.rint(atr_of(bars) * 16) / 16, 1 / 16)  # on the grid: no rounding
    one, other = outcomes(bars, atr), outcomes(mirrored(bars), atr)
    np.testing.assert_array_equal(one.right_if_long, other.right_if_short)
    np.testing.assert_array_equal(one.right_if_short, other.right_if_long)
    np.testing.assert_array_equal(one.resolved, other.resolved)


def test_later_bars_never_change_what_is_resolved():
    bars = random_bars(500, seed=9)
    atr = atr_of(bars)
    whole = outcomes(bars, atr)
    for cut in (1, 14, 120, 400, 499):
        part = outcomes(bars[:cut], atr[:cut])
        known = part.resolved >= 0
        np.testing.assert_array_equal(part.resolved[known], whole.resolved[:cut][known])
        np.testing.assert_array_equal(part.right_if_long[known], whole.right_if_long[:cut][known])
        assert (whole.resolved[:cut][part.resolved == OPEN] >= cut).sum() == (
            (part.resolved == OPEN).sum() - (whole.resolved[:cut] == OPEN).sum()
        )


def test_right_picks_the_side_that_was_called():
    found = Outcomes(np.array([1.0, 0, 0, 1]), np.array([0.0, 1, 0, 0]), np.arange(4))
    np.testing.assert_array_equal(
        found.right(np.array([0.3, -0.2, 1, 0])), [1, 1, 0, np.nan]
    )
    assert len(found) == 4


def test_barriers_are_the_stop_and_the_first_target_of_a_signal():
    assert (BARRIER, TARGETS_R[0]) == (STOP_ATR, 1.0)
    placed = levels(1, 100.0, 2.0)
    assert placed.entry - placed.stop == placed.targets[0] - placed.entry == BARRIER * 2.0


def test_coin_tosses_are_right_half_of_the_time():
    bars = random_bars(30_000, seed=3)
    found = outcomes(bars, atr_of(bars))
    for right in (found.right_if_long, found.right_if_short):
        assert np.nanmean(right) == pytest.approx(0.5, abs=0.02)
    life = (found.resolved - np.arange(len(bars)))[found.resolved >= 0]
    assert life.min() >= 1
    assert life.max() == HORIZON


@pytest.mark.parametrize(
    ("given", "text"),
    [({"horizon": 0}, "horizon must be >= 1 bar, was 0"), ({"barrier": 0.0}, "barrier must be > 0"),
     ({"atr": np.ones(3)}, "atr must be of shape")],
)
def test_arguments_out_of_range_are_refused(given, text):
    bars = random_bars(20)
    with pytest.raises(ValueError, match=text):
        outcomes(bars, **({"atr": np.ones(20)} | given))

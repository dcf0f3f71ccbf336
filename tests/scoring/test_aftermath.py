from dataclasses import replace

import numpy as np
import pytest
from builders import from_ohlc, mirrored, random_bars
from hypothesis import given, settings
from hypothesis import strategies as st

from opportunity.indicators import atr as atr_of
from opportunity.market.bars import Bars
from opportunity.scoring.aftermath import (
    BARRIERS,
    BOTH,
    DOWN,
    HORIZONS,
    KNOWN,
    MISSING,
    OPEN,
    TIME,
    UP,
    aftermath,
    r_of,
    winner,
)
from opportunity.scoring.barriers import BARRIER, outcomes
from opportunity.scoring.forward import forward_moves

N = 400


@pytest.mark.parametrize("horizon", HORIZONS)
def test_outcomes_are_those_that_success_is_learned_from(horizon: int) -> None:
    bars = random_bars(N, seed=horizon)
    atr = atr_of(bars, 14)
    rows = np.flatnonzero(np.isfinite(atr))[:-horizon]
    sides = np.where(np.random.default_rng(1).random(rows.size) < 0.5, 1, -1)
    found = aftermath(bars, bars.close_time[rows], sides, atr[rows], horizon)
    wanted = outcomes(bars, atr, horizon)
    full = np.zeros(N)
    full[rows] = sides
    assert (found.state == KNOWN).all()
    np.testing.assert_array_equal(found.right, wanted.right(full)[rows])
    np.testing.assert_array_equal(found.known, bars.close_time[wanted.resolved[rows]])
    moves = forward_moves(bars, atr, [horizon])[0][rows] * sides
    np.testing.assert_allclose(found.move_atr, moves, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found.move * bars.close[rows], moves * atr[rows], atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), horizon=st.integers(1, 30), tick=st.sampled_from([0.0625, 8.0]))
def test_every_idea_is_told_bar_by_bar(seed: int, horizon: int, tick: float) -> None:
    """The plain words once more: read the bars that follow, one after the other."""
    bars = random_bars(80, seed=seed, tick=tick)
    atr = np.full(80, 12.0)
    rows = np.arange(80 - horizon)
    sides = np.where(np.random.default_rng(seed).random(rows.size) < 0.5, 1, -1)
    found = aftermath(bars, bars.close_time[rows], sides, atr[rows], horizon)
    for i, side in zip(rows.tolist(), sides.tolist(), strict=True):
        entry, reach, said = bars.close[i], BARRIER * 12.0, TIME
        for j in range(i + 1, i + 1 + horizon):
            up, down = bars.high[j] >= entry + reach, bars.low[j] <= entry - reach
            if not (up or down):
                continue
            if bars.open[j] >= entry + reach or (up and not down):
                said = UP
            elif bars.open[j] <= entry - reach or (down and not up):
                said = DOWN
            else:
                said = BOTH
            break
        assert BARRIERS[found.barrier[i]] == BARRIERS[said]
        gone = side * (bars.close[i + horizon] - entry)
        won = {UP: side > 0, DOWN: side < 0, BOTH: False, TIME: gone > 0}[said]
        assert found.right[i] == won
        after = slice(i + 1, i + 1 + horizon)
        along = [bars.high[after].max() - entry, entry - bars.low[after].min()][:: side]
        assert found.best[i] == max(0.0, along[0]) / 12.0
        assert found.worst[i] == -max(0.0, along[1]) / 12.0


def test_a_mirrored_market_wins_on_the_other_side() -> None:
    bars = random_bars(200, seed=5)
    rows = np.arange(20, 150)
    atr, sides = np.full(rows.size, 16.0), np.where(rows % 3 == 0, 1, -1)
    one = aftermath(bars, bars.close_time[rows], sides, atr, 24)
    other = aftermath(mirrored(bars), bars.close_time[rows], -sides, atr, 24)
    for name in ("right", "known", "move_atr", "best", "worst"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_nothing_is_told_before_the_whole_horizon_is_there_and_nothing_changes_later() -> None:
    bars = random_bars(120, seed=2)
    at, side, atr = bars.close_time[[40]], np.array([1]), np.array([1.0])  # touched at once
    whole = aftermath(bars, at, side, atr, 24)
    for n in range(41, 120):
        part = aftermath(bars[:n], at, side, atr, 24)
        if n <= 64:
            assert part.state[0] == OPEN
            assert np.isnan(part.right[0])
        else:
            for name in ("right", "known", "move", "move_atr", "best", "worst"):
                assert getattr(part, name)[0] == getattr(whole, name)[0]


def test_a_bar_that_is_gone_or_has_no_range_is_missing_and_one_to_come_is_open() -> None:
    bars = random_bars(60)
    holed = Bars(
        np.delete(bars.time, 10), np.delete(bars.values, 10, axis=0), "1h", "A/USDT", "simulated"
    )
    later = int(bars.close_time[-1]) + 3_600_000
    closes = np.array([bars.close_time[10], bars.close_time[20], later, bars.close_time[21]])
    found = aftermath(holed, closes, np.ones(4), np.array([1.0, np.nan, 1.0, 1.0]), 4)
    assert found.state.tolist() == [MISSING, MISSING, OPEN, KNOWN]
    nothing = aftermath(holed[:0], closes, np.ones(4), np.ones(4), 4)
    assert (nothing.state == OPEN).all()


def test_the_horizon_counts_bars_across_a_gap() -> None:
    bars = random_bars(60, seed=3)
    time = bars.time.copy()
    time[30:] += 10 * 3_600_000
    gapped = replace(bars, time=time)
    rows = np.arange(20, 40)
    ask = np.ones(rows.size), np.full(rows.size, 9.0), 12
    one = aftermath(bars, bars.close_time[rows], *ask)
    two = aftermath(gapped, gapped.close_time[rows], *ask)
    np.testing.assert_array_equal(one.right, two.right)
    np.testing.assert_array_equal(one.move, two.move)


def test_r_is_one_stop_distance() -> None:
    barrier = np.array([UP, UP, DOWN, BOTH, TIME, TIME])
    right = np.array([1.0, 0.0, 1.0, 0.0, 1.0, 0.0])
    move = np.array([9.0, 9.0, 9.0, 9.0, 0.75, -0.3])
    assert r_of(barrier, right, move).tolist() == [1.0, -1.0, 1.0, -1.0, 0.5, -0.3 / 1.5]


def test_both_in_one_bar_count_against_either_side() -> None:
    flat = [100.0, 100.0, 100.0, 100.0]
    bars = from_ohlc([flat, [100.0, 110.0, 90.0, 100.0], flat, flat])
    for side in (1, -1):
        found = aftermath(bars, bars.close_time[:1], np.array([side]), np.array([2.0]), 2)
        assert (found.barrier[0], found.right[0]) == (BOTH, 0.0)
        assert r_of(found.barrier, found.right, found.move_atr)[0] == -1.0


def test_the_winner_is_who_was_right_whichever_side_is_asked() -> None:
    bars = random_bars(300, seed=9, tick=8.0)
    rows = np.arange(20, 270)
    sides = np.where(np.random.default_rng(3).random(rows.size) < 0.5, 1, -1)
    atr = np.full(rows.size, 10.0)
    ask = bars.close_time[rows]
    found = aftermath(bars, ask, sides, atr, 12)
    won = winner(found.barrier, sides, found.move_atr)
    other = aftermath(bars, ask, -sides, atr, 12)
    np.testing.assert_array_equal(won == sides, found.right == 1)
    np.testing.assert_array_equal(won == -sides, other.right == 1)
    assert {BOTH, TIME, UP, DOWN} == set(found.barrier.tolist())
    assert (won[found.barrier == BOTH] == 0).all()

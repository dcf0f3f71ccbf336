"""Hit rates and rank correlations against numbers from elsewhere; intervals against truth."""

import numpy as np
import pytest
from builders import from_ohlc, random_bars
from scipy import stats

from opportunity.indicators import atr
from opportunity.scoring.forward import (
    CELL_BARS,
    Hindsight,
    deciles,
    forward_moves,
    knowledge,
    ranks,
)


def stream(score, move, confidence=None, n_horizons=1):
    score, move = np.asarray(score, float), np.asarray(move, float)
    trust = np.full(score.size, 0.3) if confidence is None else np.asarray(confidence, float)
    moves = np.tile(move, (n_horizons, 1))
    return Hindsight(np.arange(score.size) // CELL_BARS, score[:, None], trust[:, None], moves)


def pair(n, seed, tie=0.3):
    """Scores with many zeros and ties, and moves that know a little of them."""
    rng = np.random.default_rng(seed)
    score = np.round(np.where(rng.random(n) < tie, 0.0, rng.uniform(-1, 1, n)), 2)
    score[(np.abs(score) < 0.02)] = 0.0
    return score, 0.3 * score + rng.standard_normal(n)


def test_moves_are_counted_in_atr_of_the_calling_bar():
    bars = random_bars(300, seed=2)
    a = atr(bars, 14)
    moves = forward_moves(bars, a, (1, 24))
    assert moves.shape == (2, 300)
    assert moves[1, 100] == pytest.approx((bars.close[124] - bars.close[100]) / a[100])
    assert np.isnan(moves[1, -24:]).all()
    assert np.isfinite(moves[1, 14:-24]).all()
    assert np.isnan(moves[:, :14]).all()
    flat = from_ohlc(np.full((50, 4), 5.0))
    assert np.isnan(forward_moves(flat, np.zeros(50), (6,))).all()
    with pytest.raises(ValueError, match="horizons must be >= 1 bar, was 0"):
        forward_moves(bars, a, (0,))


def test_ranks_are_those_of_scipy():
    values, _ = pair(500, 1)
    np.testing.assert_array_equal(ranks(values), stats.rankdata(values))


def test_information_coefficient_is_spearmans():
    several = [stream(*pair(n, seed)) for n, seed in ((900, 1), (700, 2))]
    found = knowledge(several, (6,), n_draws=50).information
    expected = [stats.spearmanr(s.scores[:, 0], s.moves[0]).statistic for s in several]
    assert found.value[0, 0] == pytest.approx(np.mean(expected), abs=1e-12)


def test_hit_rate_and_move_by_hand():
    score = [0.5, -0.5, 0.5, -0.2, 0.0, 0.01, np.nan, 0.4]
    move = [1.0, 1.0, -2.0, -3.0, 4.0, 5.0, 6.0, 0.0]
    found = knowledge([stream(score, move)], (6,), n_draws=20)
    assert found.calls[0, 0] == 5  # 0 and below the dead band say nothing
    assert found.hit_rate.value[0, 0] == pytest.approx((1 + 0 + 0 + 1 + 0.5) / 5)
    assert found.move.value[0, 0] == pytest.approx((1 - 1 - 2 + 3 + 0) / 5)
    up = (4 + 0.5) / 7  # of all bars with a score
    assert found.chance[0, 0] == pytest.approx(0.6 * up + 0.4 * (1 - up))
    assert found.edge.value[0, 0] == pytest.approx(0.5 - found.chance[0, 0])


def test_a_detector_that_is_always_long_has_no_edge_in_a_rising_market():
    move = np.abs(np.random.default_rng(1).standard_normal(2_000)) - 0.2
    found = knowledge([stream(np.full(2_000, 0.5), move)], (24,), n_draws=50)
    assert found.hit_rate.value[0, 0] > 0.7
    assert found.edge.value[0, 0] == pytest.approx(0.0, abs=1e-12)
    assert np.isnan(found.information.value[0, 0])  # a score that never varies orders nothing


def test_knowing_the_future_is_seen_and_its_mirror_too():
    rng = np.random.default_rng(5)
    move = rng.standard_normal(3_000)
    for side in (1, -1):
        found = knowledge([stream(side * np.tanh(move), move)], (6,), n_draws=100)
        assert found.information.value[0, 0] == pytest.approx(side)
        assert found.hit_rate.value[0, 0] == pytest.approx(0.5 + 0.5 * side, abs=0.02)


def overlapping(seed, horizon, n=3_000, slow=0.95):
    """A score that lasts and moves that overlap: no information at all, and few honest bars."""
    rng = np.random.default_rng(seed)
    noise, level, score = rng.standard_normal(n), 0.0, np.empty(n)
    for i in range(n):
        level = slow * level + np.sqrt(1 - slow**2) * noise[i]
        score[i] = level
    walk = np.cumsum(rng.standard_normal(n))
    move = np.full(n, np.nan)
    move[:-horizon] = walk[horizon:] - walk[:-horizon]
    return stream(np.tanh(score), move)


@pytest.mark.parametrize("horizon", [6, 24])
def test_intervals_hold_the_truth_about_as_often_as_they_say(horizon):
    held = {"edge": 0, "move": 0, "information": 0}
    wide = narrow = 0.0
    n = 200
    for seed in range(n):
        judged = overlapping(seed, horizon)
        found = knowledge([judged], (horizon,), n_draws=200, seed=seed)
        for name in held:
            bounded = getattr(found, name)
            held[name] += bounded.low[0, 0] <= 0.0 <= bounded.high[0, 0]
        wide += float(found.hit_rate.high[0, 0] - found.hit_rate.low[0, 0])
        narrow += 2 * 1.96 * 0.5 / np.sqrt(found.calls[0, 0])
    for name, count in held.items():
        assert 0.86 <= count / n <= 0.99, (name, count / n)
    assert wide > 1.5 * narrow  # single bars drawn one by one would promise far too much


def test_symbols_that_move_together_do_not_narrow_an_interval():
    one = overlapping(3, 24)
    alone, twice = (knowledge([one] * k, (24,), n_draws=200) for k in (1, 2))
    np.testing.assert_allclose(twice.hit_rate.low, alone.hit_rate.low)
    np.testing.assert_allclose(twice.information.high, alone.information.high)
    assert twice.calls[0, 0] == 2 * alone.calls[0, 0]


def test_the_same_seed_gives_the_same_bounds():
    found = [knowledge([overlapping(1, 6)], (6,), 100, seed).edge.low for seed in (1, 1, 2)]
    np.testing.assert_array_equal(found[0], found[1])
    assert found[0] != found[2]


def test_nothing_said_is_nan():
    found = knowledge([stream(np.full(300, np.nan), np.ones(300))], (6,), n_draws=20)
    assert found.calls[0, 0] == 0
    for bounded in (found.hit_rate, found.edge, found.move, found.information):
        assert np.isnan(bounded.value).all()
        assert np.isnan(bounded.low).all()


def test_deciles_sort_calls_by_confidence():
    rng = np.random.default_rng(8)
    n = 8_000
    trust = rng.random(n)
    right = rng.random(n) < 0.4 + 0.3 * trust
    score = np.where(rng.random(n) < 0.5, 0.5, -0.5)
    move = np.where(right, score, -score)
    score[:500] = 0.0  # no calls
    found = deciles([stream(score, move, trust)], 0, 0, 6, n_draws=100)
    assert found.calls.sum() == n - 500
    assert np.ptp(found.calls) <= 1
    np.testing.assert_allclose(found.confidence, np.arange(0.05, 1, 0.1), atol=0.02)
    np.testing.assert_allclose(found.hit_rate.value, 0.4 + 0.3 * found.confidence, atol=0.06)
    assert (found.hit_rate.low < found.hit_rate.value).all()
    assert (found.hit_rate.high > found.hit_rate.value).all()
    nothing = deciles([stream(np.zeros(50), np.ones(50))], 0, 0, 6, n_draws=10)
    assert nothing.calls.size == 0

import numpy as np
import pytest

from opportunity.backtest.sweep_score import (
    DOUBT,
    LANES,
    NEAR,
    NEAR_SMALL,
    NEAR_SPREAD,
    NEAR_VARIANCE,
    SMALL_SPREAD,
    screen,
    sums,
)
from opportunity.scoring.ensemble import combine

N = 4_096


def drawn(seed: int, alike: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Scores and confidences, some unavailable, some of confidence 0; alike: hardly any spread."""
    rng = np.random.default_rng(seed)
    scores = rng.uniform(-1, 1, (N, 9))
    if alike:
        scores = rng.uniform(-1, 1, (N, 1)) + rng.uniform(-1, 1, (N, 9)) * 10.0 ** -rng.uniform(
            1, 7, (N, 1)
        )
        scores = np.clip(scores, -1, 1)
    confidences = rng.random((N, 9)) * np.where(rng.random((N, 1)) < 0.3, 1e-12, 1.0)
    confidences[rng.random((N, 9)) < 0.1] = 0.0
    gone = rng.random((N, 9)) < 0.2
    scores[gone] = confidences[gone] = np.nan
    return scores, confidences


def groups_of(scores: np.ndarray, confidences: np.ndarray) -> np.ndarray:
    h, c = np.nan_to_num(scores), np.nan_to_num(confidences)
    parts = np.concatenate([c, c * h, c * h * h], axis=1)
    return np.ascontiguousarray(
        parts.reshape(N // LANES, LANES, 27).transpose(0, 2, 1).astype(np.float32)
    )


@pytest.mark.parametrize("alike", [False, True])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_sums_keep_within_their_bounds(seed, alike):
    scores, confidences = drawn(seed, alike)
    weights = np.random.default_rng(seed + 9).dirichlet(np.full(9, 0.5))
    weights[weights < 1e-9] = 0.0
    exact = combine(
        scores, confidences, np.full(N, np.nan), np.nan, weights, np.ones(9, np.bool_)
    )
    net, confidence, spread = np.empty((3, N), np.float32)
    sums(
        groups_of(scores, confidences), (weights / weights.sum()).astype(np.float32),
        net, confidence, spread,
    )  # fmt: skip
    there = np.isfinite(exact.net)
    assert np.abs(net - exact.net)[there].max() < NEAR / 2
    away = np.abs(spread - exact.disagreement)[there]
    assert np.abs(spread**2 - exact.disagreement**2)[there].max() < NEAR_VARIANCE / 2
    small = spread[there] < SMALL_SPREAD
    assert away[~small].max(initial=0) < NEAR_SPREAD
    assert away[small].max(initial=0) < NEAR_SMALL
    slack = np.where(small, NEAR_SMALL, NEAR_SPREAD)
    assert (np.abs(confidence - exact.confidence)[there] <= slack).all()
    if alike:
        assert small.sum() > N / 3


@pytest.mark.parametrize("alike", [False, True])
def test_screen_is_right_or_in_doubt(alike):
    scores, confidences = drawn(4, alike)
    rng = np.random.default_rng(5)
    n_sure = n_doubt = 0
    for _ in range(20):
        weights = rng.dirichlet(np.ones(9))
        exact = combine(
            scores, confidences, np.full(N, np.nan), np.nan, weights, np.ones(9, np.bool_)
        )
        least, asked, widest = rng.uniform(0.2, 0.5), rng.uniform(0, 0.5), rng.uniform(0.2, 0.8)
        wanted = np.where(
            (exact.strength >= least) & (exact.confidence >= asked)
            & (exact.disagreement <= widest), np.sign(exact.net), 0
        )  # fmt: skip
        codes = np.empty(N, np.int8)
        screen(
            groups_of(scores, confidences), weights.astype(np.float32), np.float32(least),
            np.float32(widest * widest), np.full(N, 2 * asked, np.float32), codes,
        )
        sure = codes != DOUBT
        np.testing.assert_array_equal(codes[sure], wanted[sure])
        n_sure += np.count_nonzero(codes[sure])
        n_doubt += np.count_nonzero(~sure)
    assert n_sure > 1_000
    assert n_doubt < (0.01 if alike else 0.001) * 20 * N


def test_screen_doubts_what_lies_on_a_bound():
    scores = np.tile(np.where(np.arange(9) % 2 == 0, 0.6, 0.2), (N, 1))
    confidences = np.full((N, 9), 0.5)
    weights = np.full(9, 1 / 9)
    exact = combine(scores, confidences, np.nan, np.nan, weights, np.ones(9, np.bool_))
    net, agreed, spread = (
        float(v[0]) for v in (exact.net, exact.confidence, exact.disagreement)
    )
    bounds = [(net, 0.1, 0.5), (0.2, agreed, 0.5), (0.2, 0.1, spread)]
    for least, asked, widest in bounds:
        codes = np.empty(N, np.int8)
        screen(
            groups_of(scores, confidences), weights.astype(np.float32), np.float32(least),
            np.float32(widest * widest), np.full(N, 2 * asked, np.float32), codes,
        )
        assert (codes == DOUBT).all()


def test_screen_never_enters_where_it_must_not():
    scores, confidences = drawn(6)
    codes = np.empty(N, np.int8)
    screen(
        groups_of(scores, confidences), np.full(9, 1 / 9, np.float32), np.float32(0.2),
        np.float32(4), np.full(N, np.inf, np.float32), codes,
    )
    assert not codes.any()

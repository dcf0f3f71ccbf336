import numpy as np
import pytest
from builders import random_bars

from opportunity.backtest.fit_samples import samples_of, uniqueness
from opportunity.market.resample import resample
from opportunity.scoring.barriers import outcomes
from opportunity.scoring.ensemble import score

BARS = random_bars(700, seed=3)


def test_samples_are_evidence_and_outcome_of_the_same_bar():
    scored = score(BARS)
    found = samples_of(scored, 24, 1.5)
    known = outcomes(BARS, scored.evidence.atr)
    at = np.searchsorted((BARS.time - BARS.time[0]) // 3_600_000, found.start)
    np.testing.assert_array_equal(found.right_if_long, known.right_if_long[at])
    np.testing.assert_array_equal(found.right_if_short, known.right_if_short[at])
    expected = np.nan_to_num(scored.evidence.confidences * scored.combined.gated)[at]
    np.testing.assert_array_equal(found.evidence, expected[:, found.active])
    assert (found.end > found.start).all()
    assert not found.active[6:].any()  # no headlines, no funding, no prints
    ended = (BARS.time[known.resolved[at]] - BARS.time[0]) // 3_600_000
    np.testing.assert_array_equal(found.end, ended)


def test_samples_do_not_know_what_came_after_their_labels():
    found, cut = samples_of(BARS, 24, 1.5), samples_of(BARS[:500], 24, 1.5)
    last = (BARS.time[499] - BARS.time[0]) // 3_600_000
    kept = found.take(found.end <= last)
    for name in ("evidence", "right_if_long", "right_if_short", "start", "end"):
        np.testing.assert_array_equal(getattr(kept, name), getattr(cut, name))


def test_every_call_is_made_up_and_down():
    found = samples_of(BARS, 24, 1.5)
    x, right, weight = found.calls()
    np.testing.assert_array_equal(x[: len(found)], -x[len(found) :])
    assert right.sum() == found.right_if_long.sum() + found.right_if_short.sum()
    assert weight.sum() == pytest.approx(found.weight.sum())


def test_streams_are_pooled_on_one_clock():
    later = BARS[200:]
    both = samples_of([BARS, later], 24, 1.5)
    assert len(both) > len(samples_of(BARS, 24, 1.5))
    gap = (later.time[0] - BARS.time[0]) // 3_600_000
    assert both.start[len(samples_of(BARS, 24, 1.5)) :].min() >= gap


def test_uniqueness_is_the_share_of_time_that_is_a_labels_own():
    alone = uniqueness(np.array([0, 4]), np.array([4, 8]), 10)
    np.testing.assert_allclose(alone, 1.0)
    twice = uniqueness(np.array([0, 0]), np.array([4, 4]), 10)
    np.testing.assert_allclose(twice, 0.5)
    half = uniqueness(np.array([0, 2]), np.array([4, 6]), 10)
    np.testing.assert_allclose(half, 0.75)


def test_uniqueness_sums_to_the_time_that_is_covered():
    rng = np.random.default_rng(2)
    first = rng.integers(0, 480, 300)
    last = first + rng.integers(1, 20, 300)
    found = uniqueness(first, last, 500)
    covered = np.zeros(500, bool)
    for a, b in zip(first, last, strict=True):
        covered[a + 1 : b + 1] = True
    assert (found * (last - first)).sum() == pytest.approx(covered.sum())


def test_what_cannot_be_learnt_from_is_refused():
    with pytest.raises(ValueError, match="one stream or more"):
        samples_of([], 24, 1.5)
    with pytest.raises(ValueError, match="one known timeframe"):
        samples_of([BARS, resample(BARS, "4h")], 24, 1.5)
    with pytest.raises(ValueError, match="evidence with a known outcome"):
        samples_of(BARS[:50], 24, 1.5)

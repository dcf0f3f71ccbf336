import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from opportunity.errors import CalibrationError
from opportunity.scoring.reliability import Reliability, auc, bins_of, improvement, reliability


def sample(n=4_000, seed=1, sharp=1.0):
    """Probabilities that are right as often as they say, drawn apart by `sharp`."""
    rng = np.random.default_rng(seed)
    chance = rng.beta(8, 8, n)
    right = (rng.random(n) < chance).astype(float)
    return np.clip(0.5 + sharp * (chance - 0.5), 0, 1), right


def test_curve_and_scores_equal_scikit_learn():
    stated, right = sample(sharp=1.6)
    found = reliability(stated, right, n_draws=10)
    share, mean = calibration_curve(right, stated, n_bins=10, strategy="quantile")
    np.testing.assert_allclose(found.observed, share, atol=1e-12)
    np.testing.assert_allclose(found.stated, mean, atol=1e-12)
    assert found.brier == pytest.approx(brier_score_loss(right, stated), abs=1e-12)
    assert found.log_loss == pytest.approx(log_loss(right, stated), abs=1e-12)
    assert found.auc == pytest.approx(roc_auc_score(right, stated), abs=1e-12)
    assert found.ece == pytest.approx(np.abs(found.count / 4_000 * (share - mean)).sum())
    assert found.count.sum() == found.n == 4_000


def test_ties_equal_scikit_learn():
    stated, right = sample()
    stated = stated.round(1)
    found = reliability(stated, right, n_draws=10)
    share, mean = calibration_curve(right, stated, n_bins=10, strategy="quantile")
    np.testing.assert_allclose(found.observed, share, atol=1e-12)
    np.testing.assert_allclose(found.stated, mean, atol=1e-12)
    assert found.auc == pytest.approx(roc_auc_score(right, stated), abs=1e-12)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60),
    st.integers(1, 12),
)
def test_the_terms_add_up_to_the_brier_score(rows, n_bins):
    stated, right = np.array([p for p, _ in rows]), np.array([float(r) for _, r in rows])
    found = reliability(stated, right, n_bins=n_bins, n_draws=3)
    total = (
        found.miscalibration - found.resolution + found.uncertainty
        + found.within_variance - found.within_covariance
    )
    assert total == pytest.approx(found.brier, abs=1e-12)
    assert found.brier == pytest.approx(np.mean((stated - right) ** 2), abs=1e-12)
    assert 0 <= found.ece <= 1


def test_terms_written_out_by_hand():
    stated = np.array([0.1, 0.3, 0.7, 0.9])
    right = np.array([0.0, 1.0, 0.0, 1.0])
    found = reliability(stated, right, n_bins=2, n_draws=3)
    assert found.stated.tolist() == pytest.approx([0.2, 0.8])
    assert found.observed.tolist() == [0.5, 0.5]
    assert found.miscalibration == pytest.approx(0.3**2)
    assert (found.resolution, found.uncertainty) == (0.0, 0.25)
    assert found.within_variance == pytest.approx(0.1**2)
    assert found.within_covariance == pytest.approx(2 * 0.5 * 0.1)
    assert found.ece == pytest.approx(0.3)
    assert found.skill == pytest.approx(1 - found.brier / 0.25)


def test_closed_forms():
    half = reliability(np.full(1_000, 0.5), np.arange(1_000) % 2.0, n_draws=10)
    assert (half.brier, half.ece, half.auc, half.skill) == (0.25, 0.0, 0.5, 0.0)
    assert half.log_loss == pytest.approx(np.log(2))
    sure = reliability(np.arange(1_000) % 2.0, np.arange(1_000) % 2.0, n_draws=10)
    assert (sure.brier, sure.ece, sure.auc, sure.skill) == (0.0, 0.0, 1.0, 1.0)
    wrong = reliability(1 - np.arange(1_000) % 2.0, np.arange(1_000) % 2.0, n_draws=10)
    assert (wrong.brier, wrong.ece, wrong.auc) == (1.0, 1.0, 0.0)
    assert np.isfinite(wrong.log_loss)


def test_overconfidence_shows_in_the_miscalibration_only():
    honest = reliability(*sample(200_000), n_draws=10)
    loud = reliability(*sample(200_000, sharp=2.0), n_draws=10)
    assert honest.miscalibration < 1e-4 < 0.01 < loud.miscalibration
    assert loud.resolution == pytest.approx(honest.resolution, rel=0.01)  # the order is the same
    assert loud.auc == pytest.approx(honest.auc, abs=1e-3)
    assert honest.ece < 0.01 < 0.08 < loud.ece


def test_bounds_hold_the_truth_as_often_as_they_say():
    """Outcomes that come in runs of 8 with one common luck: single draws would be too sure."""
    inside, narrow = [], []
    for seed in range(150):
        rng = np.random.default_rng(seed)
        luck = np.repeat(rng.choice([0.3, 0.7], 150), 8)
        right = (rng.random(1_200) < luck).astype(float)
        stated = np.full(1_200, 0.5)
        low, high = reliability(stated, right, block=24, n_draws=300).intervals["hit_rate"]
        inside.append(low <= 0.5 <= high)
        low, high = reliability(stated, right, block=1, n_draws=300).intervals["hit_rate"]
        narrow.append(low <= 0.5 <= high)
    assert 0.88 <= np.mean(inside) <= 0.99
    assert np.mean(narrow) < np.mean(inside) - 0.03


def test_perfect_probabilities_stay_under_what_chance_makes_of_them():
    under = [
        (found := reliability(*sample(2_000, seed), n_draws=200)).ece < found.ece_chance
        for seed in range(100)
    ]
    assert 0.88 <= np.mean(under) <= 1.0
    loud = reliability(*sample(2_000, sharp=2.5), n_draws=200)
    assert loud.ece > 2 * loud.ece_chance
    low, high = loud.intervals["ece"]
    assert low < loud.ece < high


def test_rows_of_one_moment_are_drawn_together():
    stated, right = sample(500)
    twenty = np.repeat(stated, 20), np.repeat(right, 20)
    one = reliability(stated, right, np.arange(500), block=1)
    many = reliability(*twenty, np.repeat(np.arange(500), 20), block=1)
    np.testing.assert_allclose(many.intervals["brier"], one.intervals["brier"], rtol=1e-9)
    np.testing.assert_allclose(many.low, one.low, atol=1e-9)
    alone = reliability(*twenty, block=1)  # as if they were 10,000 outcomes
    ratio = np.diff(alone.intervals["brier"]) / np.diff(one.intervals["brier"])
    assert ratio[0] == pytest.approx(20**-0.5, rel=0.15)


def test_rows_with_gaps_are_passed_over_and_order_does_not_matter():
    stated, right = sample(600)
    at = np.arange(600)
    plain = reliability(stated, right, at)
    order = np.random.default_rng(2).permutation(600)
    shuffled = reliability(stated[order], right[order], at[order])
    for name, bounds in plain.intervals.items():
        assert shuffled.intervals[name] == pytest.approx(bounds, abs=1e-12)
    np.testing.assert_allclose(shuffled.low, plain.low, atol=1e-12)
    holes = reliability(
        np.r_[np.nan, stated, 0.3], np.r_[1.0, right, np.nan], np.r_[-1, at, 600]
    )
    assert holes.brier == plain.brier
    assert holes.intervals == plain.intervals


def test_improvement_is_the_difference_with_bounds():
    stated, right = sample(20_000, sharp=2.5)
    honest, _ = sample(20_000)
    gain, (low, high) = improvement(stated, honest, right, n_draws=500)
    assert gain == pytest.approx(np.mean((stated - right) ** 2) - np.mean((honest - right) ** 2))
    assert 0 < low < gain < high
    none, (low, high) = improvement(honest, honest, right, n_draws=50)
    assert (none, low, high) == (0, 0, 0)
    stated[:5_000] = np.nan
    part, _ = improvement(stated, honest, right, n_draws=50)
    assert part == pytest.approx(
        np.mean((stated[5_000:] - right[5_000:]) ** 2 - (honest[5_000:] - right[5_000:]) ** 2)
    )


def test_one_sided_outcomes_have_no_order():
    found = reliability(np.array([0.2, 0.8]), np.array([1.0, 1.0]), n_draws=3)
    assert np.isnan(found.auc)
    assert np.isnan(found.skill)
    assert np.isnan(auc(np.array([0.5]), np.array([0.0])))


def test_it_survives_json():
    found = reliability(*sample(300), n_draws=20)
    again = Reliability.from_dict(json.loads(json.dumps(found.as_dict())))
    assert again.as_dict() == found.as_dict()
    with pytest.raises(CalibrationError, match="brier"):
        Reliability.from_dict({k: v for k, v in found.as_dict().items() if k != "brier"})
    lone = reliability(np.array([0.2, 0.8]), np.array([1.0, 1.0]), n_draws=3).as_dict()
    assert np.isnan(Reliability.from_dict(lone | {"auc": None}).auc)


@pytest.mark.parametrize(
    ("stated", "right", "text"),
    [([], [], "one whole row"), ([1.2], [1], "must lie in"), ([0.5], [2], "must be 0 or 1"),
     ([0.5, 0.5], [1], "of one shape"), ([np.nan], [1], "one whole row")],
)
def test_what_is_no_probability_is_refused(stated, right, text):
    with pytest.raises(ValueError, match=text):
        reliability(np.array(stated, float), np.array(right, float))


def test_bins_hold_equal_counts():
    assert np.bincount(bins_of(np.random.default_rng(1).random(1_000), 8)).tolist() == [125] * 8
    with pytest.raises(ValueError, match="n_bins must be >= 1"):
        bins_of(np.ones(3), 0)

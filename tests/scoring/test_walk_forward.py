from dataclasses import replace

import numpy as np
import pytest
from builders import random_bars
from calling import HOUR, made_calls

from opportunity.scoring.calibrator import METHODS, fit
from opportunity.scoring.calls import NEVER, calls_of, pooled
from opportunity.scoring.ensemble import score
from opportunity.scoring.walk_forward import walk_forward


def rising(strength):
    return 0.4 + 0.5 * strength


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("window", [None, 1_200])
def test_later_calls_never_change_an_earlier_success(method, window):
    calls = made_calls(4_000, chance=rising, life=12)
    whole = walk_forward(calls, method, step=300, window=window, least=50)
    assert np.isfinite(whole.success).mean() > 0.7
    for cut in (900, 1_501, 2_222, 3_999):
        seen = calls.take(slice(0, cut))
        late = seen.known > seen.at[-1]  # what was open then
        part = replace(
            seen, known=np.where(late, NEVER, seen.known),
            right=np.where(late, np.nan, seen.right), weight=np.where(late, np.nan, seen.weight),
        )
        found = walk_forward(part, method, step=300, window=window, least=50)
        np.testing.assert_array_equal(found.success, whole.success[:cut])


def test_later_bars_never_change_an_earlier_success():
    """From bars on: scores, outcomes, weights of calls and fits together."""
    several = [random_bars(2_600, seed=s) for s in (1, 2)]

    def success(cut):
        calls = pooled([calls_of(score(bars[:cut])) for bars in several])
        return walk_forward(calls, step=200, least=20).success.reshape(2, cut)

    whole = success(2_600)
    assert np.isfinite(whole).mean() > 0.6
    for cut in (701, 1_333, 2_300):
        np.testing.assert_allclose(success(cut), whole[:, :cut], atol=1e-12)


def test_outcomes_that_were_not_known_yet_do_not_train():
    """Two histories part at bar 3,000: nobody can tell before a horizon has passed."""
    turned = made_calls(6_000, life=1, chance=lambda s: 0.3 + 0.4 * (np.arange(s.size) >= 3_000))
    went_on = made_calls(6_000, life=1, chance=lambda s: 0.3 + 0 * s)
    assert (turned.right[:3_000] == went_on.right[:3_000]).all()
    for embargo in (0, 100):
        one, other = (
            walk_forward(c, step=10, window=1_000, embargo=embargo).success
            for c in (turned, went_on)
        )
        learns = 3_000 + 24 + embargo
        assert (one[1_000:learns] == other[1_000:learns]).all()
        assert (one[learns + 20 : learns + 60] > other[learns + 20 : learns + 60]).all()


def test_each_fold_is_what_a_fit_of_its_past_says():
    calls = made_calls(3_000, chance=rising, life=20)
    found = walk_forward(calls, step=500, least=20)
    begin = calls.at[0] + 1_500 * HOUR
    past = calls.take(
        calls.resolved & (calls.known <= begin) & (calls.at + 24 * HOUR <= begin)
    )
    fold = slice(1_500, 2_000)
    np.testing.assert_allclose(
        found.success[fold], fit(past, least=20).predict(calls.take(fold)), atol=1e-12
    )
    assert np.isnan(found.success[:500]).all()
    assert found.n_folds == 5


def test_the_last_calibrator_knows_all_that_is_known():
    calls = made_calls(3_000, chance=rising)
    found = walk_forward(calls)
    kept = found.calibrator
    assert kept.known <= calls.at[-1]
    assert kept.n_calls == (calls.resolved & (calls.at + 24 * HOUR <= calls.at[-1])).sum()
    assert found.refused == ""
    last = walk_forward(calls, folds=False)
    np.testing.assert_array_equal(last.calibrator.knots, kept.knots)
    assert last.n_folds == 0
    assert np.isnan(last.success).all()


def test_folds_with_too_few_outcomes_stay_uncalibrated():
    calls = made_calls(1_000)
    found = walk_forward(calls, step=50, least=200)
    first = int(np.flatnonzero(np.isfinite(found.success))[0])
    enough = calls.take(calls.resolved & (np.arange(1_000) <= first - 24))
    assert fit(enough).n_effective >= 200
    assert enough.weight.sum() < 230  # and not much later than it could
    few = walk_forward(made_calls(150), step=50)
    assert few.calibrator is None
    assert "effective outcomes must be >= 200" in few.refused
    assert not few.tested.any()


def test_bars_that_call_nothing_are_nobody_s():
    calls = made_calls(50)
    nothing = replace(calls, strength=np.full(50, np.nan), right=np.full(50, np.nan))
    found = walk_forward(nothing)
    assert found.refused == "no call in the bars"
    gaps = made_calls(3_000, chance=rising)
    strength, right = gaps.strength.copy(), gaps.right.copy()
    strength[::7] = right[::7] = np.nan
    success = walk_forward(replace(gaps, strength=strength, right=right), least=50).success
    assert np.isnan(success[::7]).all()
    assert np.isfinite(success[1_002::7]).all()


def test_the_order_of_calls_does_not_matter():
    calls = made_calls(3_000, chance=rising)
    order = np.random.default_rng(1).permutation(3_000)
    np.testing.assert_allclose(
        walk_forward(calls.take(order)).success, walk_forward(calls).success[order], atol=1e-12
    )


def test_stated_success_is_right_as_often_as_it_says():
    calls = made_calls(40_000, chance=rising, life=3)
    found = walk_forward(calls)
    rows = found.tested
    assert np.corrcoef(found.success[rows], rising(calls.strength[rows]))[0, 1] > 0.9
    assert found.success[rows].mean() == pytest.approx(calls.right[rows].mean(), abs=0.01)


@pytest.mark.parametrize("given", [{"step": 0}, {"window": 0}, {"embargo": -1}])
def test_numbers_out_of_range_are_refused(given):
    with pytest.raises(ValueError, match=f"{next(iter(given))} must be >="):
        walk_forward(made_calls(100), **given)

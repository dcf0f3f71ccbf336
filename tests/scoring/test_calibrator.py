import json
from dataclasses import replace

import numpy as np
import pytest
from calling import made_calls
from hypothesis import given
from hypothesis import strategies as st

from opportunity.errors import CalibrationError
from opportunity.scoring.calibrator import (
    LEAST,
    METHODS,
    PRIOR,
    PRIOR_OUTCOMES,
    Calibrator,
    effective,
    features,
    fit,
)
from opportunity.scoring.calls import pooled


def rising(strength):
    return 0.4 + 0.5 * strength


@pytest.mark.parametrize("method", METHODS)
def test_a_planted_curve_is_found(method):
    calls = made_calls(60_000, chance=rising, life=1)
    stated = fit(calls, method).predict(calls)
    away = np.abs(stated - rising(calls.strength))
    inner = (calls.strength > 0.05) & (calls.strength < 0.6)
    assert away[inner].mean() < 0.02
    assert away[inner].max() < 0.06


@pytest.mark.parametrize("method", METHODS)
def test_without_information_everything_is_near_the_hit_rate(method):
    calls = made_calls(20_000, seed=3)
    fitted = fit(calls, method)
    stated = fitted.predict(calls)
    assert np.abs(stated - 0.5).max() < 0.03
    assert fitted.hit_rate == pytest.approx(np.nanmean(calls.right), abs=0.01)


def test_the_isotonic_curve_never_falls_and_ends_flat():
    fitted = fit(made_calls(20_000, chance=lambda s: 0.6 - 0.3 * s), "isotonic")
    strengths, success = fitted.knots
    assert (np.diff(success) >= 0).all()
    assert (np.diff(strengths) > 0).all()
    assert strengths.size <= 20
    ends = replace(made_calls(3), strength=np.array([0.0, 1.0, np.nan]))
    np.testing.assert_array_equal(fitted.predict(ends), [success[0], success[-1], np.nan])


def test_a_step_is_drawn_to_the_hit_rate_by_the_prior():
    """Two strengths, one wrong and one right: the outcome of each, and 400 in the middle."""
    calls = made_calls(10_000, life=1)
    strength = np.where(np.arange(10_000) % 2, 0.8, 0.2)
    right = np.where(calls.resolved, strength > 0.5, np.nan)
    fitted = fit(replace(calls, strength=strength, right=right, against=1 - right))
    each = fitted.n_effective / 2
    low = PRIOR_OUTCOMES * 0.5 / (each + PRIOR_OUTCOMES)
    np.testing.assert_allclose(fitted.knots, [[0.2, 0.8], [low, 1 - low]], atol=2e-3)


def test_equal_strengths_share_a_step():
    calls = made_calls(6_000, life=1)
    strength = np.repeat([0.1, 0.5, 0.9], [3_000, 2_900, 100])
    fitted = fit(replace(calls, strength=strength))
    assert set(fitted.knots[0].round(12)) == {0.1, 0.5, 0.9}


def test_the_priors_say_the_same():
    spread = np.sqrt(0.25 / PRIOR_OUTCOMES)
    assert spread == pytest.approx(PRIOR / 4, rel=0.01)  # slope of the logistic curve: p (1 - p)


@pytest.mark.parametrize("method", METHODS)
def test_too_few_outcomes_are_refused(method):
    with pytest.raises(CalibrationError, match=r"effective outcomes must be >= 200, was \d+"):
        fit(made_calls(150), method)
    with pytest.raises(CalibrationError, match="was 0"):
        fit(made_calls(300, chance=lambda s: s * 0 + 1), method)  # all alike teach nothing
    with pytest.raises(CalibrationError, match="was 0"):
        fit(made_calls(300).take(slice(0)), method)


def test_unknown_method_is_named():
    with pytest.raises(ValueError, match="Did you mean 'isotonic'"):
        fit(made_calls(2_000), "isotonik")


def test_independent_calls_are_worth_their_number():
    calls = made_calls(40_000, life=1)
    known = calls.take(calls.resolved)
    assert effective(known) == pytest.approx(len(known), rel=0.1)


def test_overlapping_calls_and_twin_symbols_are_worth_less():
    long = made_calls(20_000, life=9)
    long = long.take(long.resolved)
    assert effective(long) < 0.35 * len(long)
    assert effective(long) == pytest.approx(float(long.weight.sum()), rel=1e-9)
    one = made_calls(20_000, life=1)
    one = one.take(one.resolved)
    assert effective(pooled([one] * 5)) == pytest.approx(effective(one), rel=0.1)  # five times one


def test_success_does_not_know_the_side():
    calls = made_calls(5_000, chance=rising)
    assert features(calls).shape == (5_000, 4)
    assert not any("side" in name or "net" in name for name in ("strength", "confidence"))


@given(st.integers(0, 30))
def test_neither_is_the_share_where_no_side_was_right(percent):
    calls = made_calls(3_000)
    none = np.arange(3_000) % 100 < percent
    right = np.where(none & calls.resolved, 0.0, calls.right)
    against = np.where(none & calls.resolved, 0.0, calls.against)
    fitted = fit(replace(calls, right=right, against=against), least=1)
    assert fitted.neither == pytest.approx(percent / 100, abs=0.02)


@pytest.mark.parametrize("method", METHODS)
def test_it_survives_json(method):
    calls = made_calls(5_000, chance=rising)
    fitted = fit(calls, method)
    text = json.dumps(fitted.as_dict()).replace("Infinity", "null")  # as the file has it
    again = Calibrator.from_dict(json.loads(text))
    np.testing.assert_array_equal(again.predict(calls), fitted.predict(calls))
    for name in ("timeframe", "n_calls", "n_effective", "start", "end", "known", "neither"):
        assert getattr(again, name) == getattr(fitted, name)
    assert fitted.start <= fitted.end <= fitted.known


@pytest.mark.parametrize(
    ("broken", "text"),
    [({"method": "x"}, "method must be a known name"), ({"knots": [[0.1], []]}, "readable"),
     ({"knots": [[0.3, 0.2], [0.5, 0.6]]}, "not of a calibrator"), ({"timeframe": "7h"}, "7h"),
     ({"knots": [[0.1, 0.2], [0.5, None]]}, "not of a calibrator")],
)
def test_a_damaged_record_is_refused(broken, text):
    values = fit(made_calls(5_000)).as_dict() | broken
    with pytest.raises(CalibrationError, match=text):
        Calibrator.from_dict(values)


def test_a_record_cut_short_is_refused():
    values = fit(made_calls(5_000), "logistic").as_dict()
    with pytest.raises(CalibrationError, match="knots"):
        Calibrator.from_dict({k: v for k, v in values.items() if k != "knots"})
    with pytest.raises(CalibrationError, match="not of a calibrator"):
        Calibrator.from_dict(values | {"coefficients": [1.0]})


def test_the_least_is_what_the_documentation_says():
    assert np.sqrt(0.25 / LEAST) == pytest.approx(0.035, abs=0.001)

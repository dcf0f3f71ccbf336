"""The arithmetic of the score against the same formulas written out slowly, and its symmetry."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opportunity.contracts import DETECTOR_NAMES
from opportunity.scoring.combination import (
    AGREED,
    BEAR,
    BULL,
    COVERAGE,
    DISAGREEMENT,
    FINAL,
    GATES,
    N_COLUMNS,
    NET,
    STRENGTH,
    advise,
    combine_rows,
    gate_table,
    gated_score,
)

D = len(DETECTOR_NAMES)
BALANCED = np.array([0.15, 0.15, 0.2, 0.1, 0.15, 0.1, 0.1, 0.03, 0.02])
ALL = np.ones(D, np.bool_)


def run(scores, confidences, trend, volatility, weights=BALANCED, exists=ALL):
    scores = np.atleast_2d(np.asarray(scores, float))
    n = len(scores)
    gated, parts = np.empty((2, n, D))
    columns = np.empty((N_COLUMNS, n))
    sides, advices = np.empty((2, n), np.int8)
    combine_rows(
        scores, np.atleast_2d(np.asarray(confidences, float)),
        np.broadcast_to(np.asarray(trend, float), n).copy(),
        np.broadcast_to(np.asarray(volatility, float), n).copy(),
        np.asarray(weights, float), exists, gate_table(), gated, parts, columns, sides, advices,
    )
    return gated, parts, columns, sides, advices


def slowly(scores, confidences, trend, volatility, weights, exists):
    """design.md 5 in plain Python, one row."""
    h, wc, ws = {}, {}, {}
    for i, name in enumerate(DETECTOR_NAMES):
        s = scores[i]
        if not exists[i] or math.isnan(s):
            continue
        g = 1.0
        if name in ("fibonacci", "harmonic") and volatility > 0.8:
            g = 0.7
        if name in ("smc", "elliott", "sar") and trend != 0 and s != 0:
            g = 1.2 if (s > 0) == (trend > 0) else 0.8
        if name in ("elliott", "sar") and trend == 0:
            g = 0.5
        h[i] = max(-1.0, min(1.0, g * s))
        wc[i] = weights[i] * confidences[i]
        ws[i] = weights[i]
    if not h:
        return None
    mass = math.fsum(wc.values())
    base = math.fsum(w for w, e in zip(weights, exists, strict=True) if e)
    coverage = math.fsum(ws.values()) / base if base else 0.0
    if mass == 0:
        return {"net": 0.0, "confidence": 0.0, "disagreement": 0.0, "coverage": coverage,
                "parts": dict.fromkeys(h, 0.0)}
    parts = {i: wc[i] * h[i] / mass for i in h}
    net = math.fsum(parts.values())
    spread = math.sqrt(math.fsum(wc[i] * (h[i] - net) ** 2 for i in h) / mass)
    return {
        "net": net, "parts": parts, "disagreement": spread, "coverage": coverage,
        "confidence": mass / math.fsum(ws.values()) * (1 - 0.5 * spread) * coverage,
    }


def random_rows(rng, n):
    scores = rng.uniform(-1, 1, (n, D))
    scores[rng.random((n, D)) < 0.15] = 0.0
    scores[rng.random((n, D)) < 0.3] = np.nan
    confidences = np.where(np.isnan(scores), np.nan, rng.random((n, D)))
    confidences[rng.random((n, D)) < 0.1] = 0.0
    confidences[np.isnan(scores)] = np.nan
    return scores, confidences, rng.integers(-1, 2, n).astype(float), rng.random(n)


def test_rows_equal_the_formulas_written_out():
    rng = np.random.default_rng(1)
    scores, confidences, trend, volatility = random_rows(rng, 3_000)
    exists = ALL.copy()
    exists[7] = False
    weights = rng.random(D)
    gated, parts, columns, sides, _ = run(scores, confidences, trend, volatility, weights, exists)
    for k in range(len(scores)):
        want = slowly(scores[k], confidences[k], trend[k], volatility[k], weights, exists)
        if want is None:
            assert np.isnan(columns[:, k]).all()
            assert sides[k] == 0
            continue
        for row, name in ((NET, "net"), (AGREED, "confidence"), (DISAGREEMENT, "disagreement"),
                          (COVERAGE, "coverage")):
            assert columns[row, k] == pytest.approx(want[name], rel=1e-12, abs=1e-14), name
        there = ~np.isnan(parts[k])
        assert set(np.flatnonzero(there)) == set(want["parts"])
        np.testing.assert_allclose(parts[k][there], list(want["parts"].values()), atol=1e-15)
        np.testing.assert_array_equal(there, ~np.isnan(gated[k]))


def test_net_is_the_contributions_added_in_order():
    rng = np.random.default_rng(2)
    _, parts, columns, _, _ = run(*random_rows(rng, 5_000))
    for k, row in enumerate(parts):
        if np.isnan(row).all():
            continue
        net = 0.0
        for part in row[~np.isnan(row)].tolist():
            net += part
        assert net == columns[NET, k]
        assert columns[FINAL, k] == (1 + net) / 2
        assert columns[STRENGTH, k] == abs(net)
        assert columns[BULL, k] - columns[BEAR, k] == pytest.approx(net, abs=1e-12)


number = st.floats(-1, 1) | st.sampled_from([0.0, 1.0, -1.0, float("nan")])
share = st.floats(0, 1) | st.sampled_from([0.0, 1.0])
weight = st.floats(0, 5) | st.sampled_from([0.0, 5e-324, 1e-300, 1e12])


def nine(element):
    return st.lists(element, min_size=D, max_size=D).map(np.array)


@settings(max_examples=400, deadline=None)
@given(nine(number), nine(share), nine(weight), st.sampled_from([-1.0, 0.0, 1.0]), share)
def test_negated_evidence_gives_the_negated_score(scores, confidences, weights, trend, volatility):
    there = run(scores, confidences, trend, volatility, weights)
    mirrored = run(-scores, confidences, -trend, volatility, weights)
    np.testing.assert_array_equal(mirrored[1], -there[1])
    np.testing.assert_array_equal(mirrored[2][NET], -there[2][NET])
    for row in (STRENGTH, AGREED, DISAGREEMENT, COVERAGE):
        np.testing.assert_array_equal(mirrored[2][row], there[2][row])
    np.testing.assert_array_equal(mirrored[2][BULL], there[2][BEAR])
    final = there[2][FINAL, 0]
    if not math.isnan(final):
        assert abs(mirrored[2][FINAL, 0] - (1 - final)) <= math.ulp(1.0)


@settings(max_examples=400, deadline=None)
@given(nine(number), nine(share), nine(weight), st.sampled_from([-1.0, 0.0, 1.0]), share)
def test_numbers_stay_in_their_ranges(scores, confidences, weights, trend, volatility):
    _, parts, columns, _, _ = run(scores, confidences, trend, volatility, weights)
    if np.isnan(scores).all():
        assert np.isnan(columns).all()
        return
    assert -1 <= columns[NET, 0] <= 1
    for row in (FINAL, STRENGTH, AGREED, DISAGREEMENT, COVERAGE):
        assert 0 <= columns[row, 0] <= 1
    assert abs(np.nansum(parts) - columns[NET, 0]) <= 1e-12


def test_unanimous_extremes_stay_within_one():
    rng = np.random.default_rng(3)
    confidences, n = rng.random((20_000, D)), 20_000
    _, parts, columns, _, _ = run(np.ones((n, D)), confidences, 1, 0.5, rng.random(D))
    assert columns[NET].max() <= 1
    assert columns[NET].min() >= 1 - 1e-14
    total = np.zeros(n)
    for i in range(D):
        total += parts[:, i]
    np.testing.assert_array_equal(total, columns[NET])


def test_nothing_available_is_not_a_number():
    gated, parts, columns, sides, advices = run([np.nan] * D, [np.nan] * D, 1, 0.5)
    assert np.isnan(columns).all()
    assert np.isnan(parts).all()
    assert np.isnan(gated).all()
    assert (sides[0], advices[0]) == (0, 0)


def test_a_flat_market_is_neutral_without_confidence():
    _, parts, columns, sides, _ = run([0.0] * D, [0.0] * D, 0, 0.5)
    assert columns[:, 0].tolist() == [0.5, 0, 0, 0, 0, 1, 0, 0]
    assert parts[0].tolist() == [0] * D
    assert sides[0] == 0


def test_weights_of_zero_everywhere_are_neutral():
    _, _, columns, _, _ = run([0.5] * D, [0.5] * D, 0, 0.5, weights=np.zeros(D))
    assert columns[:, 0].tolist() == [0.5, 0, 0, 0, 0, 0, 0, 0]


def test_an_unavailable_detector_gives_its_weight_to_the_others():
    scores = np.full(D, np.nan)
    scores[[4, 5]] = 0.5
    _, _, columns, _, _ = run(scores, np.where(np.isnan(scores), np.nan, 0.6), 1, 0.5)
    # price_action .15 x .5, sar .10 x 1.2 x .5, over .25
    assert columns[NET, 0] == pytest.approx((0.15 * 0.5 + 0.10 * 0.6) / 0.25)
    assert columns[COVERAGE, 0] == pytest.approx(0.25)


def test_detectors_that_do_not_exist_are_not_missed():
    scores = np.full(D, np.nan)
    scores[[4, 5]] = 0.5
    exists = np.isfinite(scores)
    _, _, columns, _, _ = run(scores, np.where(exists, 0.6, np.nan), 1, 0.5, exists=exists)
    assert columns[COVERAGE, 0] == 1
    scores[0] = 1.0  # speaks without existing, say after its feed was cut
    again = run(scores, np.full(D, 0.6), 1, 0.5, exists=exists)[2]
    np.testing.assert_array_equal(again, columns)


@pytest.mark.parametrize(
    ("name", "score", "trend", "volatility", "gate"),
    [
        ("harmonic", 0.5, 1, 0.81, 0.7),
        ("harmonic", 0.5, 1, 0.8, 1),
        ("fibonacci", -0.5, 0, 0.9, 0.7),
        ("smc", 0.5, 1, 0.9, 1.2),
        ("smc", -0.5, 1, 0.1, 0.8),
        ("smc", -0.5, -1, 0.1, 1.2),
        ("smc", 0.5, 0, 0.5, 1),
        ("elliott", 0.5, 0, 0.5, 0.5),
        ("elliott", 0.5, -1, 0.5, 0.8),
        ("sar", -0.5, 0, 0.5, 0.5),
        ("sar", -0.5, -1, 0.5, 1.2),
        ("sar", 0.5, math.nan, math.nan, 1),
        ("price_action", 0.5, 1, 0.9, 1),
        ("sentiment", 0.5, -1, 0.9, 1),
        ("news", 0.5, 0, 0.9, 1),
        ("whales", 0.5, 0, 0.1, 1),
    ],
)
def test_gates(name, score, trend, volatility, gate):
    row = gate_table()[DETECTOR_NAMES.index(name)]
    assert gated_score(score, float(trend), float(volatility), row) == gate * score


def test_gates_cut_at_one():
    row = gate_table()[DETECTOR_NAMES.index("sar")]
    assert gated_score(0.9, 1.0, 0.5, row) == 1.0
    assert gated_score(-0.9, -1.0, 0.5, row) == -1.0


def test_gates_name_known_detectors():
    assert set(GATES) <= set(DETECTOR_NAMES)


@pytest.mark.parametrize(
    ("final", "side"), [(0.6, 1), (0.5999, 0), (0.4, -1), (0.4001, 0), (0.5, 0), (1, 1), (0, -1)]
)
def test_direction_begins_at_its_bounds(final, side):
    scores = np.full(D, np.nan)
    scores[4] = 2 * final - 1
    _, _, columns, sides, _ = run(scores, np.where(np.isnan(scores), np.nan, 0.5), 0, 0.5)
    assert columns[FINAL, 0] == pytest.approx(final)
    assert sides[0] == side


@pytest.mark.parametrize(
    ("final", "side", "disagreement", "trend", "advice"),
    [
        (0.65, 1, 0.5, 0, 1),
        (0.649, 1, 0.5, 0, 0),
        (0.649, 1, 0.5, 1, 1),
        (0.649, 1, 0.5, -1, 0),
        (0.9, 1, 0.501, 1, 0),
        (0.35, -1, 0.5, 0, -1),
        (0.351, -1, 0.5, 0, 0),
        (0.351, -1, 0.5, -1, -1),
        (0.351, -1, 0.5, 1, 0),
        (0.1, -1, 0.501, -1, 0),
        (0.59, 0, 0.0, 1, 0),
        (0.41, 0, 0.0, -1, 0),
    ],
)
def test_advice(final, side, disagreement, trend, advice):
    assert advise(final, side, disagreement, float(trend)) == advice

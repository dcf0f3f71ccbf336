"""The ensemble over real detectors, and the arrays around the kernel."""

import numpy as np
import pytest
from builders import random_bars
from observed import observations

from opportunity.contracts import DETECTOR_NAMES
from opportunity.detectors import DETECTORS
from opportunity.market.bars import Bars
from opportunity.market.observations import Funding
from opportunity.scoring.ensemble import combine, score, weight_array
from opportunity.scoring.presence import existing
from opportunity.scoring.weights import Weights

D = len(DETECTOR_NAMES)
HOUR = 3_600_000


def walk(n=400, seed=0, timeframe="1h", step=HOUR):
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, n)))
    open_ = np.concatenate([[100.0], close])[:n]
    high = np.maximum(open_, close) * (1 + rng.random(n) * 0.004)
    low = np.minimum(open_, close) * (1 - rng.random(n) * 0.004)
    time = np.arange(n, dtype=np.int64) * step
    return Bars.from_arrays(time, open_, high, low, close, rng.random(n) * 10,
                            timeframe=timeframe, symbol="BTC/USDT")


def test_score_needs_a_hundred_bars():
    found = score(walk())
    assert len(found) == 400
    for name in ("final", "net", "confidence", "strength", "disagreement", "coverage"):
        values = getattr(found, name)
        assert np.isnan(values[:99]).all(), name
        assert np.isfinite(values[99:]).all(), name
    assert set(found.direction[:99]) == {"NEUTRAL"}
    assert found.contributions.shape == (400, D)


def test_detectors_without_records_are_absent_not_neutral():
    found = score(walk())
    there = existing()
    assert there.tolist() == [not d.needs for d in DETECTORS]
    np.testing.assert_array_equal(found.evidence.exists, there)
    assert np.isnan(found.contributions[:, ~there]).all()
    assert np.isfinite(found.contributions[99:, there]).all()
    assert (found.coverage[99:] == 1).all()


def test_records_make_their_detectors_part_of_the_score():
    bars = random_bars(600, seed=3)
    known = observations(bars)
    plain, told = score(bars), score(bars, observations=iter(known))
    assert told.evidence.exists.all()
    assert np.isfinite(told.contributions[99:]).all()
    assert np.abs(told.net - plain.net)[99:].max() > 0.01
    joined = {d.name: d().observe(bars, known) for d in DETECTORS if d.needs}
    np.testing.assert_array_equal(score(bars, observations=joined).net, told.net)


def test_a_detector_that_fell_silent_lowers_the_coverage():
    bars = random_bars(600, seed=3)
    end = int(bars.time[200])
    early = [r for r in observations(bars) if isinstance(r, Funding) and r.available_at < end]
    found = score(bars, observations=early)
    sentiment = DETECTOR_NAMES.index("sentiment")
    silent = np.isnan(found.contributions[:, sentiment])
    assert silent[300:].all()
    assert not silent[150:200].any()
    assert found.coverage[300] < found.coverage[150] == 1


def test_contributions_added_in_order_are_net():
    found = score(walk())
    net = np.zeros(len(found) - 99)
    for i in np.flatnonzero(existing()):
        net += found.contributions[99:, i]
    np.testing.assert_array_equal(net, found.net[99:])
    np.testing.assert_array_equal(found.final, (1 + found.net) / 2)


def test_later_bars_never_change_a_score():
    bars = walk(350)
    whole = score(bars)
    for cut in (100, 173, 349):
        part = score(bars[:cut])
        np.testing.assert_array_equal(part.final, whole.final[:cut])
        np.testing.assert_array_equal(part.contributions, whole.contributions[:cut])


def test_reflected_prices_give_the_negated_score():
    # On a dyadic grid no rounding can excuse a difference.
    bars = walk(600, seed=4)
    values = bars.values.copy()
    values[:, :4] = np.round(values[:, :4] * 64) / 64
    values[:, 1] = values[:, :4].max(axis=1)
    values[:, 2] = values[:, :4].min(axis=1)
    mirrored, m = values.copy(), values[:, 1].max() + values[:, 2].min()
    mirrored[:, [0, 3]] = m - values[:, [0, 3]]
    mirrored[:, 1], mirrored[:, 2] = m - values[:, 2], m - values[:, 1]
    there, back = (score(Bars(bars.time, v, "1h")) for v in (values, mirrored))
    assert np.abs(there.net[99:]).max() > 0.1
    np.testing.assert_allclose(back.net, -there.net, atol=1e-9)
    np.testing.assert_allclose(back.confidence, there.confidence, atol=1e-9)


def test_weights_by_mapping_object_and_array_agree():
    bars = walk()
    by_name = score(bars, {"sar": 0.5})
    np.testing.assert_array_equal(by_name.net, score(bars, Weights(sar=0.5)).net)
    evidence = by_name.evidence
    again = combine(evidence.scores, evidence.confidences, evidence.trend, evidence.volatility,
                    Weights(sar=0.5).as_array())
    np.testing.assert_array_equal(again.net, by_name.net)
    assert not np.array_equal(by_name.net, score(bars).net, equal_nan=True)


def test_timeframe_labels_or_resamples():
    plain = walk().label(timeframe=None)
    assert score(plain).timeframe is None
    assert score(plain, timeframe="1h").timeframe == "1h"
    found = score(walk(800), timeframe="4h")
    assert (found.timeframe, len(found)) == ("4h", 200)
    with pytest.raises(ValueError, match="timeframe must be made of whole bars of 1h, was 15m"):
        score(walk(), timeframe="15m")
    with pytest.raises(ValueError, match="timeframe must be a known name, was '1x'"):
        score(walk(), timeframe="1x")


@pytest.mark.parametrize("n", [0, 1, 99])
def test_short_series_have_no_score(n):
    found = score(walk(n))
    assert found.final.shape == (n,)
    assert np.isnan(found.final).all()


def test_a_flat_market_is_neutral():
    n = 150
    flat = np.full(n, 100.0)
    bars = Bars.from_arrays(np.arange(n) * HOUR, flat, flat, flat, flat, flat, timeframe="1h")
    found = score(bars)
    assert (found.final[99:] == 0.5).all()
    assert (found.confidence[99:] == 0).all()
    assert set(found.direction) == {"NEUTRAL"}


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones(8), r"weights must be of shape \(9,\), was \(8,\)"),
        (-np.ones(9), "weights must be finite and >= 0"),
        (np.full(9, np.nan), "weights must be finite and >= 0"),
        ({"smcc": 1}, "Did you mean 'smc'"),
    ],
)
def test_wrong_weights_raise(weights, message):
    with pytest.raises(ValueError, match=message):
        weight_array(weights)


def test_combine_takes_any_leading_shape():
    rng = np.random.default_rng(0)
    scores, confidences = rng.uniform(-1, 1, (4, 3, D)), rng.random((4, 3, D))
    trend, volatility = rng.integers(-1, 2, (4, 3)), rng.random((4, 3))
    whole = combine(scores, confidences, trend, volatility, exists=np.ones(D, np.bool_))
    assert whole.net.shape == (4, 3)
    assert whole.contributions.shape == (4, 3, D)
    one = combine(scores[2, 1], confidences[2, 1], trend[2, 1], volatility[2, 1],
                  exists=np.ones(D, np.bool_))
    assert one.net == whole.net[2, 1]
    assert whole.take((2, 1)).net == one.net
    with pytest.raises(ValueError, match=r"must be of one shape \(..., 9\)"):
        combine(scores, confidences[:2], trend, volatility)


def test_the_worked_example_of_the_docs():
    scores, confidences = np.full(D, np.nan), np.full(D, np.nan)
    scores[3:6] = [0.2803, -0.3309, -0.1625]
    confidences[3:6] = [0.1894, 0.2305, 0.2790]
    exists = np.isfinite(scores)
    found = combine(scores, confidences, -1, 0.801, Weights(), exists)
    np.testing.assert_allclose(found.gated[3:6], [0.1962, -0.3309, -0.1950], atol=5e-5)
    np.testing.assert_allclose(found.contributions[3:6], [0.0456, -0.1405, -0.0668], atol=5e-5)
    for name, value in (("net", -0.1617), ("final", 0.4191), ("disagreement", 0.2058),
                        ("coverage", 1.0), ("confidence", 0.2087)):
        assert getattr(found, name) == pytest.approx(value, abs=5e-5), name
    assert (found.direction, found.advice) == (0, 0)


@pytest.mark.parametrize(
    ("given", "hint"), [([1] * 9, "np.array"), ((1.0,) * 9, "np.array"), (3, "")]
)
def test_weights_without_names_are_an_array(given, hint):
    with pytest.raises(TypeError, match="a mapping by detector or an ndarray of 9 in") as caught:
        weight_array(given)
    assert hint in str(caught.value)
    np.testing.assert_array_equal(weight_array(np.ones(9)), np.ones(9))

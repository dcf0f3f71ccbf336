import numpy as np
import pytest
from calling import made_calls

from opportunity.plots import calibration_chart, reliability_chart
from opportunity.scoring.calibration import calibrated
from opportunity.scoring.reliability import reliability


@pytest.mark.filterwarnings("default")
def test_reliability_shows_every_bin_with_its_bounds_and_outcomes(elements):
    rng = np.random.default_rng(1)
    stated = rng.random(2_000)
    found = reliability(stated, (rng.random(2_000) < stated).astype(float), n_draws=50)
    picture = found.plot(title="BTC")
    bounds, dots = elements(picture, "ErrorBars")[0], elements(picture, "Scatter")[0]
    np.testing.assert_array_equal(dots.dimension_values("stated"), found.stated)
    np.testing.assert_array_equal(dots.dimension_values("right"), found.observed)
    right, below, above = (bounds.dimension_values(n) for n in ("right", "below", "above"))
    np.testing.assert_allclose(right - below, np.minimum(found.low, found.observed))
    np.testing.assert_allclose(right + above, np.maximum(found.high, found.observed))
    counts = elements(picture, "Spikes")[0]
    assert counts.dimension_values("outcomes").sum() == 2_000
    assert len(elements(reliability_chart(found, before=found), "Scatter")) == 2


@pytest.mark.filterwarnings("default")
def test_calibration_shows_before_and_after_of_each_timeframe(elements):
    calls = made_calls(3_000)
    known = calibrated({"1h": calls}, None, "simulated", ["A/USDT"])
    picture = known.plot()
    assert len(elements(picture, "Scatter")) == 2
    assert len(elements(calibration_chart(known, "1h"), "ErrorBars")) == 2
    with pytest.raises(ValueError, match="timeframe of the calibration must be a known name"):
        known.plot("4h")
    with pytest.raises(ValueError, match="must be measured"):
        calibrated({"1h": calls}, None, "simulated", [], measured=False).plot()

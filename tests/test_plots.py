import subprocess
import sys

import numpy as np
import pytest
from calling import made_calls

from opportunity.market.bars import Bars
from opportunity.plots import calibration_chart, reliability_chart, score_chart
from opportunity.scoring.calibration import calibrated
from opportunity.scoring.ensemble import score
from opportunity.scoring.reliability import reliability


@pytest.mark.filterwarnings("default")  # of the plotting libraries
def test_score_and_candles_share_their_bars():
    pytest.importorskip("holoviews")
    close = 100 + np.random.default_rng(0).normal(0, 1, 200).cumsum()
    open_ = np.concatenate([[100.0], close[:-1]])
    bars = Bars.from_arrays(np.arange(200) * 3_600_000, open_, np.maximum(open_, close) + 1,
                            np.minimum(open_, close) - 1, close, np.ones(200), timeframe="1h")
    layout = score_chart(score(bars), n_bars=50)
    top, bottom = layout[0], layout[1]
    curve = next(e for e in top.traverse() if type(e).__name__ == "Curve")
    assert len(curve) == 50
    bodies = [e for e in bottom.traverse() if type(e).__name__ == "Rectangles"]
    assert sum(len(b) for b in bodies) == 50


def test_holoviews_is_imported_only_when_a_picture_is_made():
    code = "import opportunity.plots, sys; sys.exit('holoviews' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def elements(picture, kind):
    return [e for e in picture.traverse() if type(e).__name__ == kind]


@pytest.mark.filterwarnings("default")
def test_reliability_shows_every_bin_with_its_bounds_and_outcomes():
    pytest.importorskip("holoviews")
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
def test_calibration_shows_before_and_after_of_each_timeframe():
    pytest.importorskip("holoviews")
    calls = made_calls(3_000)
    known = calibrated({"1h": calls}, None, "simulated", ["A/USDT"])
    picture = known.plot()
    assert len(elements(picture, "Scatter")) == 2
    assert len(elements(calibration_chart(known, "1h"), "ErrorBars")) == 2
    with pytest.raises(ValueError, match="timeframe of the calibration must be a known name"):
        known.plot("4h")
    with pytest.raises(ValueError, match="must be measured"):
        calibrated({"1h": calls}, None, "simulated", [], measured=False).plot()

import numpy as np
import pytest

from opportunity.market.bars import Bars
from opportunity.plots import score_chart
from opportunity.scoring.ensemble import score


@pytest.mark.filterwarnings("default")  # of the plotting libraries
def test_score_and_candles_share_their_bars():
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

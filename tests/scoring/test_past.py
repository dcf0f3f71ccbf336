import numpy as np
import pytest
from builders import random_bars

from opportunity.scoring.calls import calls_of
from opportunity.scoring.ensemble import collect, score
from opportunity.scoring.past import keep


@pytest.fixture(scope="module")
def bars():
    return random_bars(700, seed=8)


@pytest.mark.parametrize("weights", [None, {"sar": 0.9, "price_action": 0.0}])
def test_kept_evidence_makes_the_calls_of_a_fresh_look(bars, weights):
    kept, fresh = keep(collect(bars)).calls(weights), calls_of(score(bars, weights))
    for name in ("strength", "confidence", "disagreement", "coverage", "final", "weight"):
        np.testing.assert_allclose(getattr(kept, name), getattr(fresh, name), atol=1e-6)
    for name in ("at", "known", "right", "against"):
        np.testing.assert_array_equal(getattr(kept, name), getattr(fresh, name))


def test_it_is_small(bars):
    kept = keep(collect(bars))
    arrays = [getattr(kept, n) for n in ("closed", "scores", "confidences", "trend", "volatility")]
    arrays += [kept.found.right_if_long, kept.found.right_if_short, kept.found.resolved]
    assert sum(a.nbytes for a in arrays) / len(bars) < 120


def test_bars_without_a_timeframe_are_refused(bars):
    with pytest.raises(ValueError, match="must have a timeframe"):
        keep(collect(type(bars)(bars.time, bars.values)))

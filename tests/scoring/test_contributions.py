import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from opportunity.contracts import DETECTOR_NAMES
from opportunity.scoring.consensus import aggregate
from opportunity.scoring.contributions import mean_contributions, symbol_contributions
from opportunity.scoring.ensemble import combine

N = len(DETECTOR_NAMES)


def test_contributions_are_means_over_what_scored() -> None:
    nan = np.nan
    contributions = np.array([
        [[0.2, nan], [0.4, 0.1]],
        [[nan, nan], [0.3, nan]],
        [[nan, nan], [nan, nan]],
    ])
    net = np.array([[0.2, 0.5], [nan, 0.3], [nan, nan]])
    out = np.zeros((3, 2))
    mean_contributions(contributions, net, np.array([1.0, 3.0]), out)
    np.testing.assert_allclose(out, [[0.35, 0.075], [0.3, nan], [nan, nan]])


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), missing=st.floats(0, 0.9))
def test_contributions_add_up_to_the_net_of_the_symbol(seed: int, missing: float) -> None:
    rng = np.random.default_rng(seed)
    shape = (12, 3, N)
    scores = np.where(rng.random(shape) < missing, np.nan, rng.uniform(-1, 1, shape))
    confidences = np.where(np.isnan(scores), np.nan, rng.random(shape))
    weights = np.where(rng.random(3) < 0.2, 0.0, rng.random(3))
    weights[1] += 0.1
    combined = combine(scores, confidences, rng.integers(-1, 2, (12, 3)), rng.random((12, 3)))
    together = aggregate(combined, rng.random((12, 3)), weights)
    parts = symbol_contributions(combined, weights)
    scored = together.count > 0
    np.testing.assert_allclose(
        np.nansum(parts[scored], axis=1), together.net[scored], rtol=0, atol=1e-12
    )
    heard = ~np.isnan(combined.contributions).all(axis=1)  # on one timeframe at least
    np.testing.assert_array_equal(~np.isnan(parts[scored]), heard[scored])

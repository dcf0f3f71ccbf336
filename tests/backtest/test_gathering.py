import numpy as np

from opportunity.backtest.gathering import gather, mean_contributions


def test_rows_are_copied_and_none_is_without_data() -> None:
    rng = np.random.default_rng(1)
    source = (rng.random((5, 9)), rng.random((5, 9)), rng.random(5), rng.random(5))
    scores, confidences = np.zeros((2, 3, 2, 9))
    trend, volatility = np.zeros((2, 3, 2))
    target = (scores[:, 1], confidences[:, 1], trend[:, 1], volatility[:, 1])
    gather(source, np.array([4, -1, 0]), target)
    for made, given, nothing in zip(target, source, (np.nan, np.nan, 0.0, np.nan), strict=True):
        np.testing.assert_array_equal(made[[0, 2]], given[[4, 0]])
        np.testing.assert_array_equal(made[1], np.full_like(made[1], nothing))
    assert not scores[:, 0].any()


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

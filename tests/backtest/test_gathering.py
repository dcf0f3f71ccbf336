import numpy as np

from opportunity.backtest.gathering import gather


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

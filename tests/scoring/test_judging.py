import numpy as np

from opportunity.scoring.combination import Combined
from opportunity.scoring.consensus import aggregate, timeframe_weights
from opportunity.scoring.ensemble import combine, weight_array
from opportunity.scoring.judging import Seen, judge

FRAMES = ("1h", "4h", "1d")


def seen(n: int = 50, seed: int = 1) -> Seen:
    rng = np.random.default_rng(seed)
    scores = rng.uniform(-1, 1, (n, 3, 9))
    scores[rng.random(scores.shape) < 0.2] = np.nan
    scores[:5] = np.nan
    exists = np.array([True] * 7 + [False] * 2)
    return Seen(
        scores, rng.random((n, 3, 9)), rng.integers(-1, 2, (n, 3)).astype(float),
        rng.random((n, 3)), rng.random((n, 3)), exists,
    )  # fmt: skip


def parts(given: Seen, at: slice) -> Seen:
    return Seen(
        given.scores[at], given.confidences[at], given.trend[at], given.volatility[at],
        given.trust[at], given.exists,
    )  # fmt: skip


def test_trust_lowers_the_confidence_and_nothing_else() -> None:
    given, weights, across = seen(), weight_array(None), timeframe_weights(FRAMES)
    made = judge(given, weights, across)
    alone = combine(
        given.scores, given.confidences, given.trend, given.volatility, weights, given.exists
    )
    for name in Combined.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(made.evidence, name), getattr(alone, name))
        if name != "confidence":
            np.testing.assert_array_equal(getattr(made.combined, name), getattr(alone, name))
    np.testing.assert_array_equal(made.combined.confidence, alone.confidence * given.trust)
    together = aggregate(made.combined, given.volatility, across)
    np.testing.assert_array_equal(made.consensus.net, together.net)
    np.testing.assert_array_equal(
        made.key, together.strength * together.confidence * together.consensus
    )


def test_trust_is_the_mean_over_what_scored() -> None:
    given, across = seen(), timeframe_weights(FRAMES)
    made = judge(given, weight_array(None), across)
    assert np.isnan(made.trust[:5]).all()
    for i in range(5, 50):
        scored = ~np.isnan(made.combined.net[i])
        mean = np.average(given.trust[i][scored], weights=across[scored])
        np.testing.assert_allclose(made.trust[i], mean, rtol=1e-14)


def test_rows_are_judged_by_themselves() -> None:
    given, weights, across = seen(), weight_array({"sar": 0.7}), timeframe_weights(FRAMES)
    whole = judge(given, weights, across)
    for i in range(50):
        one = judge(parts(given, slice(i, i + 1)), weights, across)
        for name in ("net", "confidence", "consensus", "disagreement", "direction"):
            np.testing.assert_array_equal(
                getattr(one.consensus, name)[0], getattr(whole.consensus, name)[i]
            )
        np.testing.assert_array_equal(one.trust[0], whole.trust[i])
        np.testing.assert_array_equal(one.key[0], whole.key[i])

from dataclasses import replace

import numpy as np
import pytest
from builders import random_bars

from opportunity.backtest import fit as module
from opportunity.backtest.fit import SHRINKAGES, FittedWeights, fit_weights
from opportunity.backtest.fit_samples import Samples
from opportunity.errors import CalibrationError
from opportunity.scoring.logistic import logistic

ACTIVE = np.array([1, 1, 1, 1, 1, 0, 0, 0, 0], np.bool_)


def planted(strength, n: int = 4_000, seed: int = 1) -> Samples:
    """Outcomes that follow the evidence by given coefficients of five detectors."""
    rng = np.random.default_rng(seed)
    evidence = rng.uniform(-1, 1, (n, 5)) * (rng.random((n, 5)) < 0.5)
    odds = evidence @ np.asarray(strength, dtype=float)
    up = (rng.random(n) < logistic(odds)).astype(float)
    at = np.arange(n)
    return Samples(evidence, up, 1 - up, np.ones(n), at, at + 6, ACTIVE)


def fitted(samples: Samples, monkeypatch, **changes) -> FittedWeights:
    monkeypatch.setattr(module, "samples_of", lambda *_: samples)
    return fit_weights([], **changes)


def test_the_detectors_that_know_get_the_weight(monkeypatch):
    found = fitted(planted([3.0, 1.5, 0.0, 0.0, 0.0]), monkeypatch)
    assert found.informative
    assert found.shrinkage < np.inf
    np.testing.assert_allclose(found.weights[:2], [2 / 3, 1 / 3], atol=0.06)
    assert found.weights[2:5].max() < 0.06
    np.testing.assert_allclose(found.coefficients[:2], [3.0, 1.5], atol=0.4)
    assert found.weights.sum() == pytest.approx(1)
    assert (found.weights[5:] == 0).all()
    assert "better than the base rate" in repr(found)


def test_a_detector_that_is_wrong_gets_nothing_not_less(monkeypatch):
    found = fitted(planted([2.0, -2.0, 2.0, 0.0, 0.0]), monkeypatch)
    assert found.weights.min() == 0.0
    assert found.weights[1] < 1e-3


def test_equals_stay_equal(monkeypatch):
    found = fitted(planted([1.0] * 5), monkeypatch)
    assert found.shrinkage == np.inf
    np.testing.assert_allclose(found.weights, ACTIVE / 5)


@pytest.mark.parametrize("seed", range(3))
def test_noise_teaches_nothing(seed, monkeypatch):
    found = fitted(planted([0.0] * 5, 1_500, seed), monkeypatch)
    np.testing.assert_allclose(found.weights, ACTIVE / 5)
    assert found.loss > found.base_loss - 1e-3


def test_the_stronger_the_pull_the_nearer_to_equal(monkeypatch):
    path = fitted(planted([3.0, 1.5, 0.0, 0.0, 0.0], 2_000), monkeypatch).path
    assert list(path.index) == [*SHRINKAGES[:-1], np.inf]
    apart = np.abs(path.iloc[:, 2:].to_numpy() - ACTIVE / 5).sum(axis=1)
    assert (np.diff(apart) < 1e-6).all()
    np.testing.assert_allclose(apart[-1], 0.0, atol=1e-12)


def test_mirrored_markets_fit_the_same(monkeypatch):
    samples = planted([3.0, 1.0, 0.0, 0.0, 0.0], 2_000)
    turned = replace(
        samples, evidence=-samples.evidence, right_if_long=samples.right_if_short,
        right_if_short=samples.right_if_long,
    )
    a, b = fitted(samples, monkeypatch), fitted(turned, monkeypatch)
    assert a.shrinkage == b.shrinkage
    np.testing.assert_allclose(a.weights, b.weights, atol=1e-6)


def test_a_rising_market_makes_nobody_bullish(monkeypatch):
    """Always up, whatever the detectors say: nothing is learnt from that."""
    samples = planted([0.0] * 5, 2_000)
    rising = replace(
        samples, right_if_long=np.ones(2_000), right_if_short=np.zeros(2_000),
        evidence=np.abs(samples.evidence) * np.array([1.0, 1, 1, 1, -1]),
    )
    even = replace(rising, evidence=np.random.default_rng(1).uniform(-1, 1, (2_000, 5)))
    np.testing.assert_allclose(fitted(even, monkeypatch).weights, ACTIVE / 5)


def test_tests_are_purged_of_what_they_tell(monkeypatch):
    """Labels that reach far leave less to learn from; none may overlap a test."""
    samples, seen = planted([2.0, 0, 0, 0, 0], 600), []
    real = module.learnable

    def watched(starts, ends, test, embargo):
        kept = real(starts, ends, test, embargo)
        tested = (starts >= test.start) & (starts < test.end)
        last = ends[tested].max()
        assert not ((starts[kept] <= last + embargo) & (ends[kept] >= test.start)).any()
        seen.append(kept.sum())
        return kept

    monkeypatch.setattr(module, "learnable", watched)
    fitted(samples, monkeypatch, n_folds=5, embargo=10)
    # Six bars of label before a test, six of the test's own and ten of embargo behind it.
    assert seen == [600 - 120 - 16, 600 - 120 - 22, 600 - 120 - 22, 600 - 120 - 22, 600 - 120 - 6]


def test_bars_go_in_and_weights_come_out():
    found = fit_weights([random_bars(1_500, seed=5), random_bars(1_500, seed=6)], shrinkages=(0.1,))
    assert found.weights.sum() == pytest.approx(1)
    assert 100 < found.effective < found.n
    assert set(found.path.index) == {0.1, np.inf}
    assert found.as_dict()["news"] == 0.0


def test_too_little_is_refused(monkeypatch):
    with pytest.raises(CalibrationError, match="worth 100"):
        fit_weights(random_bars(250))
    with pytest.raises(ValueError, match="shrinkages must be > 0"):
        fitted(planted([0.0] * 5, 200), monkeypatch, shrinkages=(0.0,))


@pytest.mark.parametrize("seed", [4, 12, 17])
def test_noise_that_was_lucky_by_little_is_not_called_information(monkeypatch, seed):
    found = fitted(planted([0.0] * 5, seed=seed), monkeypatch)
    assert found.loss < found.base_loss
    assert not found.informative
    assert "no better" in repr(found)

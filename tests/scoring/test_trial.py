import numpy as np
import pytest
from scipy.stats import norm

from opportunity.scoring.trial import ALPHA, LEAST_CELLS, LEAST_OUTCOMES, trial

HOUR = 3_600_000
HORIZON = 24


def market(n_days: int, seed: int, together: float = 0.5, off: float = 0.0, tilt: float = 0.0):
    """Statements of 8 symbols at each hour, and outcomes that overlap and move together.

    An outcome is the sign of the next 24 hours of a walk that symbols share a part of; its
    probability is stated exactly, but for what `off` and `tilt` add.
    """
    rng = np.random.default_rng(seed)
    n = 24 * n_days
    common = rng.standard_normal((n + HORIZON, 1))
    own = rng.standard_normal((n + HORIZON, 8))
    walk = np.cumsum(np.sqrt(together) * common + np.sqrt(1 - together) * own, axis=0)
    gone = (walk[HORIZON:] - walk[:-HORIZON])[:n] / np.sqrt(HORIZON)
    edge = rng.uniform(-0.2, 0.2, (n, 8))  # known when it is stated
    right = (gone + edge > 0).astype(float)
    told = norm.cdf(edge)
    told = np.clip(told + off + tilt * (told - 0.5), 0.01, 0.99)
    at = np.repeat(HOUR * np.arange(1, n + 1), 8)
    return told.ravel(), right.ravel(), at, HOUR, HORIZON


def test_statements_that_hold_are_rarely_called_off_however_often_one_looks() -> None:
    called = sum(trial(*market(160, seed)).off for seed in range(120))
    assert called / 120 <= ALPHA + 2 * np.sqrt(ALPHA * (1 - ALPHA) / 120)


@pytest.mark.parametrize(("wrong", "share"), [({"off": 0.15}, 0.9), ({"off": -0.15}, 0.9)])
def test_statements_that_are_off_are_found(wrong: dict, share: float) -> None:
    found = [trial(*market(240, seed, **wrong)) for seed in range(20)]
    assert np.mean([one.off for one in found]) >= share
    assert all(np.sign(one.shift.mean()) == -np.sign(wrong["off"]) for one in found)


def test_statements_that_claim_too_much_are_found() -> None:
    found = [trial(*market(500, seed, together=0.0, tilt=6.0)).off for seed in range(10)]
    assert np.mean(found) >= 0.8


def test_only_outcomes_are_bet_on_that_are_known_before_the_next_cell() -> None:
    stated, right, at, *_ = market(20, 1)
    cell = 2 * HORIZON * HOUR
    found = trial(stated, right, at, HOUR, HORIZON)
    first = (at - 1) % cell < cell // 2
    assert found.n == np.count_nonzero(first)
    changed = np.where(first, right, 1.0 - right)  # the others do not matter
    np.testing.assert_array_equal(
        trial(stated, changed, at, HOUR, HORIZON).evidence, found.evidence
    )
    assert (at[first].max() + HORIZON * HOUR <= found.ends[-1]).all()


def test_bets_never_know_what_they_are_laid_on() -> None:
    """Whatever comes later, what was held before stays; and a bet is fair before its outcome."""
    stated, right, at, *_ = market(60, 2)
    whole = trial(stated, right, at, HOUR, HORIZON)
    rows = at <= 20 * 24 * HOUR
    part = trial(stated[rows], right[rows], at[rows], HOUR, HORIZON)
    np.testing.assert_array_equal(part.evidence, whole.evidence[: part.evidence.size])
    assert (whole.evidence > 0).all()


def test_too_little_is_never_called_off() -> None:
    n = LEAST_OUTCOMES * 4
    at = HOUR * np.arange(1, n + 1)
    wrong = trial(np.full(n, 0.9), np.zeros(n), at, HOUR, HORIZON)
    assert wrong.off
    assert wrong.evidence[-1] > 1 / ALPHA
    few = at <= 2 * HORIZON * HOUR * (LEAST_CELLS - 1)
    assert not trial(np.full(n, 0.9)[few], np.zeros(n)[few], at[few], HOUR, HORIZON).off
    nothing = trial(np.full(3, np.nan), np.zeros(3), at[:3], HOUR, HORIZON)
    assert (nothing.n, nothing.off) == (0, False)

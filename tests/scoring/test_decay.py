import numpy as np
import pytest
from scipy.stats import kstest, norm, spearmanr, t

from opportunity.scoring.averages import LEAST_OUTCOMES
from opportunity.scoring.decay import (
    LIMIT,
    REFERENCE,
    RUN_LENGTH,
    SLACK,
    Decay,
    information,
    run_length,
    watch,
)


def watched(values: np.ndarray, **given) -> Decay:
    return watch(np.arange(values.size), np.full(values.size, 50), values, **given)


def drawn(n: int, seed: int, fall: float = 0.0, at: int = 40) -> np.ndarray:
    """Coefficients around 0.05, which fall by so many standard deviations."""
    values = 0.05 + 0.2 * np.random.default_rng(seed).standard_normal(n)
    values[at:] -= 0.2 * fall
    return values


def test_run_length_is_the_one_of_the_tables() -> None:
    # Montgomery, Introduction to Statistical Quality Control: two-sided 465 and 168 for nothing.
    assert run_length() == pytest.approx(2 * 465, rel=0.02)
    assert run_length(limit=4.0) == pytest.approx(2 * 168, rel=0.02)
    assert run_length(1.0) == pytest.approx(10.4, rel=0.02)
    assert run_length(2.0) == pytest.approx(4.01, rel=0.04)
    assert run_length(SLACK) == pytest.approx(38.0, rel=0.02)
    assert pytest.approx(run_length(), rel=0.01) == RUN_LENGTH


def test_alarms_for_nothing_come_as_rarely_as_stated() -> None:
    n = 40 * 2_000
    alarms = sum(int(watched(drawn(2_000, seed)).alarm.sum()) for seed in range(40))
    expected = n / (RUN_LENGTH + REFERENCE)
    assert abs(alarms - expected) < 3 * np.sqrt(expected)


@pytest.mark.parametrize(("fall", "within", "share"), [(1.0, 40, 0.75), (2.0, 12, 0.9)])
def test_a_real_fall_is_found(fall: float, within: int, share: float) -> None:
    found = 0
    for seed in range(200):
        alarm = np.flatnonzero(watched(drawn(40 + within, seed, fall)).alarm)
        found += bool((alarm >= 40).any())
    assert found / 200 >= share


def test_a_rise_is_no_alarm() -> None:
    assert not any(watched(drawn(100, seed, -2.0)).alarm[40:].any() for seed in range(50))


def test_deviations_are_standard_normal_whatever_the_mean_and_spread() -> None:
    found = np.concatenate([
        watched(3.0 + 7.0 * np.random.default_rng(seed).standard_normal(40), limit=1e9).deviation
        for seed in range(200)
    ])  # fmt: skip
    found = found[np.isfinite(found)]
    assert found.size == 200 * (40 - REFERENCE)
    assert kstest(found, "norm").pvalue > 0.01


def test_a_deviation_is_students_t_turned_normal() -> None:
    values = drawn(30, 7)
    found = watched(values, limit=1e9).deviation
    for i in range(REFERENCE, 30):
        before = values[:i]
        ratio = (values[i] - before.mean()) / (before.std(ddof=1) * np.sqrt(1 + 1 / i))
        wanted = norm.ppf(t.cdf(ratio, i - 1))
        assert found[i] == pytest.approx(wanted, abs=0.01 * (1 + abs(wanted)))


def test_the_sum_is_pages_and_begins_anew_after_an_alarm() -> None:
    values = np.concatenate([drawn(40, 3), np.full(12, -1.5), drawn(40, 4)])
    found = watched(values)
    (first, *_), total = np.flatnonzero(found.alarm), 0.0
    assert 40 <= first <= 50
    for i in range(REFERENCE, first + 1):
        total = max(0.0, total - found.deviation[i] - SLACK)
        assert found.fall[i] == total
    assert total >= LIMIT
    again = slice(first + 1, first + 1 + REFERENCE)
    assert np.isnan(found.deviation[again]).all()
    assert not found.fall[again].any()


def test_later_windows_never_change_what_was_said() -> None:
    values = drawn(120, 5, 1.5, 60)
    whole = watched(values)
    for n in (10, 50, 75):
        part = watched(values[:n])
        np.testing.assert_array_equal(part.deviation, whole.deviation[:n])
        np.testing.assert_array_equal(part.fall, whole.fall[:n])
        np.testing.assert_array_equal(part.alarm, whole.alarm[:n])


def test_windows_without_a_coefficient_are_left_out() -> None:
    values = drawn(50, 2)
    holed = np.insert(values, [5, 20, 20], np.nan)
    found, wanted = watched(holed), watched(values)
    assert found.start.tolist() == [i for i in range(53) if not np.isnan(holed[i])]
    np.testing.assert_array_equal(found.fall, wanted.fall)
    assert found.mean == pytest.approx(values.mean())
    nothing = watched(np.full(4, np.nan))
    assert nothing.start.size == 0
    assert np.isnan(nothing.mean)
    assert not watched(np.full(30, 0.1)).alarm.any()


def test_information_is_spearmans() -> None:
    rng = np.random.default_rng(1)
    score = rng.standard_normal(60)
    move = 0.3 * score + rng.standard_normal(60)
    move[:5] = np.nan
    n, value = information(score, move)
    assert n == 55
    assert value == pytest.approx(spearmanr(score[5:], move[5:]).statistic, abs=1e-12)
    assert np.isnan(information(score[: LEAST_OUTCOMES - 1], move[: LEAST_OUTCOMES - 1])[1])

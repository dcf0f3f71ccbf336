import math
from dataclasses import replace

import numpy as np
import pytest
from sweeping import history, relaxed, single, vectors

from opportunity.backtest.sleeves import Chance, Sleeves, SleevesRun, chance, tried_of
from opportunity.market.timeframe import DAY_MS, HOUR_MS

SETUP = relaxed(stop_atr=4.0)


@pytest.fixture(scope="module")
def sleeves() -> Sleeves:
    """Three symbols on the same quarters of an hour."""
    made = [history(seed=seed) for seed in (1, 2, 3)]
    return Sleeves([replace(h, symbols=(f"S{i}/USDT",)) for i, h in enumerate(made)], SETUP)


def test_account_is_the_sum_of_the_single_engines_runs(sleeves) -> None:
    part = replace(SETUP, cash=SETUP.cash / 3)
    for weights in vectors(24, 8)[[0, 3, 12, 20, 23]]:
        run = sleeves.run(weights)
        alone = []
        for seed in (1, 2, 3):
            made = history(seed=seed)
            span = made.start_batch, len(made.batches)
            alone.append((made.batches.time[made.start_batch :], single(made, weights, part, span)))
        assert run.n_trades == sum(len(one.trades) for _, one in alone)
        total = np.zeros(run.time.size)
        for time, one in alone:
            np.testing.assert_array_equal(time, run.time)
            total += one.equity
        np.testing.assert_array_equal(run.equity, total)
        assert run.earned == total[-1] / SETUP.cash - 1


def test_part_that_begins_late_waits_with_its_cash() -> None:
    early, late = history(seed=1), history(seed=2)
    late = replace(late, start_batch=late.start_batch + 500)
    run = Sleeves([early, late], SETUP).run()
    alone = Sleeves([early], replace(SETUP, cash=SETUP.cash / 2)).run()
    np.testing.assert_array_equal(run.time, alone.time)
    np.testing.assert_array_equal(run.equity[:400], alone.equity[:400] + SETUP.cash / 2)


def test_same_weights_are_run_once_and_any_scale_of_them_is_the_same(sleeves) -> None:
    weights = vectors(24, 8)[20]
    run = sleeves.run(weights)
    assert sleeves.run(weights.copy()) is run
    assert sleeves.run(2 * weights).earned == pytest.approx(run.earned)
    for i in range(100):
        sleeves.run(vectors(24, 100 + i)[23])
    assert len(sleeves._kept) == 64


def test_what_is_told_of_a_run(sleeves) -> None:
    run = sleeves.run(vectors(24, 8)[20])
    high = np.maximum.accumulate(np.maximum(run.equity, run.cash))
    assert run.drawdown == pytest.approx((1 - run.equity / high).max())
    time, equity = run.picture(41)
    assert (equity.min(), equity.max(), equity[-1]) == (
        run.equity.min(), run.equity.max(), run.equity[-1]
    )
    assert time.size <= 41
    assert sleeves.symbols == ("S0/USDT", "S1/USDT", "S2/USDT")
    assert (sleeves.timeframes, sleeves.source) == (("15m",), "simulated")
    assert sleeves.exists.sum() == 6  # bars are all that was known
    assert repr(sleeves).startswith("<Sleeves of 3 symbols")


def _run(days: np.ndarray) -> SleevesRun:
    """A run with these returns of its days, marked every six hours."""
    time = DAY_MS + 6 * HOUR_MS * np.arange(1, 4 * days.size + 2)
    steps = np.repeat(np.asarray(days) / 4, 4)
    return SleevesRun(time, 1_000 * np.exp(np.cumsum(np.r_[steps, 0.0])), 1_000.0, 7)


def test_days_are_those_of_utc() -> None:
    days = np.array([0.01, -0.02, 0.005])
    np.testing.assert_allclose(_run(days).days, days, atol=1e-12)


def test_chance_explains_small_differences_and_not_large_ones() -> None:
    rng = np.random.default_rng(3)
    days = rng.normal(0, 0.01, 90)
    now, alike = _run(days), _run(days + rng.normal(0, 0.004, 90))
    better = _run(days + rng.normal(0.002, 0.004, 90))
    assert 0.05 < chance(now, alike).p <= 1
    found = chance(now, better, tried=3)
    assert found.p < 0.01
    assert found.difference == pytest.approx(better.earned - now.earned)
    assert not found.noise
    assert chance(better, now).p == pytest.approx(found.p, abs=2e-3)


def test_p_is_uniform_where_there_is_no_difference() -> None:
    rng = np.random.default_rng(11)
    flat = _run(np.zeros(90))
    found = np.array([chance(flat, _run(rng.normal(0, 0.004, 90)), seed=i).p for i in range(120)])
    assert (found < 0.05).mean() < 0.12
    assert 0.35 < (found < 0.5).mean() < 0.65


def test_the_luckiest_of_many_sets_is_allowed_for() -> None:
    one = Chance(0.02, 0.02, 1, 90)
    many = replace(one, tried=37)
    assert not one.noise
    assert many.allowed == pytest.approx(1 - 0.98**37)
    assert many.noise


def test_nothing_is_said_of_too_few_days_and_of_the_same_run() -> None:
    rng = np.random.default_rng(1)
    days = rng.normal(0, 0.01, 30)
    assert chance(_run(days), _run(days)).same
    short = chance(_run(days[:10]), _run(days[:10] + 0.01))
    assert math.isnan(short.p)
    assert short.noise
    assert not short.same


def test_runs_over_other_bars_are_refused() -> None:
    with pytest.raises(ValueError, match="runs must be over the same bars, were over 41 and 45"):
        chance(_run(np.zeros(10)), _run(np.zeros(11)))


def test_no_history_is_refused() -> None:
    with pytest.raises(ValueError, match="histories must be of one symbol or more"):
        Sleeves([])


def test_trial_is_the_same_for_any_scale(sleeves) -> None:
    weights = vectors(24, 8)[20]
    run = sleeves.run(weights)
    key, ratio = tried_of(weights, run)
    assert tried_of(3 * weights, run)[0] == key
    assert tried_of(vectors(24, 8)[21], run)[0] != key
    assert ratio == pytest.approx(run.days.mean() / run.days.std(ddof=1))
    assert math.isnan(tried_of(weights, _run(np.zeros(30)))[1])

"""Days and months of a curve: they add and multiply to the whole, whatever the curve."""

from dataclasses import replace

import numpy as np
import pytest
from accounts import TRADES
from hypothesis import given
from hypothesis import strategies as st

from app.pnl import days_of, months_of, worth_of
from opportunity.storage.ledger_pages import EquityCurve

DAY = 86_400_000
FIRST = 1_767_225_600_000  # 2026-01-01 00:00 UTC

CURVES = st.lists(
    st.tuples(st.integers(1, 40), st.floats(0.5, 1.6)), min_size=1, max_size=60
)  # days since the mark before, and how much the equity grew


def curve_of(steps) -> EquityCurve:
    days = np.cumsum([days for days, _ in steps])
    equity = 1_000.0 * np.cumprod([grown for _, grown in steps])
    peak = np.maximum.accumulate(np.maximum(equity, 1_000.0))
    return EquityCurve(FIRST + days * DAY, equity, equity, equity, 1 - equity / peak)


@given(CURVES)
def test_days_and_months_join_to_the_whole(steps) -> None:
    curve = curve_of(steps)
    days = days_of(curve, 1_000.0, ())
    months = months_of(days)
    whole = curve.equity[-1]
    for parts in (days, months):
        assert sum(part.pnl for part in parts) == pytest.approx(whole - 1_000.0, abs=1e-6)
        assert np.prod([1 + part.share for part in parts]) == pytest.approx(whole / 1_000.0)
    assert sum(month.days for month in months) == len(days) == len(steps)
    assert [month.month for month in months] == sorted({day.date[:7] for day in days})
    for month in months:
        assert month.worst_day <= month.best_day


@given(CURVES)
def test_worth_agrees_with_plain_sums(steps) -> None:
    curve = curve_of(steps)
    days = days_of(curve, 1_000.0, ())
    worth = worth_of(days)
    assert worth.total_return == pytest.approx(curve.equity[-1] / 1_000.0 - 1)
    assert worth.max_drawdown == pytest.approx(curve.drawdown.max(), abs=1e-12)
    assert worth.current_drawdown == pytest.approx(curve.drawdown[-1], abs=1e-12)
    assert worth.positive + worth.negative + worth.flat == len(days)
    assert (worth.best_day, worth.worst_day) == (
        max(day.share for day in days), min(day.share for day in days)
    )


def test_what_closes_at_midnight_belongs_to_the_day_that_it_ends() -> None:
    at = np.array([FIRST, FIRST + 1])
    one = np.array([1_000.0, 1_010.0])
    trade = replace(TRADES[0], closed=FIRST, pnl=5.0, fees=1.0)
    days = days_of(EquityCurve(at, one, one, one, one * 0), 1_000.0, (trade,))
    assert [day.date for day in days] == ["2025-12-31", "2026-01-01"]
    assert [(day.trades, day.wins, day.realised, day.fees) for day in days] == [
        (1, 1, 5.0, 1.0), (0, 0, 0, 0),
    ]  # fmt: skip
    assert days[1].pnl == 10.0


def test_account_that_lost_everything_has_no_return_after() -> None:
    at, equity = FIRST + DAY * np.arange(1, 4), np.array([10.0, 0.0, 0.0])
    days = days_of(EquityCurve(at, equity, equity, equity, equity), 10.0, ())
    assert days[1].share == -1.0
    assert np.isnan(days[2].share)

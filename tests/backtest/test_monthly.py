import numpy as np
import pandas as pd
import pytest

from opportunity.backtest.monthly import MONTHS, monthly_returns


def closes(*texts):
    return np.array(texts, dtype="datetime64[ms]").astype(np.int64)


def test_table_by_hand():
    time = closes("2023-12-31T12", "2024-01-01T00", "2024-01-15", "2024-03-01T00", "2024-03-02")
    table = monthly_returns(time, np.array([105.0, 110.0, 99.0, 198.0, 99.0]), 100.0)
    assert list(table.columns) == [*MONTHS, "year"]
    assert list(table.index) == [2023, 2024]
    assert table.loc[2023, "Dec"] == pytest.approx(0.10)  # the close at midnight ends December
    assert table.loc[2024, "Jan"] == pytest.approx(-0.10)
    assert table.loc[2024, "Feb"] == pytest.approx(1.0)  # the close at midnight of March 1st
    assert table.loc[2024, "Mar"] == pytest.approx(-0.5)
    assert table.loc[2024, "year"] == pytest.approx(-0.1)
    assert pd.isna(table.loc[2024, "Apr"])


def test_years_compound_to_the_whole():
    rng = np.random.default_rng(5)
    time = closes("2021-03-03T01") + 3_600_000 * np.arange(20_000)
    equity = 50.0 * np.cumprod(1 + 0.002 * rng.standard_normal(time.size))
    table = monthly_returns(time, equity, 50.0)
    assert np.prod(1 + table["year"]) == pytest.approx(equity[-1] / 50.0)
    months = table[list(MONTHS)].fillna(0.0)
    np.testing.assert_allclose((1 + months).prod(axis=1) - 1, table["year"])

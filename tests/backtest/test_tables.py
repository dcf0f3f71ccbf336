import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ran import made

from opportunity.backtest.tables import (
    TABLES,
    TIMES,
    fill_columns,
    plain,
    table_of,
    thin,
    trade_columns,
)


def test_trades_have_words_and_shares():
    result = made()
    rows = plain(trade_columns(result))
    assert rows["side"] == ["LONG", "SHORT"]
    assert rows["exit_reason"] == ["TP", "END_OF_TEST"]
    assert rows["symbol"] == ["BTC/USDT", "=ETH/USDT"]
    assert rows["profit_fraction"] == pytest.approx([0.1, -0.05])
    assert plain(trade_columns(result, 1))["number"] == [1]
    assert plain(trade_columns(result, 0))["number"] == []


def test_a_trade_that_cost_nothing_has_no_share():
    result = made()
    result.trades["entry"][0] = 0
    assert np.isnan(trade_columns(result)["profit_fraction"][0])


def test_fills_name_their_side_and_trade():
    rows = plain(fill_columns(made()))
    assert rows["side"] == ["BUY", "SELL"]
    assert rows["reason"] == ["ENTRY", "TP"]
    assert rows["trade"] == [0, 0]


@pytest.mark.parametrize("table", TABLES)
def test_columns_are_of_one_length_and_times_are_known(table):
    columns = table_of(made(), table)
    assert len({len(c) for c in columns.values()}) == 1
    assert set(columns) & set(TIMES)


def test_unknown_table_is_refused():
    with pytest.raises(ValueError, match="Did you mean 'trades'"):
        table_of(made(), "trade")


@given(st.integers(0, 500), st.integers(2, 60), st.integers(0, 2**32 - 1))
def test_thinned_points_keep_ends_and_extremes(n, most, seed):
    values = np.random.default_rng(seed).normal(size=n)
    at = thin(values, most)
    assert at.size <= max(most, 0)
    assert (np.diff(at) > 0).all()
    if n:
        assert (at[0], at[-1]) == (0, n - 1)
    if n and most >= 4:
        assert values[at].min() == values.min()
        assert values[at].max() == values.max()
    if n <= most:
        assert at.size == n


def test_fewer_than_two_points_are_refused():
    with pytest.raises(ValueError, match="most must be >= 2, was 1"):
        thin(np.zeros(3), 1)

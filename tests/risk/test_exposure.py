import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from portfolios import bars_of, drawn, held_in, market

from opportunity.risk.exposure import (
    correlation_of,
    exposure_of,
    herfindahl,
    hours_to_leave,
    mean_correlation,
)
from opportunity.risk.held import Held
from opportunity.risk.returns import returns_of


def test_sides_and_assets():
    held = held_in(market(), {"BTC/USDT": 1_000.0, "ETH/USDT": -3_000.0, "SOL/USDT": 500.0})
    found = exposure_of(held)
    assert (found.long, found.short, found.largest) == (1_500.0, 3_000.0, 0.3)
    assert list(found.by_asset.items()) == [
        ("ETH/USDT", -3_000.0), ("BTC/USDT", 1_000.0), ("SOL/USDT", 500.0),
    ]  # fmt: skip


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_herfindahl_is_between_equal_shares_and_one(notionals):
    held = np.array(notionals)
    found, n = herfindahl(held), np.count_nonzero(held)
    if not np.abs(held).sum():
        assert found == 0
    else:
        assert 1 / max(n, 1) - 1e-9 <= found <= 1 + 1e-9
        assert herfindahl(held * 3) == pytest.approx(found)


def test_equal_positions_are_as_many_as_they_are():
    found = exposure_of(held_in(None, {"A/USDT": 5.0, "B/USDT": -5.0, "C/USDT": 5.0}))
    assert found.effective_positions == pytest.approx(3)
    assert found.clusters is None
    assert found.correlation is None


def test_nothing_held():
    found = exposure_of(held_in(None, {}))
    assert (found.long, found.short, found.largest, found.herfindahl) == (0, 0, 0, 0)
    assert (found.effective_positions, found.clusters, found.by_asset) == (0, (), {})


def test_clusters_put_together_what_moves_as_one():
    base, own = drawn(200, 1, 1, 0.0), drawn(200, 1, 2, 0.0)
    near = base + 0.1 * drawn(200, 1, 3, 0.0)
    columns = {"BTC/USDT": base, "ETH/USDT": near, "XRP/USDT": own}
    returns = returns_of([bars_of(n, v[:, 0]) for n, v in columns.items()])
    held = held_in(returns, {"XRP/USDT": 100.0, "BTC/USDT": 800.0, "ETH/USDT": -300.0})
    first, second = exposure_of(held, 0.7).clusters
    assert (first.symbols, first.net, first.gross) == (("BTC/USDT", "ETH/USDT"), 500.0, 1_100.0)
    assert (second.symbols, second.gross) == (("XRP/USDT",), 100.0)


def test_correlations_are_not_told_of_too_few_rows():
    assert correlation_of(held_in(market(20), {"BTC/USDT": 1.0})) is None
    assert correlation_of(held_in(market(20), {})).shape == (0, 0)


def test_mean_correlation_knows_sides():
    matrix = np.array([[1, 0.8], [0.8, 1]])
    assert mean_correlation(np.array([1.0, 5.0]), matrix) == pytest.approx(0.8)
    assert mean_correlation(np.array([1.0, -5.0]), matrix) == pytest.approx(-0.8)
    assert mean_correlation(np.array([1.0]), np.eye(1)) == 0
    matrix[0, 1] = matrix[1, 0] = np.nan
    assert mean_correlation(np.array([1.0, 5.0]), matrix) == 0


def test_hours_to_leave():
    held = Held(
        ("A/USDT", "B/USDT", "C/USDT"), np.array([1_000.0, -500.0, 10.0]), 1e4,
        np.array([1e6, np.nan, 0.0]),
    )  # fmt: skip
    hours = hours_to_leave(held, 0.01)
    assert hours[0] == pytest.approx(24 * 1_000 / 10_000)
    assert math.isnan(hours[1])
    assert hours[2] == math.inf
    with pytest.raises(ValueError, match="share of the volume"):
        hours_to_leave(held, 0.0)

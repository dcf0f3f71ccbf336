import math

import numpy as np
import pytest
from portfolios import NAMES, held_in, market

from opportunity.risk.held import Held


def test_sums():
    held = held_in(None, {"BTC/USDT": 3_000.0, "ETH/USDT": -1_000.0})
    assert (held.gross, held.net, held.leverage) == (4_000.0, 2_000.0, 0.4)


def test_leverage_without_equity_is_infinite_unless_nothing_is_held():
    assert held_in(None, {"BTC/USDT": 1.0}, equity=0.0).leverage == math.inf
    assert held_in(None, {}, equity=0.0).leverage == 0.0


def test_moves_are_the_columns_of_what_is_held():
    returns = market(50)
    held = held_in(returns, {NAMES[2]: 1.0, NAMES[0]: 1.0})
    assert held.known
    np.testing.assert_array_equal(held.moves(), returns.values[:, [2, 0]])


def test_what_is_not_known_says_why():
    held = Held(("NEW/USDT",), np.ones(1), 1.0, np.ones(1), market(50), {"NEW/USDT": "too young"})
    assert not held.known
    with pytest.raises(ValueError, match="NEW/USDT: too young"):
        held.moves()
    assert held_in(None, {}).known


def test_lengths_and_numbers_are_checked():
    with pytest.raises(ValueError, match="shape"):
        Held(("A/USDT",), np.ones(2), 1.0, np.ones(1))
    with pytest.raises(ValueError, match="finite"):
        Held(("A/USDT",), np.array([np.nan]), 1.0, np.ones(1))

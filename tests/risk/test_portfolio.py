import math

import numpy as np
from portfolios import account_of, market

from opportunity.risk.portfolio import held_of


def test_an_account_becomes_arrays():
    account = account_of({"BTC/USDT": 3_000.0, "ETH/USDT": -1_000.0}, equity=8_000.0)
    held = held_of(account, market(), {"BTC/USDT": 1e6})
    assert held.symbols == ("BTC/USDT", "ETH/USDT")
    np.testing.assert_allclose(held.notionals, [3_000, -1_000])
    assert held.equity == 8_000
    assert held.volumes[0] == 1e6
    assert math.isnan(held.volumes[1])
    assert held.known


def test_without_returns_it_says_why():
    held = held_of(account_of({"NEW/USDT": 1.0}), missing={"NEW/USDT": "too young"})
    assert not held.known
    assert held.missing == {"NEW/USDT": "too young"}


def test_nothing_held():
    held = held_of(account_of())
    assert (held.symbols, held.gross, held.known) == ((), 0.0, True)

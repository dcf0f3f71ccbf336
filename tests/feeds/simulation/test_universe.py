import numpy as np
import pytest

from opportunity.feeds.simulation.universe import COINS, coins, exists, symbols_of
from opportunity.market.symbols import parse_symbol


def test_forty_coins_with_valid_names():
    assert len(COINS) == len(set(COINS)) == 40
    assert [parse_symbol(s) for s in COINS] == list(COINS)
    assert COINS[:2] == ("BTC/USDT", "ETH/USDT")


def test_symbols_of_counts_and_names():
    assert symbols_of(3) == COINS[:3]
    assert symbols_of(42)[40:] == ("X0041/USDT", "X0042/USDT")
    assert symbols_of(["SOL/USDT"]) == ("SOL/USDT",)
    assert exists("X1999/USDT")
    assert not exists("BTC/EUR")


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (0, "between 1 and 2000"),
        (2001, "between 1 and 2000"),
        (["BTC/USD"], "Did you mean 'BTC/USDT'"),
        (["BTC/USDT", "BTC/USDT"], "without repeats"),
        ([], "non-empty"),
    ],
)
def test_symbols_of_refuses(wanted, message):
    with pytest.raises(ValueError, match=message):
        symbols_of(wanted)


def test_coins_have_exact_steps_and_do_not_depend_on_each_other():
    table = coins(symbols_of(300), 7)
    mantissa, _ = np.frexp(table["lots"])
    assert (mantissa == 0.5).all()
    assert np.array_equal(table["ticks"], 10.0 ** np.round(np.log10(table["ticks"])))
    assert (np.exp(table["log_price"]) * table["ticks"] >= 9_999).all()
    assert coins(("X0123/USDT",), 7)[0] == table[122]
    assert coins(("BTC/USDT",), 8)[0]["key"] != table[0]["key"]

from dataclasses import dataclass

import pytest

from opportunity.feeds.exchange.universe import chosen, largest, usual_quote


@dataclass(frozen=True)
class Listing:
    symbol: str
    active: bool = True

    @property
    def base(self) -> str:
        return self.symbol.split("/")[0]

    @property
    def quote(self) -> str:
        return self.symbol.split("/")[1]


def listed(*symbols: str, halted: tuple[str, ...] = ()) -> dict[str, Listing]:
    return {s: Listing(s, s not in halted) for s in symbols}


def test_chosen_symbols_come_in_our_spelling_and_order():
    markets = listed("BTC/USDT", "ETH/USDT")
    assert chosen("binance", markets, ["ethusdt", "BTC-USDT"]) == ("ETH/USDT", "BTC/USDT")


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ([], "non-empty"),
        (["BTC/USDT", "btcusdt"], "without repeats"),
        (["BTC/USDC"], "Did you mean 'BTC/USDT'"),
        (["LUNA/USDT"], "must be traded on binance"),
    ],
)
def test_symbols_that_cannot_be_watched_are_refused(wanted, words):
    with pytest.raises(ValueError, match=words):
        chosen("binance", listed("BTC/USDT", "LUNA/USDT", halted=("LUNA/USDT",)), wanted)


def test_largest_are_by_turnover_then_name_without_pegged_and_halted():
    markets = listed(
        "BTC/USDT",
        "ETH/USDT",
        "USDC/USDT",
        "OLD/USDT",
        "ADA/USDT",
        "XRP/USDT",
        "BTC/EUR",
        halted=("OLD/USDT",),
    )
    turnover = {"ETH/USDT": 5.0, "BTC/USDT": 9.0, "USDC/USDT": 99.0, "OLD/USDT": 50.0}
    assert largest(markets, turnover, 3, "usdt") == ("BTC/USDT", "ETH/USDT", "ADA/USDT")


def test_those_of_the_last_time_stay_while_they_are_near_the_largest():
    markets = listed("A/USDT", "B/USDT", "C/USDT", "D/USDT", "E/USDT", "F/USDT")
    turnover = {name: float(6 - i) for i, name in enumerate(markets)}
    before = ("F/USDT", "C/USDT", "A/USDT", "GONE/USDT", "C/USDT")
    assert largest(markets, turnover, 2, "USDT", before) == ("C/USDT", "A/USDT")
    assert largest(markets, turnover, 3, "USDT", before) == ("C/USDT", "A/USDT", "B/USDT")
    assert largest(markets, turnover, 4, "USDT", before) == ("F/USDT", "C/USDT", "A/USDT", "B/USDT")
    assert largest(markets, turnover, 1, "USDT", before) == ("A/USDT",)


def test_unknown_quote_names_those_that_are_there():
    with pytest.raises(ValueError, match="USDT"):
        largest(listed("BTC/USDT"), {}, 3, "USTD")


def test_usual_quote_is_the_first_with_enough_markets():
    few = [Listing(f"A{i}/USDT") for i in range(5)]
    many = [Listing(f"A{i}/USD") for i in range(30)]
    assert usual_quote(few + many) == "USD"
    assert usual_quote(few) == "USDT"

import math

import pytest

from opportunity.feeds.exchange.venue.markets import known_timeframes, spot_markets, told_source


def market(base="BTC", quote="USDT", **more):
    return {
        "id": base + quote, "symbol": f"{base}/{quote}", "base": base, "quote": quote,
        "spot": True, "active": True, "precision": {"price": 0.01, "amount": 1e-5}, "info": {},
    } | more  # fmt: skip


def test_spot_markets_with_plain_names_are_kept():
    told = [
        market(), market("1000SATS"), market("ETH", active=False), market("SOL", active=None),
        market("SWAP", spot=False), market("币安"), market("a"), market("X" * 21), market("$X"),
        market("DOGE", symbol="DOGE/USDT:USDT"), None, "x", {},
    ]  # fmt: skip
    found, left_out = spot_markets(told, 4)
    assert list(found) == ["BTC/USDT", "1000SATS/USDT", "ETH/USDT", "SOL/USDT"]
    assert left_out == 5
    assert [m.active for m in found.values()] == [True, True, False, True]
    assert (found["BTC/USDT"].price_step, found["BTC/USDT"].amount_step) == (0.01, 1e-5)


@pytest.mark.parametrize(
    ("told", "mode", "step"),
    [(0.5, 4, 0.5), (2, 2, 0.01), (0, 4, math.nan), (None, 4, math.nan), (3, 3, math.nan),
     (math.inf, 4, math.nan)],
)  # fmt: skip
def test_steps_follow_the_mode(told, mode, step):
    found, _ = spot_markets([market(precision={"price": told, "amount": None})], mode)
    assert found["BTC/USDT"].price_step == pytest.approx(step, nan_ok=True)
    assert math.isnan(found["BTC/USDT"].amount_step)


def test_timeframes_are_ours_in_our_order():
    assert known_timeframes({"1w": "1w", "3d": "3d", "1m": "1", "1M": "1M"}) == ("1m", "1w")
    assert known_timeframes(None) == ()


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"source": "replay:x", "speed": 60}, ("replay:x", 60.0)),
        ({"source": "simulated"}, ("simulated", 1.0)),
        ({"source": "../evil", "speed": 0}, ("simulated", 1.0)),
        ({"source": 5, "speed": "fast"}, ("simulated", 1.0)),
        ({"speed": math.nan}, ("simulated", 1.0)),
        (None, ("simulated", 1.0)),
        ("binance", ("simulated", 1.0)),
    ],
)
def test_a_local_exchange_says_what_it_is(told, expected):
    assert told_source([market(info={"opportunity": told})]) == expected
    assert told_source([]) == ("simulated", 1.0)

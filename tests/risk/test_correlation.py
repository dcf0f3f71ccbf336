import math

import numpy as np
import pytest
from portfolios import bars_of, drawn

from opportunity.risk.correlation import check_correlation

BASE = drawn(200, 1, 1, 0.0)[:, 0]
BARS = {
    "BTC/USDT": bars_of("BTC/USDT", BASE),
    "ETH/USDT": bars_of("ETH/USDT", BASE + 0.1 * drawn(200, 1, 2, 0.0)[:, 0]),
    "XRP/USDT": bars_of("XRP/USDT", drawn(200, 1, 3, 0.0)[:, 0]),
    "NEW/USDT": bars_of("NEW/USDT", BASE[-10:]),
    "PEG/USDT": bars_of("PEG/USDT", np.zeros(200)),
}


def test_what_moves_as_one_is_refused_and_named():
    found = check_correlation(
        ("ETH/USDT", 1), [("XRP/USDT", 1), ("BTC/USDT", 1)], BARS, 0.7
    )
    assert found.allowed is False
    assert [pair.symbol for pair in found.above] == ["BTC/USDT"]
    assert [pair.symbol for pair in found.pairs] == ["BTC/USDT", "XRP/USDT"]
    wanted = np.corrcoef(
        np.diff(BARS["BTC/USDT"].close) / BARS["BTC/USDT"].close[:-1],
        np.diff(BARS["ETH/USDT"].close) / BARS["ETH/USDT"].close[:-1],
    )[0, 1]
    assert found.highest == pytest.approx(wanted)
    assert found.reason == f"correlation with BTC/USDT must be at most 0.7, was {wanted:.2f}"


def test_a_hedge_is_allowed():
    found = check_correlation(("ETH/USDT", -1), [("BTC/USDT", 1)], BARS, 0.7)
    assert found.allowed is True
    assert found.pairs[0].together == -found.pairs[0].correlation < -0.9
    assert "highest correlation is -" in found.reason


def test_more_of_the_same_is_one():
    found = check_correlation(("BTC/USDT", 1), [("BTC/USDT", 1)], {}, 0.7)
    assert (found.allowed, found.highest) == (False, 1.0)


def test_nothing_held_is_allowed():
    found = check_correlation(("BTC/USDT", 1), [], {}, 0.7)
    assert (found.allowed, found.highest, found.reason) == (True, 0.0, "nothing else is held")


@pytest.mark.parametrize(
    ("symbol", "note"),
    [("NEW/USDT", "at least 30 rows"), ("PEG/USDT", "never moved"), ("GONE/USDT", "has no bars")],
)
def test_what_is_not_known_is_said(symbol, note):
    found = check_correlation(("BTC/USDT", 1), [(symbol, 1)], BARS, 0.7)
    assert found.allowed is None
    assert math.isnan(found.highest)
    assert note in found.pairs[0].note
    assert symbol in found.reason
    # What is known and above the limit counts all the same.
    more = check_correlation(("BTC/USDT", 1), [(symbol, 1), ("ETH/USDT", 1)], BARS, 0.7)
    assert more.allowed is False
    assert more.pairs[0].symbol == "ETH/USDT"

import numpy as np
import pytest
from drawn import drawn
from surrounded import HOUR, NOW, around

from app.components.island import dumps
from app.components.whale_flow import WhaleFlow, whale_state
from opportunity.live.surroundings import FLOW, N_HOURS, LargePrint

NONE = "\N{EN DASH}"
PRICES = {"BTC/USDT": 100.0, "ETH/USDT": 10.0}


def _flow(**columns: float) -> np.ndarray:
    flow = np.full((2, N_HOURS, len(FLOW)), np.nan)
    for name, value in columns.items():
        flow[0, -2:, FLOW.index(name)] = value
    return flow


def test_money_is_in_quote_currency_by_hour() -> None:
    flow = _flow(buy=3.0, sell=1.0, large_buy=2.0, large_sell=0.5)
    state = whale_state(around(flow=flow), PRICES)
    (row,) = state["rows"]  # of the other symbol nothing is known
    assert (row["symbol"], row["bought"], row["sold"]) == ("BTC/USDT", 600.0, 200.0)
    assert row["large_buy"][-3:] == [0, 200, 200]
    assert row["large_sell"][-1] == 50
    assert row["vpin"] is None
    assert (state["quote"], state["until"]) == ("USDT", NOW)
    assert state["hours"][-1] == NOW


def test_a_symbol_without_a_price_is_left_out() -> None:
    assert whale_state(around(flow=_flow(buy=1.0)), {"ETH/USDT": 10.0})["rows"] == []


def test_several_quote_currencies_have_no_name_together() -> None:
    assert whale_state(around(symbols=("BTC/USDT", "ETH/EUR")), PRICES)["quote"] == ""


def test_prints_say_side_and_value() -> None:
    sold = LargePrint("BTC/USDT", NOW - HOUR, NOW - HOUR + 300_000, -5.0, 100.4)
    (one,) = whale_state(around(prints=[sold]), PRICES)["prints"]
    assert one == {
        "time": NOW - HOUR, "symbol": "BTC/USDT", "side": -1, "amount": 5.0, "price": 100.4,
        "value": 502,
    }  # fmt: skip


def test_nothing_before_the_warm_up_and_known_thresholds_alone() -> None:
    assert whale_state(None, {}) == {}
    part = WhaleFlow()
    assert part.state == "{}"
    with pytest.raises(ValueError, match="7"):
        part.least = "7"


def _net(symbol: str = "", symbols: tuple[str, ...] = ("BTC/USDT", "ETH/USDT")) -> list[str]:
    prices = dict.fromkeys(symbols, 100.0)
    state = dumps(whale_state(around(flow=_flow(large_buy=2.0), symbols=symbols), prices))
    found: list[str] = drawn(WhaleFlow, """
        return [...root.querySelectorAll(".tile")].map((one) => one.querySelector("b").textContent);
        """, state=state, symbol=symbol)
    return found


def test_the_flow_of_a_symbol_that_is_not_known_is_no_zero() -> None:
    assert _net()[0] == _net("BTC/USDT")[0] == "▲ +400 USDT"
    assert _net("ETH/USDT") == [NONE] * 3


def test_currencies_are_not_summed() -> None:
    mixed = ("BTC/USDT", "ETH/BTC")
    assert _net(symbols=mixed)[0] == NONE
    assert _net("BTC/USDT", mixed)[0] == "▲ +400 USDT"

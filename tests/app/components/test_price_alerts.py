import pytest
from drawn import drawn

from app.components.island import dumps
from app.components.price_alerts import PriceAlerts, alerts_state, read_price
from opportunity.storage.price_alerts import PriceAlert


def _alert(number: int, active: bool, again: bool) -> PriceAlert:
    return PriceAlert(number, "BTC/USDT", "above", 10.0, "note", again, active, 1, None)


def test_alerts_say_how_they_stand_and_what_the_price_is() -> None:
    alerts = [_alert(3, True, False), _alert(2, False, True), _alert(1, False, False)]
    state = alerts_state(alerts, ("BTC/USDT",), {"BTC/USDT": 9.0})
    assert [one["state"] for one in state["alerts"]] == ["waiting", "leaving", "fired"]
    assert {one["now"] for one in state["alerts"]} == {9.0}
    assert alerts_state(alerts, (), {})["alerts"][0]["now"] is None


@pytest.mark.parametrize("wrong", [0, -1, "x", None, "nan", "inf", float("nan")])
def test_a_price_is_a_number_above_nothing(wrong) -> None:
    with pytest.raises(ValueError, match="price must be a number > 0"):
        read_price(wrong)


def test_a_price_may_be_typed() -> None:
    assert read_price("0.0000123") == 0.0000123


def test_the_side_of_an_alert_follows_from_the_price_of_its_own_symbol_only() -> None:
    rules = drawn(PriceAlerts, """
        const [symbol, at] = root.querySelectorAll("input"), rule = root.querySelector("select");
        const found = [];
        ask("price_alert", { symbol: "BTC/USDT", price: 100 });
        type(at, "90"); found.push(rule.value);
        type(symbol, "SOL/USDT"); rule.value = "above";
        type(at, "60"); found.push(rule.value);
        ask("price_alert", { symbol: "BTC/USDT", price: 100 });
        root.querySelector("button").click();
        type(symbol, "ada"); rule.value = "above";
        type(at, "60"); found.push(rule.value, root.querySelector("p.note").textContent);
        type(symbol, "link"); found.push(rule.value, root.querySelector("p.note").textContent);
        return found;""", state=dumps(alerts_state((), ("LINK/USDT",), {"LINK/USDT": 70.0})))
    assert rules == ["below", "above", "above", "", "below", "LINK/USDT is at 70.00 now"]

import pytest

from app.components.price_alerts import alerts_state, read_price
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

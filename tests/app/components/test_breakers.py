from dataclasses import replace

import accounts
import pytest

from app.components.breakers import BreakerPanel, breakers_state
from opportunity.trading.records import BREAKERS, STATES
from opportunity.trading.risk import RiskRecord

LIMITS = RiskRecord().as_dict()


def lines(state=accounts.STATE) -> dict:
    return {line["name"]: line for line in breakers_state(state, LIMITS)["breakers"]}


def test_each_has_its_state_value_and_limit() -> None:
    told = lines()
    assert tuple(told) == BREAKERS
    assert {line["state"] for line in told.values()} == set(STATES)
    assert told["drawdown"] | {"value": 0.0087, "limit": 0.15} == told["drawdown"]
    assert told["drawdown"]["until"] == accounts.NOW + 24 * accounts.HOUR
    assert told["losing_streak"]["value"] == 1
    assert told["losing_streak"]["unit"] == "count"
    assert told["daily_loss"]["unit"] == "share"
    assert told["stale_data"]["value"] is None  # nobody counts the bars that stay away
    assert told["stale_data"]["limit"] == LIMITS["stale_bars"]


@pytest.mark.parametrize(("day", "value"), [(-0.02, 0.02), (0.04, 0.0)])
def test_a_gain_is_no_loss_of_the_day(day, value) -> None:
    told = lines(replace(accounts.STATE, day_pnl_pct=day))
    assert told["daily_loss"]["value"] == value


def test_all_say_what_becomes_of_them() -> None:
    assert all(line["after"]["text"] for line in lines().values())
    assert lines()["daily_loss"]["until"] is None


def test_before_there_is_an_account_there_are_none() -> None:
    assert breakers_state(None, LIMITS) == {"missing": True, "breakers": []}


def test_presses_reach_the_page() -> None:
    asked: list = []
    BreakerPanel(asked.append)._handle_msg({"type": "reset_breaker", "name": "drawdown"})
    assert asked == [{"type": "reset_breaker", "name": "drawdown"}]

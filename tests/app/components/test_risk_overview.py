import math
from dataclasses import replace

import orjson
import pytest
from portfolios import account_of, held_in, market

from app.components.island import dumps
from app.components.risk_overview import RiskOverview, overview_state, status
from opportunity.risk.manager import RiskManager
from opportunity.trading.risk import RiskLimits, RiskRecord

HELD = {"BTC/USDT": 2_000.0, "ETH/USDT": -500.0}


def told(notionals, limits: RiskRecord | None = None, known: bool = True, **more) -> dict:
    limits = RiskRecord() if limits is None else limits
    account = account_of(notionals, **more)
    held = held_in(market() if known else None, notionals)
    found = RiskManager(limits).assess(account, held)
    return overview_state(account, held, found, limits)


@pytest.mark.parametrize(
    ("value", "limit", "expected"),
    [
        (0.0, 0.05, "safe"), (0.039, 0.05, "safe"), (0.041, 0.05, "warning"),
        (0.05, 0.05, "warning"), (0.051, 0.05, "critical"), (math.nan, 0.05, "unknown"),
        (-0.3, 0.7, "safe"), (0.0, 0.0, "safe"),
    ],
)  # fmt: skip
def test_a_value_against_its_limit(value, limit, expected) -> None:
    assert status(value, limit) == expected


def test_a_breaker_trips_at_its_limit() -> None:
    assert status(0.15, 0.15, reached=True) == "critical"
    assert status(4, 5, 1.0) == "safe"
    assert status(5, 5, 1.0) == "warning"


def test_tiles_hold_value_limit_and_standing() -> None:
    found = told(HELD, drawdown=0.13, day_pnl_pct=0.02)
    tiles = {tile["name"]: tile for tile in found["tiles"]}
    assert tiles["drawdown"]["status"] == "warning"
    assert tiles["day"]["value"] == 0.0  # a gain is no loss
    assert tiles["leverage"]["value"] == pytest.approx(0.25)
    assert tiles["positions"]["value"] == 2
    assert tiles["var95"]["also"] > tiles["var95"]["value"] > 0
    assert set(tiles["alike"]["names"]) == set(HELD)
    assert tiles["alike"]["value"] < 0  # a long and a short of assets alike hedge
    assert found["standing"] == "warning"
    assert found["simulated"]
    assert sum(part["points"] for part in found["parts"]) == pytest.approx(found["score"])


def test_a_soft_limit_is_no_alarm_and_a_hard_one_is() -> None:
    alike = {"BTC/USDT": 1_000.0, "ETH/USDT": 1_000.0}
    limits = RiskLimits(max_correlation=0.1).record()
    tiles = {tile["name"]: tile for tile in told(alike, limits)["tiles"]}
    assert tiles["alike"]["status"] == "warning"
    assert told(alike, limits)["standing"] == "warning"
    assert told(HELD, RiskLimits(max_var95=0.001).record())["standing"] == "critical"


def test_an_open_breaker_stops_whatever_else_is_fine() -> None:
    account = account_of(HELD)
    lines = (replace(account.breakers[0], state="OPEN"), *account.breakers[1:])
    assert told(HELD, breakers=lines)["standing"] == "stopped"
    half = (replace(account.breakers[0], state="HALF_OPEN"), *account.breakers[1:])
    assert told(HELD, breakers=half)["standing"] == "warning"


def test_nothing_held_is_safe_and_not_unknown() -> None:
    found = told({})
    assert found["empty"]
    assert found["standing"] == "safe"
    assert {tile["status"] for tile in found["tiles"]} == {"safe"}
    values = {tile["name"]: tile["value"] for tile in orjson.loads(dumps(found))["tiles"]}
    assert values["alike"] is None
    assert values["exit"] is None
    assert values["var95"] == 0


def test_what_is_not_known_is_never_zero() -> None:
    found = orjson.loads(dumps(told(HELD, known=False)))
    tiles = {tile["name"]: tile for tile in found["tiles"]}
    assert tiles["var95"]["value"] is None
    assert tiles["var95"]["status"] == "unknown"
    assert found["score"] is None
    assert found["level_text"]["text"] == "not known"
    assert {a["code"] for a in found["alerts"]} == {"RISK_UNKNOWN"}


def test_it_is_drawn_as_one_text() -> None:
    part = RiskOverview()
    part.draw(told(HELD))
    assert len(orjson.loads(part.state)["tiles"]) == 8

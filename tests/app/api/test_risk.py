from dataclasses import replace

import pytest
from portfolios import END, account_of
from risky import with_risk

from opportunity.errors import OpportunityError
from opportunity.live.portfolio import BreakerLine
from opportunity.storage.failures import StorageFull

STATUS, TAIL, LIMITS = "/api/risk/status", "/api/risk/var", "/api/risk/limits"
WHOLE, ALIKE = "/api/risk/portfolio-assessment", "/api/risk/check-correlation"
RESET = "/api/risk/breakers/reset"
HELD = {"BTC/USDT": 2_000.0, "ETH/USDT": -500.0}


@pytest.fixture
def room(world):
    return with_risk(world, account_of(HELD))


# -- status ------------------------------------------------------------------------------------


async def test_status_has_what_is_asked_and_the_nested_block(room):
    status, body, _ = await room.call("GET", STATUS)
    assert status == 200
    assert 0 < body["var95"] < body["es95"] < 0.05
    assert (body["leverage"], body["drawdown"], body["status"]) == (0.25, 0.0, "success")
    assert set(body["risk_status"]) == {
        "account_balance", "portfolio_value", "daily_risk_used", "daily_pnl", "open_positions",
        "current_drawdown", "max_drawdown", "daily_risk_limit", "position_limit", "can_trade",
    }  # fmt: skip
    assert body["limits"] == {
        "max_risk_per_trade": 0.01, "max_risk_per_day": 0.03, "max_positions": 5,
        "max_correlation": 0.7, "max_single_asset": 0.3, "max_drawdown": 0.15, "max_var_95": 0.05,
        "max_leverage": 3.0,
    }  # fmt: skip
    assert body["risk_status"]["open_positions"] == 2
    assert body["risk_status"]["account_balance"] == 8_500
    assert body["risk_status"]["portfolio_value"] == 10_000
    assert [line["state"] for line in body["breakers"]] == ["CLOSED"] * 4
    assert body["breakers"][0]["until"] is None
    assert (body["time"], body["timestamp"]) == (END, "2026-01-01T00:00:00.000Z")
    assert body["source"] == "simulated"


async def test_status_is_zero_not_null_with_nothing_held(room):
    room.services.paper.now = account_of()
    _, body, _ = await room.call("GET", STATUS)
    assert (body["var95"], body["leverage"], body["drawdown"], body["es95"]) == (0, 0, 0, 0)
    assert body["note"] == ""


async def test_status_is_null_where_it_is_not_known_and_says_why(room):
    room.services.paper.now = account_of({"GONE/USDT": 100.0})
    _, body, _ = await room.call("GET", STATUS)
    assert body["var95"] is None
    assert body["leverage"] == 0.01
    assert "GONE/USDT" in body["note"]


async def test_status_of_a_losing_day(room):
    line = BreakerLine("daily_loss", "OPEN", END + 5, END, 1, "loss of the day")
    room.services.paper.now = account_of(
        day_pnl=-400.0, day_pnl_pct=-0.04, drawdown=0.1, can_trade=False, why_not="daily_loss",
        breakers=(line,),
    )  # fmt: skip
    _, body, _ = await room.call("GET", STATUS)
    assert body["risk_status"]["daily_risk_used"] == 0.04
    assert body["risk_status"]["can_trade"] is False
    assert (body["why_not"], body["drawdown"]) == ("daily_loss", 0.1)
    assert body["breakers"][0] == {
        "name": "daily_loss", "state": "OPEN", "until": END + 5, "tripped": END, "n_trips": 1,
        "text": "loss of the day",
    }  # fmt: skip


@pytest.mark.parametrize(("method", "path"), [("GET", STATUS), ("GET", WHOLE), ("GET", TAIL),
                                              ("POST", RESET)])  # fmt: skip
async def test_before_the_account_is_open_everybody_is_asked_to_wait(room, method, path):
    room.services.paper.now = None
    problem = await room.refused(503, method, path)
    assert problem["code"] == "no_account"
    assert problem["retry_after_s"] > 0


# -- assessment, tails, correlation --------------------------------------------------------------


async def test_assessment_has_both_shapes(room):
    status, body, _ = await room.call("GET", WHOLE)
    assert status == 200
    assert {
        "assessment_time", "overall_risk_score", "risk_level", "portfolio_value", "var_analysis",
        "concentration_analysis", "correlation_analysis", "drawdown_analysis",
        "liquidity_analysis", "alerts", "recommendations", "total_pnl", "pnl_pct", "drawdown",
        "var", "risk_checks", "overall_risk",
    } <= set(body)  # fmt: skip
    parts = [body[f"{name}_analysis"]["score"]
             for name in ("var", "concentration", "correlation", "drawdown")]  # fmt: skip
    assert body["overall_risk_score"] == pytest.approx(sum(parts))
    assert body["risk_level"] == body["overall_risk"] == "LOW"
    assert body["risk_checks"] == {
        "daily_risk_ok": True, "drawdown_ok": True, "var_ok": True, "positions_ok": True,
    }  # fmt: skip
    assert len(body["stress"]) == 9
    assert {one["name"]: one["pnl"] for one in body["stress"]}["all_down_20"] == pytest.approx(-300)
    assert body["concentration_analysis"]["by_asset"] == HELD
    assert (body["timeframe"], body["n_rows"], body["missing"]) == ("1d", 499, {})


async def test_assessment_of_nothing_and_of_the_unknown(room):
    room.services.paper.now = account_of()
    _, body, _ = await room.call("GET", WHOLE)
    assert (body["overall_risk_score"], body["risk_level"], body["alerts"]) == (0, "LOW", [])
    assert body["liquidity_analysis"] == {"share": 0.01, "longest_hours": 0, "hours": {}}
    room.services.paper.now = account_of({"GONE/USDT": 900.0})
    _, body, _ = await room.call("GET", WHOLE)
    assert (body["overall_risk_score"], body["risk_level"]) == (None, None)
    assert body["risk_checks"]["var_ok"] is None
    assert [alert["code"] for alert in body["alerts"]] == ["RISK_UNKNOWN"]
    assert body["missing"] == {"GONE/USDT": "there is no history of GONE/USDT"}


async def test_tails_by_every_method_and_position(room):
    _, body, _ = await room.call("GET", TAIL)
    assert [one["method"] for one in body["methods"]] == [
        "historical", "parametric", "cornish_fisher", "monte_carlo",
    ]  # fmt: skip
    total = 0.0
    for part in body["components"]:
        total += part["component"]
    assert total == body["component_var"]
    assert body["component_var"] == pytest.approx(body["var"])
    assert (body["level"], body["horizon_days"], body["horizon_bars"]) == (0.95, 1, 1)
    assert body["var_fraction"] == pytest.approx(body["var"] / 10_000)
    assert 0 <= body["shrinkage"] <= 1
    assert (body["timeframe"], body["n_rows"]) == ("1d", 499)


async def test_tails_at_another_level_and_horizon(room):
    _, one, _ = await room.call("GET", TAIL)
    _, other, _ = await room.call("GET", TAIL + "?confidence=0.99&horizon=4&method=historical")
    assert (other["level"], other["method"]) == (0.99, "historical")
    normal = {m["method"]: m["var"] for m in other["methods"]}["parametric"]
    assert normal == pytest.approx(one["var"] * 2 * 2.326348 / 1.644854, rel=1e-6)
    problem = await room.refused(400, "GET", TAIL + "?confidence=0.99&level=0.95")
    assert problem["code"] == "contradiction"
    for bad in ("level=1", "level=0.5", "horizon=0", "horizon=366", "method=guess", "x=1"):
        await room.refused(422, "GET", f"{TAIL}?{bad}")


async def test_correlation_with_what_is_held(room):
    _, body, _ = await room.call("POST", ALIKE, json={"new_position": "SOLUSDT"})
    assert (body["status"], body["allowed"], body["limit"]) == ("allowed", True, 0.7)
    assert [pair["symbol"] for pair in body["pairs"]] == ["BTC/USDT", "ETH/USDT"]
    assert body["pairs"][1]["together"] == pytest.approx(-body["pairs"][1]["correlation"])
    room.services.paper.trading.risk.max_correlation = 0.2
    _, body, _ = await room.call("POST", ALIKE, json={"new_position": {"symbol": "SOL/USDT"}})
    assert (body["status"], body["allowed"]) == ("refused", False)
    assert [pair["symbol"] for pair in body["correlated_assets"]] == ["BTC/USDT"]
    assert "at most 0.2" in body["reason"]


async def test_correlation_with_what_is_named(room):
    asked = {
        "new_position": {"symbol": "BTCUSDT", "direction": "SHORT"},
        "existing_positions": ["BTC/USDT", {"symbol": "ETH/USDT", "direction": "SELL"}],
    }
    _, body, _ = await room.call("POST", ALIKE, json=asked)
    assert [pair["together"] for pair in body["pairs"]][1] == -1
    _, body, _ = await room.call("POST", ALIKE, json=asked | {"existing_positions": []})
    assert (body["max_correlation"], body["reason"]) == (0, "nothing else is held")
    problem = await room.refused(404, "POST", ALIKE, json={"new_position": "NOPE/USDT"})
    assert problem["code"] == "unknown_symbol"
    await room.refused(422, "POST", ALIKE, json={})


# -- limits and breakers -------------------------------------------------------------------------


async def test_limits_are_read_and_changed_in_part(room):
    status, body, headers = await room.call("GET", LIMITS)
    assert (status, headers["Etag"], body["version"]) == (200, '"1"', 1)
    assert body["limits"]["max_var95"] == 0.05
    status, body, headers = await room.call(
        "PUT", LIMITS, json={"max_drawdown": 0.1, "risk_per_trade": 0.02, "why": "calmer"},
        headers={"If-Match": '"1"'},
    )  # fmt: skip
    assert (status, headers["Etag"], body["version"]) == (200, '"2"', 2)
    assert (body["limits"]["max_drawdown"], body["limits"]["risk_per_trade"]) == (0.1, 0.02)
    assert room.services.paper.done == [
        ("limits", {"max_drawdown": 0.1, "risk_per_trade": 0.02}, "api", "calmer")
    ]
    status, _, _ = await room.call("GET", LIMITS, headers={"If-None-Match": '"2"'})
    assert status == 304


async def test_limits_take_the_names_of_the_status(room):
    asked = {"max_risk_per_day": 0.05, "max_single_asset": 0.2, "max_var_95": 0.04,
             "max_risk_per_trade": 0.02}  # fmt: skip
    _, body, _ = await room.call("PUT", LIMITS, json=asked)
    found = body["limits"]
    assert (found["max_daily_loss"], found["max_position"]) == (0.05, 0.2)
    assert (found["max_var95"], found["risk_per_trade"]) == (0.04, 0.02)
    both = {"max_var95": 0.04, "max_var_95": 0.05}
    problem = await room.refused(400, "PUT", LIMITS, json=both)
    assert (problem["code"], problem["field"]) == ("contradiction", "max_var95")


@pytest.mark.parametrize(
    ("body", "text"),
    [({"max_drawdwn": 0.1}, "Did you mean 'max_drawdown'"), ({"max_drawdown": 2}, "less than or"),
     ({"max_positions": 0}, "greater than or"), ({"max_positions": 2.5}, "integer"),
     ({}, "must name a limit"), ({"why": "nothing"}, "must name a limit")],
)  # fmt: skip
async def test_limits_that_break_a_rule_are_refused(room, body, text):
    problem = await room.refused(422, "PUT", LIMITS, json=body)
    assert text in str(problem["errors"])
    assert room.services.paper.done == []


@pytest.mark.parametrize(("tag", "status"), [('"0"', 412), ('W/"1"', 412), ("1", 400)])
async def test_limits_with_a_stale_tag_are_refused(room, tag, status):
    asked = {"json": {"max_drawdown": 0.1}, "headers": {"If-Match": tag}}
    await room.refused(status, "PUT", LIMITS, **asked)
    assert room.services.paper.done == []


async def test_breakers_are_reset_by_name_or_all(room):
    status, body, _ = await room.call("POST", RESET, json={"name": "drawdown", "why": "seen"})
    assert status == 200
    assert body["can_trade"] is True
    assert len(body["breakers"]) == 4
    await room.call("POST", RESET)
    assert room.services.paper.done == [
        ("breakers", "drawdown", "api", "seen"), ("breakers", None, "api", ""),
    ]  # fmt: skip
    await room.refused(422, "POST", RESET, json={"name": "drawdwn"})


@pytest.mark.parametrize(("method", "path", "body"), [("PUT", LIMITS, {"max_drawdown": 0.1}),
                                                      ("POST", RESET, {})])  # fmt: skip
async def test_writes_wait_while_nothing_can_be_stored(room, method, path, body):
    room.services.paper.now = replace(account_of(), storage="disk is full at /secret")
    problem = await room.refused(503, method, path, json=body)
    assert (problem["code"], problem["retry_after_s"]) == ("read_only", 5)
    assert "secret" not in str(problem)
    assert room.services.paper.done == []
    room.services.paper.now = account_of()
    room.services.paper.failure = StorageFull("no room at /secret")
    problem = await room.refused(503, method, path, json=body)
    assert "secret" not in str(problem)
    status, _, _ = await room.call("GET", STATUS)
    assert status == 200


async def test_breakers_of_an_agent_that_does_not_trade_are_left_alone(room):
    room.services.paper.failure = OpportunityError("the agent must trade to be told, does not")
    assert (await room.refused(409, "POST", RESET))["code"] == "not_now"

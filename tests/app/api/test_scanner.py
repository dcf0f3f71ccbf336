import pytest

from opportunity.contracts import DETECTOR_NAMES
from opportunity.scoring.presets import PRESETS

PATH = "/api/scanner/run"
LOOSE = {"type": "any", "threshold": 0.5, "min_confidence": 0.0, "max_risk": "HIGH",
         "min_volume_usd": 0, "exclude_neutral": False}  # fmt: skip
COLUMNS = ("success", "risk", "whales", "smc", "elliott", "price_action", "ict", "final_score")


async def test_run_ranks_both_sides_with_every_field(world):
    asked = {"symbols": ["BTCUSDT", "eth-usdt", "SOL/USDT"], "timeframes": ["15m", "1h"],
             "rules": LOOSE}  # fmt: skip
    status, body, _ = await world.call("POST", PATH, json=asked)
    assert (status, body["status"], body["source"]) == (200, "success", "simulated")
    assert body["symbols_scanned"] == 3
    assert body["opportunities_found"] == len(body["results"]) == 3
    assert body["scan_time"] == "2026-01-01T00:00:00.000Z"
    assert body["meta"]["rule"] == "any"
    assert body["meta"]["cache_hits"] == 3
    assert [row["rank"] for row in body["results"]] == [1, 2, 3]
    assert {row["direction"] for row in body["results"]} == {"BULLISH", "BEARISH"}
    for row in body["results"]:
        assert row["id"] == row["symbol"].replace("/", "")
        assert all(row[name] is None or 0 <= row[name] <= 1 for name in COLUMNS)
        assert row["final_score"] == row["overall_score"]
        assert row["direction"] == row["overall_direction"]
        assert row["advice"] == f"{row['recommended_action']} - Risk: {row['risk_level']}"
        assert set(row["timeframes"]) == {"15m", "1h"} == set(row["timeframe_breakdown"])
        assert row["tf_count"] == 2
        parts = row["timeframe_breakdown"]["1h"]["components"]
        assert [part["detector"] for part in parts] == list(DETECTOR_NAMES)
        assert row["success"] is None
        assert row["whales"] is None
        assert 0 <= row["price_action"] <= 1


async def test_run_without_anything_scans_the_universe(world):
    status, body, _ = await world.call("POST", PATH)
    assert status == 200
    assert body["symbols_scanned"] == world.services.settings.max_symbols
    assert body["meta"]["rule"] == world.services.rules.type


async def test_request_weights_leak_to_nobody(world):
    before = world.services.weights.as_dict()
    asked = {"symbols": ["BTCUSDT"], "weights": PRESETS["aggressive"], "rules": LOOSE}
    _, mine, _ = await world.call("POST", PATH, json=asked)
    _, shared, _ = await world.call("POST", PATH, json={**asked, "weights": before})
    assert mine["results"][0]["final_score"] != shared["results"][0]["final_score"]
    assert world.services.weights.as_dict() == before


async def test_unknown_symbol_fails_alone(world):
    asked = {"symbols": ["BTCUSDT", "NOPEUSDT"], "rules": LOOSE}
    status, body, _ = await world.call("POST", PATH, json=asked)
    assert (status, body["symbols_scanned"]) == (200, 1)
    assert [e["symbol"] for e in body["errors"]] == ["NOPEUSDT"]
    assert body["meta"]["errors"] == 1


async def test_timeframes_that_are_not_scored_come_from_history_unless_quick(world):
    asked = {"symbols": ["BTCUSDT"], "timeframes": ["1d", "12h", "6h", "1w"], "rules": LOOSE}
    status, body, _ = await world.call("POST", PATH, json=asked)
    assert status == 200
    assert body["meta"]["cache_hits"] == 0
    assert body["errors"] == [{"symbol": "BTC/USDT", "message": "too little"}]
    problem = await world.refused(400, "POST", PATH, json={**asked, "quick": True})
    assert problem["field"] == "timeframes"


@pytest.mark.parametrize(
    "rules",
    [
        {"mode": "aggressive", "any_tf_threshold": 0.5, "majority_tf_threshold": 0.99},
        {"rules": {"mode": "aggressive", "any_tf": 0.5, "majority_tf": 0.99}},
        {"rules": {"min_score": 0.5, "max_risk_level": "HIGH", "quick_scan": True}},
        {"rules": {"type": "any", "threshold": 0.5}, "quick": True},
    ],
)
async def test_older_shapes_of_rules_are_understood(world, rules):
    status, body, _ = await world.call("POST", PATH, json={"symbols": ["BTCUSDT"], **rules})
    assert status == 200
    assert body["meta"]["rule"] in ("any", "threshold")
    assert body["opportunities_found"] == 1


@pytest.mark.parametrize(
    "rules",
    [
        {"mode": "aggressive", "rules": {"type": "any"}},
        {"min_confidence": 0.1, "rules": {"min_confidence": 0.1}},
        {"rules": {"threshold": 0.5, "min_score": 0.5}},
        {"quick": True, "rules": {"quick_scan": True}},
    ],
)
async def test_one_rule_under_two_names_is_refused(world, rules):
    problem = await world.refused(400, "POST", PATH, json={"symbols": ["BTCUSDT"], **rules})
    assert problem["code"] == "rule_twice"


@pytest.mark.parametrize(
    ("asked", "expected", "field"),
    [
        ({"symbols": []}, 422, "symbols"),
        ({"symbols": [f"A{i}/USDT" for i in range(5)]}, 422, "symbols"),
        ({"symbols": ["?"]}, 422, "symbols.0"),
        ({"symbols": ["??"]}, 422, "symbols.0"),
        ({"symbols": ["NOPE/USDT"]}, 404, "symbol"),
        ({"timeframes": []}, 422, "timeframes"),
        ({"timeframes": ["3m"]}, 422, "timeframes.0"),
        ({"weights": {"smc": 1}}, 422, "weights.harmonic"),
        ({"weights": PRESETS["balanced"] | {"smc": 0.3}}, 400, "weights"),
        ({"rules": {"max_risk": "SOME"}}, 422, "rules.max_risk"),
        ({"rules": {"direction": "NEUTRAL"}}, 422, "rules.direction"),
        ({"rules": {"exclude_symbols": ["??"]}}, 422, "rules.exclude_symbols.0"),
        ({"symbol": ["BTCUSDT"]}, 422, "symbol"),
    ],
)
async def test_bad_request_names_its_field(world, asked, expected, field):
    problem = await world.refused(expected, "POST", PATH, json=asked)
    assert problem["field"] == field


async def test_excluded_symbol_is_not_ranked(world):
    asked = {"symbols": ["BTCUSDT", "SOLUSDT"], "rules": LOOSE | {"exclude_symbols": ["btc-usdt"]}}
    _, body, _ = await world.call("POST", PATH, json=asked)
    assert [row["symbol"] for row in body["results"]] == ["SOL/USDT"]


async def test_direction_of_a_request_wins_over_the_shared_one_also_when_null(world):
    world.services.rules.direction = "BEARISH"
    _, body, _ = await world.call("POST", PATH, json={"rules": LOOSE})
    assert {row["direction"] for row in body["results"]} == {"BEARISH"}
    _, body, _ = await world.call("POST", PATH, json={"rules": LOOSE | {"direction": None}})
    assert {row["direction"] for row in body["results"]} >= {"BULLISH", "BEARISH"}


async def test_server_without_scores_answers_503(world):
    world.services.market = None
    status, problem, headers = await world.call("POST", PATH, json={"symbols": ["BTCUSDT"]})
    assert (status, problem["code"]) == (503, "warming_up")
    assert headers["Retry-After"] == str(problem["retry_after_s"])

"""Promotion: refused with every guard, forced with a name and a reason, refused early if odd."""

import pytest

from app import promote as promotion
from app.api import promote as module
from opportunity.backtest.guards import Guard, Guards
from opportunity.scoring.presets import PRESETS

URL = "/api/weights/promote"
RUN = {
    "symbol": "BTCUSDT", "start_date": "2024-01-01", "end_date": "2024-01-11",
    "timeframes": ["1h"], "rules": {"min_score": 0.5, "min_confidence": 0.0},
    "weights": PRESETS["aggressive"],
}  # fmt: skip


@pytest.fixture
async def done(world):
    """A finished backtest of ten days: far too little for any guard."""
    status, body, _ = await world.call("POST", "/api/backtest/run", json=RUN)
    assert status == 200
    return body["id"]


@pytest.fixture
def passing(monkeypatch):
    guard = Guard("trades", 99.0, 30.0, True, "99 trades are enough to judge.")
    monkeypatch.setattr("opportunity.backtest.guards.judge", lambda evidence: Guards((guard,)))


async def test_a_failing_guard_refuses_with_the_reason_and_nothing_changes(world, done):
    before = world.services.weights.as_dict()
    problem = await world.refused(409, "POST", URL, json={"id": done})
    assert problem["code"] == "guards_failed"
    names = {guard["name"]: guard["passed"] for guard in problem["guards"]}
    assert set(names) == {"trades", "probabilistic_sharpe", "track_record", "deflated_sharpe",
                          "pbo", "equal_weights"}  # fmt: skip
    failed = next(guard for guard in problem["guards"] if not guard["passed"])
    assert failed["text"] in problem["detail"]
    assert world.services.weights.as_dict() == before
    assert world.services.backtests.promotions.rows == []


async def test_force_is_written_down_with_who_and_why(world, done):
    asked = {"id": done, "force": True, "by": "ann", "why": "paper only"}
    status, body, _ = await world.call("POST", URL, json=asked)
    assert status == 200, body
    assert (body["target"], body["forced"], body["version"]) == ("live", True, 2)
    assert body["weights"] == PRESETS["aggressive"]
    assert world.services.weights.as_dict() == PRESETS["aggressive"]
    (row,) = world.services.backtests.promotions.rows
    assert (row.by, row.why, row.forced) == ("ann", "paper only", True)
    assert row.at > 0
    assert [g["name"] for g in row.guards] == [g["name"] for g in body["guards"]]


async def test_what_passes_needs_no_force(world, done, passing):
    asked = {"id": done, "weights": PRESETS["balanced"]}
    status, body, _ = await world.call("POST", URL, json=asked)
    assert status == 200, body
    assert body["forced"] is False
    assert body["trials"] == 2  # the backtest, and these other weights by being asked about
    assert world.services.weights.as_dict() == PRESETS["balanced"]
    assert world.services.backtests.promotions.rows[0].weights == PRESETS["balanced"]


async def test_a_preset_is_saved_and_the_live_weights_stay(world, done, passing):
    before = world.services.weights.as_dict()
    status, body, _ = await world.call("POST", URL, json={"id": done, "preset": "mine"})
    assert (status, body["target"], body["version"]) == (200, "mine", None)
    assert "mine" in {preset.name for preset in world.services.controls.presets()}
    assert world.services.weights.as_dict() == before


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "invalid"),
        ({"id": "nope"}, 404, "unknown_job"),
        ({"id": None, "force": True}, 422, "invalid"),
        ({"id": None, "force": True, "why": " "}, 422, "invalid"),
        ({"id": None, "by": " "}, 422, "invalid"),
        ({"id": None, "preset": "Balanced"}, 400, "protected_preset"),
        ({"id": None, "preset": "../x"}, 422, "invalid"),
        ({"id": None, "weights": dict.fromkeys(PRESETS["balanced"], 0.5)}, 400, "weights_sum"),
        ({"id": None, "surprise": 1}, 422, "invalid"),
    ],
)
async def test_odd_requests_are_refused_before_the_guards_are_asked(
    world, done, monkeypatch, body, status, code
):
    monkeypatch.setattr(promotion, "examine", None)
    asked = body | ({"id": done} if "id" in body and body["id"] is None else {})
    problem = await world.refused(status, "POST", URL, json=asked)
    assert problem["code"] == code


async def test_guards_that_take_too_long_change_nothing(world, done, monkeypatch):
    monkeypatch.setattr(module, "MOST_S", 0.0)
    problem = await world.refused(503, "POST", URL, json={"id": done})
    assert problem["code"] == "unavailable"
    job = world.services.backtests.jobs.all()[-1]
    await world.services.backtests.jobs.wait(job, 10)
    assert job.state == "cancelled"

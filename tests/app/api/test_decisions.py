import pytest
from journals import HOUR, IDEA, START, Room, ideas

from opportunity.storage.outcomes import OutcomeRepository, unknown_outcome

PATH = "/api/decisions"


@pytest.fixture
async def room(world, tmp_path):
    made = Room(tmp_path, [
        *ideas(30),
        IDEA._replace(
            time=START + 40 * HOUR, action="filtered", stopped_by=("min_score", "direction"),
            success=float("nan"), atr=float("nan"),
        ),
        IDEA._replace(
            time=START + 41 * HOUR, action="refused", stopped_by=("max_positions",), side=-1,
            order_number=9,
        ),
    ])  # fmt: skip
    world.services.journal = made.service
    yield made
    await made.close()


async def test_decisions_come_newest_first_with_their_words_and_outcomes(world, room) -> None:
    await room.judged()
    status, body, _ = await world.call("GET", PATH + "?limit=3")
    assert (status, body["source"]) == (200, "simulated")
    first, second, third = body["decisions"]
    assert (first["action"], first["stopped_by"], first["side"]) == (
        "refused", ["max_positions"], "BEARISH"
    )
    assert first["why"].startswith(
        "Short idea refused: as many positions are open as the limit allows. Within 48 bars of 1h"
    )
    assert (first["order"], first["order_status"]) == (9, None)
    assert [o["horizon"] for o in first["outcomes"]] == [4, 12, 24, 48]
    assert all(o["right"] in (True, False) and -1 <= o["r"] <= 1 for o in first["outcomes"])
    assert all(o["best"] >= 0 >= o["worst"] for o in first["outcomes"])
    assert (second["success"], second["atr"]) == (None, None)
    assert second["outcomes"][0] == {
        "horizon": 4, "known": second["outcomes"][0]["known"], "barrier": "unknown", "right": None,
        "r": None, "move": None, "move_atr": None, "best": None, "worst": None,
    }
    assert sum(third["contributions"].values()) == pytest.approx(third["net"], abs=1e-12)
    assert body["next"] == third["id"]
    after = (await world.call("GET", f"{PATH}?limit=500&after={third['id']}"))[1]
    assert (len(after["decisions"]), after["next"]) == (59, None)


async def test_what_is_asked_for_is_what_comes(world, room) -> None:
    asked = {
        "?symbol=eth-usdt": 30, "?action=filtered": 1, "?stopped_by=direction": 1,
        f"?since={START + 40 * HOUR}": 2, f"?since={START}&until={START + 2 * HOUR}": 4,
        "?symbol=XYZUSDT": 0,
    }  # fmt: skip
    for query, n in asked.items():
        assert len((await world.call("GET", PATH + query))[1]["decisions"]) == n


async def test_a_bad_question_names_its_field(world, room) -> None:
    bad = {
        "?symbol=%3F%3F": "symbol", "?action=odd": "action", "?limit=501": "limit",
        "?since=-1": "since", "?after=x": "after", "?until=-1": "until", "?book=x": "book",
        "?stopped_by=": "stopped_by", "?stopped_by=max_postions": "stopped_by",
        "?action=enterd": "action",
    }  # fmt: skip
    for query, field in bad.items():
        assert (await world.refused(422, "GET", PATH + query))["field"] == field
    problem = await world.refused(422, "GET", PATH + "?stopped_by=max_postions")
    assert "Did you mean 'max_positions'?" in problem["detail"]


@pytest.mark.parametrize("name", ["losing_streak", "max_losses"])
async def test_a_breaker_is_its_limit(world, tmp_path, name) -> None:
    made = Room(tmp_path, [IDEA._replace(action="refused", stopped_by=("max_losses",))])
    world.services.journal = made.service
    (found,) = (await world.call("GET", f"{PATH}?stopped_by={name}"))[1]["decisions"]
    assert "losing streak: too many trades in a row were lost" in found["why"]
    await made.close()


async def test_the_summary_says_what_each_rule_cost(world, room) -> None:
    OutcomeRepository(room.engine, "simulated-7").add([
        unknown_outcome(d, START)
        for d in OutcomeRepository(room.engine, "simulated-7").due(START + 999 * HOUR, 0, 500)
        if d.time >= START + 40 * HOUR
    ])  # fmt: skip
    await room.judged()
    status, body, _ = await world.call("GET", PATH + "/summary?horizon=12")
    assert (status, body["horizon"], body["n"]) == (200, 12, 60)
    told = {gate["name"]: gate for gate in body["gates"]}
    assert next(iter(told)) == "entered"
    assert set(told) == {"entered", "min_score", "direction", "max_positions"}
    assert (told["entered"]["n"], told["entered"]["kind"]) == (60, "action")
    hits = told["entered"]["all"]["hit_rate"]
    assert hits["n"] == 60
    assert 0 <= hits["value"] <= 1
    assert hits["low"] is None  # 30 moments are fewer than five blocks
    assert (told["min_score"]["n"], told["min_score"]["n_alone"]) == (1, 0)
    assert told["min_score"]["alone"]["mean_r"] == {
        "n": 0, "value": None, "low": None, "high": None, "n_effective": None
    }
    assert (await world.refused(422, "GET", PATH + "/summary?horizon=5"))["field"] == "horizon"

"""Challengers over REST: added, listed, followed, ended, promoted past one more guard."""

import pytest
from shadowed import DAY, MARKET, MIDNIGHT, contest, wall

from app.audit import Audit
from app.shadows import Shadows
from opportunity.backtest.guards import Guard, Guards
from opportunity.scoring.presets import PRESETS
from opportunity.storage.database import open_database
from opportunity.storage.events import EventRepository
from opportunity.storage.shadows import MOST_SHADOWS, ShadowRepository

URL = "/api/shadows"
BOLD = PRESETS["aggressive"]
RUN = {
    "symbol": "BTCUSDT", "start_date": "2024-01-01", "end_date": "2024-01-11",
    "timeframes": ["1h"], "rules": {"min_score": 0.5, "min_confidence": 0.0},
}  # fmt: skip


class Running:
    """What is asked of an agent here."""

    time, trading = 1_234, "paper"

    def set_challengers(self, challengers: tuple) -> None:
        self.challengers = challengers


@pytest.fixture
def engine(tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    yield engine
    engine.dispose()


@pytest.fixture
def served(world, engine):
    audit = Audit(EventRepository(engine, wall), lambda: 0)
    kept = ShadowRepository(engine, MARKET, wall)
    world.services.shadows = Shadows(kept, Running(), audit, world.services.hub)
    return world


@pytest.fixture
async def bold(served):
    status, body, _ = await served.call("POST", URL, json={"name": "bold", "weights": BOLD})
    assert status == 200, body
    return body["shadow"]


@pytest.fixture
def passing(monkeypatch):
    guard = Guard("trades", 99.0, 30.0, True, "99 trades are enough to judge.")
    monkeypatch.setattr("opportunity.backtest.guards.judge", lambda evidence: Guards((guard,)))


@pytest.fixture
async def done(served):
    """A finished backtest of ten days."""
    status, body, _ = await served.call("POST", "/api/backtest/run", json=RUN)
    assert status == 200
    return body["id"]


async def test_new_one_is_told_before_it_trades(served, bold):
    assert (bold["name"], bold["weights"], bold["stopped_at"]) == ("bold", BOLD, None)
    assert (bold["equity"], bold["since"], bold["trades"]) == (None, None, 0)
    assert bold["why_since"] == "it has not traded yet"
    assert bold["verdict"] == "not distinguishable yet"
    assert bold["interval"]["days"] == 0
    status, body, _ = await served.call("GET", URL)
    assert status == 200
    assert (body["most"], body["source"], body["champion_equity"]) == (16, "simulated", None)
    assert body["shadows"] == [bold]


async def test_preset_gives_its_weights(served):
    asked = {"name": "from preset", "preset": "conservative", "note": "steady"}
    status, body, _ = await served.call("POST", URL, json=asked)
    assert status == 200
    assert body["shadow"]["weights"] == PRESETS["conservative"]
    assert (body["shadow"]["note"], body["source"]) == ("steady", "simulated")
    problem = await served.refused(404, "POST", URL, json={"name": "x", "preset": "balancd"})
    assert (problem["code"], problem["field"]) == ("unknown_preset", "preset")
    assert "Did you mean 'balanced'" in problem["detail"]


async def test_sum_is_settled_like_that_of_the_weights(served):
    off = BOLD | {"smc": 0.9}
    problem = await served.refused(400, "POST", URL, json={"name": "x", "weights": off})
    assert problem["code"] == "weights_sum"
    status, body, _ = await served.call(
        "POST", URL + "?normalize=true", json={"name": "x", "weights": off}
    )
    assert status == 200
    assert sum(body["shadow"]["weights"].values()) == pytest.approx(1)


async def test_list_tells_what_is_known(served, bold, engine):
    contest(engine, "bold", 40, 0.01)
    _, body, _ = await served.call("GET", URL)
    (line,) = body["shadows"]
    assert (line["verdict"], line["text"]) == ("better", "better (40 days)")
    interval = line["interval"]
    assert interval["high"] < 0 > interval["mean"]  # champion less challenger
    assert (interval["days"], interval["more_days"], interval["alpha"]) == (40, 0, 0.05)
    assert line["difference"] == pytest.approx(line["champion_return"] - line["total_return"])
    assert line["difference"] < -0.3
    assert line["equity"] == pytest.approx(10_000 * (1 + line["total_return"]))
    assert (line["since"], line["why_since"]) == (MIDNIGHT, "it began")
    assert body["champion_equity"] == pytest.approx(10_000 * (1 + line["champion_return"]))
    assert body["time"] == MIDNIGHT + 40 * DAY


async def test_one_has_curves_and_the_interval_over_time(served, bold, engine):
    contest(engine, "bold", 12, 0.01)
    status, body, _ = await served.call("GET", URL + "/bold")
    assert status == 200
    assert [p["time"] for p in body["curve"][::48]] == [MIDNIGHT, MIDNIGHT + 12 * DAY]
    assert len(body["curve"]) == 49
    assert body["curve"][0] == {"time": MIDNIGHT, "champion": 1.0, "challenger": 1.0}
    assert [d["day"] for d in body["days"]] == [MIDNIGHT + (i + 1) * DAY for i in range(12)]
    assert all(d["low"] <= d["mean"] <= d["high"] for d in body["days"])
    assert body["chapters"] == [{"time": MIDNIGHT, "why": "it began"}]
    assert body["source"] == "simulated"


async def test_ended_one_stays(served, bold, engine):
    contest(engine, "bold", 3, 0.01)
    for _ in range(2):
        status, body, _ = await served.call("DELETE", URL + "/bold")
        assert (status, body["status"]) == (200, "success")
        assert body["shadow"]["stopped_at"] == wall()
    _, body, _ = await served.call("GET", URL + "/bold")
    assert len(body["days"]) == 3
    problem = await served.refused(409, "POST", URL, json={"name": "bold", "preset": "balanced"})
    assert problem["code"] == "conflict"


@pytest.mark.parametrize(("method", "path"), [
    ("GET", "/bald"), ("DELETE", "/bald"), ("POST", "/bald/promote"),
])  # fmt: skip
async def test_unknown_one_is_told_with_the_nearest(served, bold, method, path):
    body = {"json": {"id": "x"}} if method == "POST" else {}
    problem = await served.refused(404, method, URL + path, **body)
    assert problem["code"] == "unknown_shadow"
    assert "Did you mean 'bold'" in problem["detail"]


@pytest.mark.parametrize("asked", [
    {}, {"name": "x"}, {"name": "x", "preset": "balanced", "weights": BOLD},
    {"name": "a/b", "preset": "balanced"}, {"name": "x", "preset": "balanced", "note": "n" * 201},
    {"name": "x", "preset": "balanced", "surprise": 1},
])  # fmt: skip
async def test_odd_requests_are_refused(served, asked):
    problem = await served.refused(422, "POST", URL, json=asked)
    assert problem["code"] == "invalid"


async def test_odd_names_and_queries_are_refused(served):
    await served.refused(422, "GET", URL + "/%3Cb%3E")
    await served.refused(422, "POST", URL + "?surprise=1", json={"name": "x", "preset": "balanced"})
    asked = {"name": "balanced", "preset": "balanced"}
    problem = await served.refused(400, "POST", URL, json=asked)
    assert problem["code"] == "protected_preset"


async def test_seventeenth_is_refused(served):
    for i in range(MOST_SHADOWS):
        asked = {"name": f"n{i}", "preset": "balanced"}
        assert (await served.call("POST", URL, json=asked))[0] == 200
    problem = await served.refused(409, "POST", URL, json=asked | {"name": "more"})
    assert "at most 16" in problem["detail"]


async def test_broken_database_is_a_503(served, engine, monkeypatch):
    from opportunity.storage.failures import DatabaseError

    def broken(self, *args):
        raise DatabaseError("secret place")

    for name in ("read", "find", "stop", "add"):
        monkeypatch.setattr(ShadowRepository, name, broken)
    asked = {"json": {"name": "x", "preset": "balanced"}}
    for method, path, more in (
        ("GET", "", {}), ("GET", "/bold", {}), ("DELETE", "/bold", {}), ("POST", "", asked),
    ):  # fmt: skip
        problem = await served.refused(503, method, URL + path, **more)
        assert "secret" not in str(problem)


async def test_promotion_demands_that_it_is_better(served, bold, engine, done, passing):
    contest(engine, "bold", 40, 0.0001)
    before = served.services.weights.as_dict()
    problem = await served.refused(409, "POST", URL + "/bold/promote", json={"id": done})
    assert problem["code"] == "guards_failed"
    assert [(g["name"], g["passed"]) for g in problem["guards"]] == [("shadow", False)]
    assert "not distinguishable yet (40 days" in problem["detail"]
    assert served.services.weights.as_dict() == before
    assert served.services.backtests.promotions.rows == []


async def test_better_one_passes_with_the_other_guards(served, bold, engine, done, passing):
    contest(engine, "bold", 40, 0.01)
    status, body, _ = await served.call("POST", URL + "/bold/promote", json={"id": done})
    assert status == 200, body
    assert (body["target"], body["forced"], body["weights"]) == ("live", False, BOLD)
    assert [g["name"] for g in body["guards"]] == ["shadow", "trades"]
    assert served.services.weights.as_dict() == BOLD
    (row,) = served.services.backtests.promotions.rows
    assert row.guards[0]["name"] == "shadow"
    assert row.guards[0]["value"] < 0


async def test_better_one_does_not_pass_the_other_guards(served, bold, engine, done):
    contest(engine, "bold", 40, 0.01)
    problem = await served.refused(409, "POST", URL + "/bold/promote", json={"id": done})
    names = {g["name"]: g["passed"] for g in problem["guards"]}
    assert names["shadow"] is True
    assert names["trades"] is False


async def test_force_asks_all_and_is_written_down(served, bold, engine, done, passing):
    contest(engine, "bold", 40, -0.01)
    path = URL + "/bold/promote"
    problem = await served.refused(422, "POST", path, json={"id": done, "force": True})
    assert problem["field"] == "why"
    asked = {"id": done, "force": True, "by": "ann", "why": "paper only", "preset": "mine"}
    status, body, _ = await served.call("POST", path, json=asked)
    assert status == 200, body
    assert (body["forced"], body["target"], body["version"]) == (True, "mine", None)
    (row,) = served.services.backtests.promotions.rows
    assert (row.forced, row.why) == (True, "paper only")
    assert [g["passed"] for g in row.guards] == [False, True]


async def test_only_a_backtest_can_be_asked(served, bold):
    problem = await served.refused(404, "POST", URL + "/bold/promote", json={"id": "nope"})
    assert problem["code"] == "unknown_job"


async def test_promotion_without_a_backtest_says_which_id_it_needs(served, bold):
    problem = await served.refused(422, "POST", URL + "/bold/promote", json={"force": True})
    assert problem["field"] == "id"
    assert "id: must be that of a finished backtest" in problem["detail"]

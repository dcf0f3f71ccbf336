import numpy as np
import pytest
from journals import START, Room, ideas

from opportunity.contracts import DETECTOR_NAMES

PATH = "/api/journal"
PARTS = ("summary", "reliability", "detectors", "symbols")


@pytest.fixture
async def room(world, tmp_path):
    made = Room(tmp_path, ideas(300))
    world.services.journal = made.service
    yield made
    await made.close()


@pytest.fixture
async def empty(world, tmp_path):
    made = Room(tmp_path)
    world.services.journal = made.service
    yield made
    await made.close()


@pytest.fixture
async def judged(room):
    await room.judged()
    return room


async def ask(world, part: str, query: str = ""):
    status, body, _ = await world.call("GET", f"{PATH}/{part}{query}")
    assert status == 200
    assert body["source"] == "simulated"
    return body


async def test_summary_counts_and_bounds(world, judged) -> None:
    body = await ask(world, "summary")
    assert (body["timeframe"], body["n_candidates"], body["error"]) == ("1h", 600, "")
    assert [(h["horizon"], h["judged"], h["unknown"], h["open"]) for h in body["horizons"]] == [
        (h, 600, 0, 0) for h in (4, 12, 24, 48)
    ]
    assert (body["horizon"], body["n"], body["first"]) == (24, 600, START)
    for name in ("hit_rate", "mean_r", "move_atr"):
        told = body["overall"][name]
        assert told["n"] == 600
        assert told["low"] <= told["value"] <= told["high"]
        assert 0 < told["n_effective"] <= 600
    assert [v["name"] for v in body["by_action"]] == ["entered"]
    assert {v["name"] for v in body["by_side"]} == {"BULLISH", "BEARISH"}
    assert [v["name"] for v in body["by_timeframe"]] == ["1h"]
    assert body["trial"]["limit"] == 20
    assert body["trial"]["n"] > 200
    assert body["trial"]["evidence"] > 0


async def test_reliability_holds_together(world, judged) -> None:
    body = await ask(world, "reliability", "?horizon=12")
    for name in ("success", "confidence"):
        told = body[name]
        assert told["n"] == sum(b["n"] for b in told["bins"]) == 600
        whole = (
            told["miscalibration"] - told["resolution"] + told["uncertainty"]
            + told["within_variance"] - told["within_covariance"]
        )  # fmt: skip
        assert told["brier"] == pytest.approx(whole, abs=1e-12)
        low, high = told["intervals"]["brier"]
        assert low <= told["brier"] <= high
        assert told["uncertainty"] == pytest.approx(told["hit_rate"] * (1 - told["hit_rate"]))
    assert body["success"]["bins"][0]["stated"] < body["success"]["bins"][-1]["stated"]


async def test_reliability_of_too_little_time_has_no_bounds(world, judged) -> None:
    told = (await ask(world, "reliability", "?horizon=48"))["success"]  # 300 hours, not 480
    assert told["n"] == 600
    assert {b["low"] for b in told["bins"]} == {b["high"] for b in told["bins"]} == {None}
    assert told["intervals"]["brier"] == [None, None]
    assert told["ece_chance"] is None


async def test_detectors_come_in_order_and_the_score_last(world, judged) -> None:
    body = await ask(world, "detectors", "?horizon=4")
    assert [d["verdict"]["name"] for d in body["detectors"]] == [*DETECTOR_NAMES, "score"]
    assert body["detectors"][-1]["agreed"] == 1
    assert all(-1 <= d["information"] <= 1 for d in body["detectors"])


async def test_symbols_and_a_later_beginning(world, judged) -> None:
    body = await ask(world, "symbols", f"?since={START + 290 * 3_600_000}")
    assert [v["name"] for v in body["symbols"]] == ["BTC/USDT", "ETH/USDT"]
    assert (body["n"], body["symbols"][0]["hit_rate"]["value"]) == (20, None)  # ten of each


async def test_decay_shows_windows_and_parameters(world, judged) -> None:
    body = await ask(world, "decay")
    assert (body["horizon"], body["window_ms"], body["limit"]) == (24, 96 * 3_600_000, 5)
    assert body["run_length"] > 900
    assert [one["name"] for one in body["series"]] == [*DETECTOR_NAMES, "score"]
    score = body["series"][-1]
    assert len(score["windows"]) in (3, 4)
    assert score["mean"] == pytest.approx(np.mean([w["coefficient"] for w in score["windows"]]))
    assert (score["alarms"], score["fall"]) == ([], 0)


async def test_nothing_judged_is_null_not_an_error(world, empty) -> None:
    for part in PARTS:
        body = await ask(world, part)
        assert (body["n"], body["first"], body["last"]) == (0, None, None)
        if part == "summary":
            assert (body["trial"], body["overall"]["hit_rate"]["value"]) == (None, None)
        if part == "reliability":
            assert (body["success"], body["confidence"]) == (None, None)
    assert (await ask(world, "decay"))["series"] == []


async def test_a_bad_question_names_its_field(world, empty) -> None:
    bad = (("?horizon=7", "horizon"), ("?since=-1", "since"), ("?until=1", "until"))
    for part in PARTS:
        for query, field in bad:
            assert (await world.refused(422, "GET", f"{PATH}/{part}{query}"))["field"] == field
    assert (await world.refused(422, "GET", PATH + "/decay?horizon=4"))["field"] == "horizon"

import asyncio

import pytest

from app.api.problems import ApiError
from app.api.weights import settle
from opportunity.contracts import DETECTOR_NAMES
from opportunity.contracts.weights import WeightConfig
from opportunity.scoring.presets import PRESETS

PATH = "/api/config/weights"
AGGRESSIVE = PRESETS["aggressive"]
RUNBOOK = dict(zip(DETECTOR_NAMES, (.15, .15, .20, .10, .15, .10, .10, .05, .05), strict=True))


async def test_get_returns_the_bare_nine_and_a_version(world):
    status, body, headers = await world.call("GET", PATH)
    assert status == 200
    assert list(body) == list(DETECTOR_NAMES)
    assert body == PRESETS["balanced"]
    assert headers["Etag"] == '"1"'
    status, _, _ = await world.call("GET", PATH, headers={"If-None-Match": '"1"'})
    assert status == 304


@pytest.mark.parametrize("wrapped", [False, True])
async def test_put_replaces_all_nine(world, wrapped):
    body = {"weights": AGGRESSIVE} if wrapped else AGGRESSIVE
    status, answer, headers = await world.call("PUT", PATH, json=body)
    assert (status, answer["status"], answer["version"]) == (200, "success", 2)
    assert answer["weights"] == AGGRESSIVE
    assert headers["Etag"] == '"2"'
    assert world.services.weights.as_dict() == AGGRESSIVE


async def test_put_of_wrong_sum_shows_sum_and_scaled_vector(world):
    problem = await world.refused(400, "PUT", PATH, json=RUNBOOK)
    assert problem["code"] == "weights_sum"
    assert problem["sum"] == pytest.approx(1.05)
    assert sum(problem["normalized"].values()) == pytest.approx(1)
    assert world.services.weights.as_dict() == PRESETS["balanced"]
    status, answer, _ = await world.call("PUT", PATH + "?normalize=true", json=RUNBOOK)
    assert status == 200
    assert answer["weights"] == pytest.approx(problem["normalized"])


async def test_put_scales_small_drift_away(world):
    drifted = AGGRESSIVE | {"smc": AGGRESSIVE["smc"] + 0.005}
    status, answer, _ = await world.call("PUT", PATH, json=drifted)
    assert status == 200
    assert sum(answer["weights"].values()) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (AGGRESSIVE | {"smc": -0.1}, "smc"),
        (AGGRESSIVE | {"smc": 1.1}, "smc"),
        (AGGRESSIVE | {"smc": "0.2"}, "smc"),
        (AGGRESSIVE | {"smc": None}, "smc"),
        (AGGRESSIVE | {"owner": 1}, "owner"),
        ({"smc": 1.0}, "harmonic"),
        ([], None),
    ],
)
async def test_put_of_broken_weights_breaks_the_schema(world, body, field):
    problem = await world.refused(422, "PUT", PATH, json=body)
    assert problem.get("field") == field
    assert world.services.controls.weights_version == 1


async def test_put_of_zeros_is_refused_even_normalized(world):
    zeros = dict.fromkeys(DETECTOR_NAMES, 0.0)
    await world.refused(400, "PUT", PATH + "?normalize=true", json=zeros)


@pytest.mark.parametrize("tag", ['"1"', "*", '"0", "1"'])
async def test_put_with_fresh_tag_passes(world, tag):
    status, _, _ = await world.call("PUT", PATH, json=AGGRESSIVE, headers={"If-Match": tag})
    assert status == 200


@pytest.mark.parametrize(("tag", "expected"), [('"0"', 412), ('W/"1"', 412), ("1", 400)])
async def test_put_with_stale_tag_is_refused(world, tag, expected):
    asked = {"json": AGGRESSIVE, "headers": {"If-Match": tag}}
    await world.refused(expected, "PUT", PATH, **asked)
    assert world.services.controls.weights_version == 1


async def test_concurrent_writers_lose_no_update(world):
    async def add_one(i: int) -> None:
        while True:
            _, body, headers = await world.call("GET", PATH)
            moved = body | {"news": body["news"] + 0.001, "whales": body["whales"] - 0.001}
            status, _, _ = await world.call(
                "PUT", PATH, json=moved, headers={"If-Match": headers["Etag"]}
            )
            if status == 200:
                return
            assert status == 412

    async with asyncio.TaskGroup() as group:
        for i in range(15):
            group.create_task(add_one(i))
    assert world.services.weights.news == pytest.approx(PRESETS["balanced"]["news"] + 0.015)
    assert world.services.controls.weights_version == 16


def test_settle_keeps_an_exact_vector_as_it_is():
    config = WeightConfig(**PRESETS["balanced"])
    assert settle(config, normalize=False) == PRESETS["balanced"]
    with pytest.raises(ApiError):
        settle(WeightConfig(**RUNBOOK), normalize=False)

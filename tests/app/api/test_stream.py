"""The stream by REST: events that were missed, and what only processes of this server may ask."""

import aiohttp
import pytest
from logins import PASSWORD

from app.auth.origins import EDGE
from opportunity.scoring.presets import PRESETS

WEIGHTS = "/api/config/weights"
OURS = ("/api/stream/changes", "/api/stream/caller")


async def changed(world, n: int) -> None:
    for i in range(n):
        weights = PRESETS["aggressive" if i % 2 else "conservative"]
        assert (await world.call("PUT", WEIGHTS, json=weights))[0] == 200


async def test_events_after_a_number_are_listed_as_the_stream_sends_them(world) -> None:
    _, before, _ = await world.call("GET", "/api/stream/events?channel=config")
    start = before["head"]
    async with world.http.ws_connect(f"{world.url}/ws/realtime") as socket:
        await socket.receive_json()
        await socket.send_json({"action": "subscribe", "symbols": [], "channels": ["config"]})
        await socket.receive_json()
        await changed(world, 3)
        sent = [await socket.receive_json() for _ in range(3)]
    status, told, _ = await world.call("GET", f"/api/stream/events?channel=config&after={start}")
    assert status == 200
    assert told == {
        "epoch": sent[0]["epoch"], "channel": "config", "after": start, "head": start + 3,
        "complete": True, "events": sent,
    }  # fmt: skip
    _, told, _ = await world.call("GET", f"/api/stream/events?channel=config&after={start + 2}")
    assert told["events"] == sent[2:]
    _, told, _ = await world.call("GET", f"/api/stream/events?channel=config&after={start + 3}")
    assert (told["complete"], told["events"]) == (True, [])


async def test_a_number_that_was_never_given_is_not_complete(world) -> None:
    _, told, _ = await world.call("GET", "/api/stream/events?channel=trade&after=99")
    assert (told["complete"], told["events"], told["head"]) == (False, [], 0)


@pytest.mark.parametrize("query", [
    "", "channel=signal", "channel=config&after=-1", "channel=config&after=x",
    "channel=config&limit=1", "channel=config&after=9007199254740993",
])  # fmt: skip
async def test_what_breaks_the_query_is_refused(world, query: str) -> None:
    await world.refused(422, "GET", f"/api/stream/events?{query}")


@pytest.mark.parametrize("path", OURS)
async def test_others_may_not_ask_what_processes_ask(world, path: str) -> None:
    for headers in ({}, {EDGE: ""}, {EDGE: "guess"}):
        problem = await world.refused(403, "GET", path, headers=headers)
        assert problem["code"] == "edge_only"
    body = {"callers": []}
    problem = await world.refused(403, "POST", "/api/stream/held", json=body)
    assert problem["code"] == "edge_only"


async def test_viewers_read_events_and_strangers_do_not(doors) -> None:
    doors.services.settings = doors.services.settings.model_copy(update={"auth": True})
    async with aiohttp.ClientSession() as http:
        url = f"{doors.url}/api/auth/login"
        async with http.post(url, json={"username": "vera", "password": PASSWORD}) as answer:
            token = (await answer.json())["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    path = "/api/stream/events?channel=alert"
    assert (await doors.call("GET", path, headers=headers))[0] == 200
    problem = await doors.refused(401, "GET", path, headers={"Authorization": "Bearer x.y.z"})
    assert problem["status"] == 401

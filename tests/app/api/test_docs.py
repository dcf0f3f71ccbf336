"""The documents and their viewer: from here, unchanged while nothing changes, without internet."""

import asyncio
import json
import re

import pytest
from jsonschema import Draft202012Validator

from app.api.docs import PAGE, POLICY, SCRIPT, THEIRS
from app.openapi.asyncapi import asyncapi
from app.openapi.document import document


async def test_documents_are_those_that_the_command_prints(world):
    status, body, headers = await world.call("GET", "/api/openapi.json")
    assert (status, body) == (200, json.loads(json.dumps(document())))
    assert headers["Content-Type"] == "application/json"
    status, body, _ = await world.call("GET", "/api/asyncapi.json")
    assert (status, body) == (200, json.loads(json.dumps(asyncapi())))


@pytest.mark.parametrize(
    "path", ["/api/openapi.json", "/api/asyncapi.json", "/api/docs", "/api/docs/ours.js"]
)
async def test_what_did_not_change_is_not_sent_again(world, path):
    _, _, headers = await world.call("GET", path)
    tag = headers["ETag"]
    assert re.fullmatch(r'"[0-9a-f]{32}"', tag)
    status, body, again = await world.call("GET", path, headers={"If-None-Match": tag})
    assert (status, body, again["ETag"]) == (304, "", tag)


async def test_the_page_may_load_what_is_ours_only(world):
    status, body, headers = await world.call("GET", "/api/docs")
    assert status == 200
    assert headers["Content-Security-Policy"] == POLICY
    assert "script-src 'self';" in POLICY
    assert "unsafe-eval" not in POLICY
    wanted = re.findall(r'(?:src|href)="([^"]+)"', body)
    assert wanted
    for address in wanted:
        assert not re.match(r"[a-z]+:|//|/", address), "relative, so that a prefix does no harm"
        async with world.http.get(f"{world.url}/api/{address}") as answer:
            assert answer.status == 200
            assert await answer.read()
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert b"http" not in PAGE + SCRIPT


async def test_files_come_with_their_kind(world):
    kinds = {"css": "text/css", "js": "text/javascript", "png": "image/png"}
    for name in THEIRS:
        async with world.http.get(f"{world.url}/api/docs/{name}") as answer:
            assert answer.status == 200
            assert answer.headers["Content-Type"] == kinds[name.rpartition(".")[2]]


@pytest.mark.parametrize("name", ["index.html", "..%2F__init__.py", "%2e%2e", "swagger-ui.js.map"])
async def test_there_are_no_other_files(world, name):
    await world.refused(404, "GET", f"/api/docs/{name}")


async def test_the_stream_says_what_its_document_tells(world):
    made = asyncapi()
    kinds = {
        message["payload"]["$ref"].rpartition("/")[2]: message["payload"]
        for key, message in made["components"]["messages"].items()
        if key.startswith("tell")
    }
    check = Draft202012Validator(
        {"anyOf": list(kinds.values()), "components": made["components"]}
    )
    said = [
        {"action": "subscribe", "symbols": ["BTCUSDT", "??"], "id": 1},
        {"action": "subscribe", "channels": ["price", "config", "market_scan"]},
        {"action": "ping", "ts": 5, "id": "a"}, {"action": "get_status"}, {"action": "dance"},
        {"action": "resume", "seqs": {"config": 0}}, {"action": "unsubscribe"},
    ]  # fmt: skip
    heard = []
    async with asyncio.timeout(10), world.http.ws_connect(f"{world.url}/ws/realtime") as line:
        heard.append(await line.receive_json())
        for one in said:
            await line.send_json(one)
        while heard[-1]["type"] != "unsubscription_confirmed":
            heard.append(await line.receive_json())
    assert {"status", "subscription_confirmed", "pong", "error", "resumed"} <= {
        one["type"] for one in heard
    }
    for one in heard:
        check.validate(one)

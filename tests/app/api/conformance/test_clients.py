"""Clients that others wrote: Python's `websockets` and `aiohttp`, npm's wscat, a browser."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import websockets
from logins import PASSWORD
from node_tools import node_tool
from playwright.async_api import Browser, Error, async_playwright

BIG = "x" * 70_000
"""Needs the longest form of a frame's length."""


@pytest.fixture
def world(doors: Any) -> Any:
    """The small world with users."""
    return doors


@pytest.fixture
def address(world: Any) -> str:
    return f"ws://127.0.0.1:{world.port}/ws/realtime"


@pytest.fixture
async def ticket(world: Any) -> str:
    granted = await world.services.accounts.login("vera", PASSWORD)
    caller = world.services.accounts.verify_bearer(granted.access)
    return str(world.services.accounts.ticket(caller))


def subscribe(**more: Any) -> str:
    return json.dumps({"action": "subscribe", "channels": ["alert"]} | more)


async def joined(world: Any) -> None:
    async with asyncio.timeout(10):
        while ("alert", "") not in world.realtime._listeners:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.005)


# -- websockets, aiohttp -------------------------------------------------------------------------


async def test_websockets(world: Any, address: str, ticket: str) -> None:
    protocols = [websockets.Subprotocol(n) for n in ("opportunity", f"opportunity.ticket.{ticket}")]
    async with websockets.connect(address, proxy=None, subprotocols=protocols) as ws:
        assert ws.subprotocol == "opportunity"
        assert json.loads(await ws.recv())["type"] == "status"
        await ws.send(subscribe())
        assert json.loads(await ws.recv())["channels"] == ["alert"]
        for text in ("", "é😀", BIG):
            world.services.happen("alert", text=text)
            assert json.loads(await ws.recv())["data"]["text"] == text
        assert await asyncio.wait_for(await ws.ping(), 30) >= 0
        await ws.send([json.dumps({"action": "ping", "id": 1})[:10], ' "ping", "id": 1}'])
        assert json.loads(await ws.recv())["type"] == "pong"
    assert ws.close_code == 1000


async def test_aiohttp(world: Any, address: str) -> None:
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(address, compress=15, heartbeat=5) as ws,
    ):
        assert (await ws.receive_json())["type"] == "status"
        await ws.send_str(subscribe())
        await ws.receive_json()
        world.services.happen("alert", text=BIG)
        assert (await ws.receive_json())["data"]["text"] == BIG
        await ws.ping(b"there?")
        closing = asyncio.ensure_future(world.realtime.close())
        assert (await ws.receive_json())["code"] == 1012
        assert (await ws.receive()).type is aiohttp.WSMsgType.CLOSE
        await closing
    assert ws.close_code == 1012


# -- wscat ---------------------------------------------------------------------------------------


async def wscat(*arguments: str) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE  # its input stays open: wscat ends with it
    return await asyncio.create_subprocess_exec(
        node_tool("wscat"), "--no-color", *arguments, stdin=pipe, stdout=pipe,
        stderr=asyncio.subprocess.STDOUT, env=os.environ | {"TERM": "dumb"},
    )  # fmt: skip


async def next_line(process: asyncio.subprocess.Process) -> dict[str, Any]:
    assert process.stdout is not None
    while True:
        line = (await asyncio.wait_for(process.stdout.readline(), 15)).decode()
        assert line, "wscat has ended"
        if "{" in line:
            return dict(json.loads(line[line.index("{"):]))


async def test_wscat(world: Any, address: str, ticket: str) -> None:
    process = await wscat(
        "-c", address, "-s", "opportunity", "-s", f"opportunity.ticket.{ticket}",
        "-x", subscribe(symbols=["BTCUSDT"], channels=["signal", "alert"]), "-w", "30",
    )  # fmt: skip
    try:
        assert (await next_line(process))["type"] == "status"
        assert (await next_line(process))["symbols"] == ["BTCUSDT"]
        world.services.publish_signal("BTC/USDT")
        assert (await next_line(process))["type"] == "signal"
        world.services.happen("alert", text="hello")
        assert (await next_line(process))["data"] == {"text": "hello"}
    finally:
        process.kill()
        await process.communicate()


async def test_wscat_is_told_what_is_wrong_with_its_ticket(address: str) -> None:
    process = await wscat("-c", address, "-s", "opportunity.ticket.nonsense")
    said, _ = await asyncio.wait_for(process.communicate(), 15)
    assert "401" in said.decode()


# -- a browser -----------------------------------------------------------------------------------


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium when it is there, else Playwright's own."""
    async with async_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("chromium-browser")
        try:
            made = await playwright.chromium.launch(
                executable_path=path, args=["--no-sandbox", "--disable-gpu"]
            )
        except Error as error:
            if os.environ.get("CI"):
                raise
            pytest.skip(f"no Chromium here: {str(error).splitlines()[0]}")
        yield made
        await made.close()


LISTEN = """([address, protocols, text, n]) => new Promise((done) => {
  const heard = [];
  const ws = new WebSocket(address, protocols);
  ws.onopen = () => text && ws.send(text);
  ws.onmessage = (event) => {
    heard.push(JSON.parse(event.data));
    if (heard.length === n) ws.close(1000, "enough");
  };
  ws.onclose = (event) =>
    done({heard, code: event.code, clean: event.wasClean, protocol: ws.protocol,
          extensions: ws.extensions});
})"""


async def test_browser(world: Any, address: str, ticket: str, browser: Browser) -> None:
    context = await browser.new_context(bypass_csp=True)  # our API's pages may load nothing
    page = await context.new_page()
    await page.goto(f"{world.url}/health/live")
    told = asyncio.ensure_future(page.evaluate(
        LISTEN, [address, ["opportunity", f"opportunity.ticket.{ticket}"], subscribe(), 4]
    ))  # fmt: skip
    await joined(world)
    for text in ("é😀", BIG):
        world.services.happen("alert", text=text)
    said = await asyncio.wait_for(told, 15)
    assert [m["type"] for m in said["heard"]] == [
        "status", "subscription_confirmed", "alert", "alert",
    ]  # fmt: skip
    assert [m["data"]["text"] for m in said["heard"][2:]] == ["é😀", BIG]
    assert (said["code"], said["clean"]) == (1000, True)
    assert (said["protocol"], said["extensions"]) == ("opportunity", "")
    told = asyncio.ensure_future(page.evaluate(LISTEN, [address, [], subscribe(), 0]))
    await joined(world)
    await world.realtime.close()
    said = await asyncio.wait_for(told, 15)
    assert (said["code"], said["clean"], said["heard"][-1]["type"]) == (1012, True, "closing")
    await context.close()


async def test_browser_on_a_page_of_nobody_gets_nothing(address: str, browser: Browser) -> None:
    page = await browser.new_page()
    said = await asyncio.wait_for(page.evaluate(LISTEN, [address, [], "", 1]), 15)
    assert (said["heard"], said["code"]) == ([], 1006)

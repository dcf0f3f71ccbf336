"""Lines to the small world's server."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from raw_websocket import WAIT_S, Raw, request_of

Dial = Callable[..., Awaitable[Raw]]


@pytest.fixture
async def dial(world: Any) -> AsyncIterator[Dial]:
    """Open lines to the world's server: `await dial()`, or with the head of a request."""
    lines: list[Raw] = []

    async def open_one(head: str | None = None, without: str = "", **headers: str) -> Raw:
        reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
        lines.append(Raw(reader, writer))
        await lines[-1].shake(head or request_of(world.port, without, **headers))
        return lines[-1]

    yield open_one
    for line in lines:
        await line.end()


@pytest.fixture
async def line(dial: Dial) -> Raw:
    """A connection that has had its status."""
    made = await dial()
    assert (await made.message())["type"] == "status"
    return made


@pytest.fixture
async def settle(world: Any) -> Callable[[], Awaitable[None]]:
    """Wait until the hub has delivered what was published."""

    async def wait() -> None:
        done = asyncio.Event()
        leave = world.services.hub.subscribe(lambda states, events: done.set())
        world.services.hub.emit("nothing", None)
        await asyncio.wait_for(done.wait(), WAIT_S)
        leave()

    return wait

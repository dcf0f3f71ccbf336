"""A loop beside: scripts wait for it, notebooks hear from it where they are."""

import asyncio
import threading

import pytest

from opportunity.errors import ThreadError
from opportunity.remote.loop import Loop


async def name() -> str:
    return threading.current_thread().name


def test_a_script_waits_for_it():
    loop = Loop()
    assert loop.run(name()) == "opportunity-client"
    loop.close()
    loop.close()
    assert not loop.open


def test_waiting_on_itself_is_refused_at_once():
    loop = Loop()

    async def nested() -> None:
        loop.run(name())

    with pytest.raises(ThreadError, match="outside of its own callbacks"):
        loop.run(nested())
    loop.close()


def test_a_script_is_told_on_its_thread():
    loop, told = Loop(), []

    async def tell() -> None:
        loop.tell(lambda: told.append(threading.current_thread().name))

    loop.run(tell())
    loop.close()
    assert told == ["opportunity-client"]


async def test_a_notebook_is_told_on_its_own_loop():
    loop, told = Loop(), asyncio.Event()
    here: list[str] = []

    async def tell() -> None:
        loop.tell(lambda: (here.append(threading.current_thread().name), told.set()))

    assert await loop.here(name()) == "opportunity-client"
    await loop.here(tell())
    await asyncio.wait_for(told.wait(), 30)
    loop.close()
    assert here == [threading.current_thread().name]

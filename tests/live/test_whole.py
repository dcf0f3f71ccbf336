import asyncio

import pytest

from opportunity.live.whole import whole


async def test_returns_what_the_work_does() -> None:
    async def work() -> int:
        return 5

    assert await whole(work()) == 5


async def test_cancelled_work_is_done_first() -> None:
    gate, done = asyncio.Event(), []

    async def work() -> None:
        await gate.wait()
        done.append(True)

    task = asyncio.ensure_future(whole(work()))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == [True]


async def test_error_of_cancelled_work_is_seen() -> None:
    gate = asyncio.Event()

    async def work() -> None:
        await gate.wait()
        raise ValueError("half done")

    task = asyncio.ensure_future(whole(work()))
    await asyncio.sleep(0)
    task.cancel()
    gate.set()
    with pytest.raises(ValueError, match="half done"):
        await task

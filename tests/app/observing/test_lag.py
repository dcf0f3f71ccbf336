"""A loop that is held is seen to be late."""

import asyncio
import threading
import time

from app.observing.lag import EVERY_S, LagMeter
from opportunity.measured import BOUNDS_S, Measured


async def measured_at_least(measured: Measured, n: int, label: str = "x") -> None:
    async with asyncio.timeout(10):
        while label not in {of for _, of in measured.durations()} or (  # noqa: ASYNC110 - a timer
            measured.durations()["loop_lag", label].n < n
        ):
            await asyncio.sleep(EVERY_S / 4)


async def test_a_held_loop_is_late_by_as_much() -> None:
    measured = Measured()
    meter = LagMeter(asyncio.get_running_loop(), "x", measured)
    meter.start()
    await measured_at_least(measured, 2)
    before = measured.durations()["loop_lag", "x"]
    time.sleep(0.35)  # noqa: ASYNC251 - this is what is measured
    await measured_at_least(measured, before.n + 1)
    found = measured.durations()["loop_lag", "x"]
    long = [n for bound, n in zip(BOUNDS_S, found.counts, strict=False) if bound > 0.2]
    assert sum(long) >= 1
    assert found.total_s - before.total_s > 0.35 - 2 * EVERY_S
    meter.close()
    await asyncio.sleep(0)
    n = measured.durations()["loop_lag", "x"].n
    await asyncio.sleep(3 * EVERY_S)
    assert measured.durations()["loop_lag", "x"].n == n


async def test_loops_of_other_threads_are_measured() -> None:
    measured, ready, end = Measured(), threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def live() -> None:
        loops.append(asyncio.get_running_loop())
        ready.set()
        await end.wait()

    thread = threading.Thread(target=lambda: asyncio.run(live()))
    thread.start()
    await asyncio.to_thread(ready.wait, 5)
    meter = LagMeter(loops[0], "x", measured)
    meter.start()
    await measured_at_least(measured, 2)
    loops[0].call_soon_threadsafe(end.set)
    await asyncio.to_thread(thread.join)
    meter.close()  # of a loop that is closed: nothing happens
    LagMeter(loops[0], "y", measured).start()

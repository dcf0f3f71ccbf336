import asyncio

import pytest

from opportunity.feeds.clock import Clock


class Watch:
    def __init__(self):
        self.time, self.slept = 50.0, []

    def monotonic(self):
        return self.time

    async def sleep(self, seconds):
        self.time += seconds
        self.slept.append(seconds)
        await asyncio.sleep(0)


@pytest.fixture
def watch():
    return Watch()


def clock(watch, speed=60.0):
    return Clock(1_000_000, speed, watch.monotonic, watch.sleep)


def test_now_stands_still_until_start(watch):
    c = clock(watch)
    watch.time += 5
    assert c.now() == 1_000_000
    c.start()
    watch.time += 5
    assert c.now() == 1_000_000 + 300_000


def test_speed_changes_without_a_jump(watch):
    c = clock(watch)
    c.start()
    watch.time += 1
    c.speed = 3600
    assert c.now() == 1_060_000
    watch.time += 1
    assert c.now() == 1_060_000 + 3_600_000


def test_start_again_goes_on_and_may_be_moved(watch):
    c = clock(watch)
    c.start()
    watch.time += 1
    c.start()
    assert c.now() == 1_060_000
    c.start(5_000_000)
    assert c.now() == 5_000_000


async def test_wait_until_sleeps_exactly_as_long_as_needed(watch):
    c = clock(watch)
    c.start()
    assert await c.wait_until(1_060_000)
    assert watch.time == pytest.approx(51.0, abs=1e-3)
    assert max(watch.slept) <= 0.05


async def test_wait_until_gives_up_after_its_limit(watch):
    c = clock(watch)
    c.start()
    assert not await c.wait_until(9_000_000, within_s=0.25)
    assert watch.time == pytest.approx(50.25, abs=1e-3)


async def test_wait_until_feels_a_new_speed(watch):
    c = clock(watch, 0.1)
    c.start()
    waiting = asyncio.gather(c.wait_until(1_060_000))
    await asyncio.sleep(0)
    c.speed = 6000
    assert await waiting == [True]
    assert watch.time < 50.3


@pytest.mark.parametrize("speed", [0, -1, 0.05, 1e8, float("nan")])
def test_speed_out_of_range_is_refused(watch, speed):
    with pytest.raises(ValueError, match="speed must be between"):
        clock(watch, speed)

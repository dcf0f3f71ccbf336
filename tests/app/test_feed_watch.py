import asyncio
from dataclasses import replace

from app.feed_watch import DETAIL_EVERY, TOPIC, FeedWatch
from opportunity.bus.memory import Hub
from opportunity.feeds.status import FeedStatus

LIVE = FeedStatus("live", "All is well", 1_000)


async def heard_by(hub: Hub) -> list:
    heard: list = []
    hub.subscribe(lambda states, events: heard.extend(states[k] for k in states if k[0] == TOPIC))
    return heard


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_changes_are_told_once() -> None:
    loop = asyncio.get_running_loop()
    hub, now = Hub(loop, tick_s=0.0), [LIVE]
    heard = await heard_by(hub)
    watch = FeedWatch(lambda: now[0], hub, loop)
    for state in ("live", "live", "down", "down", "live"):
        now[0] = replace(LIVE, state=state)
        watch.look()
        await settle()
    assert [s.state for s in heard] == ["live", "down", "live"]
    assert hub.latest(TOPIC) == LIVE


async def test_what_moves_all_the_time_is_told_now_and_then() -> None:
    loop = asyncio.get_running_loop()
    hub, n = Hub(loop, tick_s=0.0), [0]
    heard = await heard_by(hub)
    watch = FeedWatch(lambda: replace(LIVE, delay_ms=float(n[0]), skew_ms=n[0]), hub, loop)
    for n[0] in range(3 * DETAIL_EVERY):
        watch.look()
        await settle()
    assert [s.skew_ms for s in heard] == [0, *(n * DETAIL_EVERY - 1 for n in (1, 2, 3))]


async def test_feed_without_a_line_tells_nothing() -> None:
    loop = asyncio.get_running_loop()
    hub = Hub(loop, tick_s=0.0)
    watch = FeedWatch(lambda: None, hub, loop)
    watch.start()
    watch.stop()
    assert hub.latest(TOPIC) is None


async def test_it_looks_at_once_and_until_it_is_stopped() -> None:
    loop = asyncio.get_running_loop()
    hub = Hub(loop, tick_s=0.0)
    watch = FeedWatch(lambda: LIVE, hub, loop)
    watch.start()
    assert hub.latest(TOPIC) == LIVE
    assert not watch._timer.cancelled()
    watch.stop()
    assert watch._timer.cancelled()

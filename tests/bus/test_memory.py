import asyncio
import threading

from opportunity.bus.memory import Hub


async def _next(hub: Hub) -> tuple[dict, list]:
    got = asyncio.get_running_loop().create_future()

    def take(states, events) -> None:
        if not got.done():
            got.set_result((dict(states), list(events)))

    leave = hub.subscribe(take)
    try:
        return await asyncio.wait_for(got, 30)
    finally:
        leave()


async def test_newest_state_of_a_key_travels_alone() -> None:
    hub = Hub(asyncio.get_running_loop(), tick_s=0.0)
    for price in range(100):
        hub.publish("price", "BTC/USDT", price)
    hub.publish("price", "ETH/USDT", 7)
    states, events = await _next(hub)
    assert states == {("price", "BTC/USDT"): 99, ("price", "ETH/USDT"): 7}
    assert events == []


async def test_events_all_travel_in_order() -> None:
    hub = Hub(asyncio.get_running_loop(), tick_s=0.0)
    for n in range(50):
        hub.emit("config", n)
    _, events = await _next(hub)
    assert events == [("config", n) for n in range(50)]


async def test_publishing_from_many_threads_loses_no_event() -> None:
    hub = Hub(asyncio.get_running_loop(), tick_s=0.0)
    seen: list[int] = []
    done = asyncio.Event()

    def take(_states, events) -> None:
        seen.extend(n for _, n in events)
        if len(seen) == 800:
            done.set()

    hub.subscribe(take)
    threads = [
        threading.Thread(target=lambda k=k: [hub.emit("t", 100 * k + n) for n in range(100)])
        for k in range(8)
    ]
    for thread in threads:
        thread.start()
    await asyncio.wait_for(done.wait(), 30)
    for thread in threads:
        thread.join()
    assert sorted(seen) == list(range(800))
    for k in range(8):
        own = [n for n in seen if n // 100 == k]
        assert own == sorted(own)


async def test_burst_costs_one_delivery() -> None:
    hub = Hub(asyncio.get_running_loop(), tick_s=0.01)
    batches = []
    hub.subscribe(lambda states, events: batches.append(dict(states)))
    for n in range(1000):
        hub.publish("price", str(n % 10), n)
    await asyncio.sleep(0.05)
    assert len(batches) == 1
    assert len(batches[0]) == 10


async def test_lone_state_is_delivered_at_once_and_the_next_waits_for_the_tick() -> None:
    loop = asyncio.get_running_loop()
    hub = Hub(loop, tick_s=30.0)
    batches = []
    hub.subscribe(lambda states, events: batches.append(dict(states)))
    hub.publish("price", "BTC/USDT", 1)
    await asyncio.sleep(0.02)
    hub.publish("price", "BTC/USDT", 2)
    await asyncio.sleep(0.02)
    assert batches == [{("price", "BTC/USDT"): 1}]


async def test_several_topics_go_in_one_delivery() -> None:
    hub = Hub(asyncio.get_running_loop(), tick_s=30.0)
    hub.publish_all({("scan", ""): 1, ("signal", "BTC/USDT"): 2})
    states, _ = await _next(hub)
    assert states == {("scan", ""): 1, ("signal", "BTC/USDT"): 2}


async def test_broken_reader_does_not_silence_the_others() -> None:
    loop = asyncio.get_running_loop()
    failures: list[dict] = []
    loop.set_exception_handler(lambda _loop, context: failures.append(context))
    hub = Hub(loop, tick_s=0.0)

    def broken(_states, _events) -> None:
        raise RuntimeError("reader")

    hub.subscribe(broken)
    hub.publish("price", "BTC/USDT", 1)
    states, _ = await _next(hub)
    assert states == {("price", "BTC/USDT"): 1}
    await asyncio.sleep(0)
    assert isinstance(failures[0]["exception"], RuntimeError)


async def test_leaving_twice_is_harmless_and_counted() -> None:
    hub = Hub(asyncio.get_running_loop())
    leave = hub.subscribe(lambda states, events: None)
    assert hub.n_subscribers == 1
    leave()
    leave()
    assert hub.n_subscribers == 0


async def test_latest_answers_before_delivery() -> None:
    hub = Hub(asyncio.get_running_loop())
    hub.publish_many("signal", {"BTC/USDT": 1, "ETH/USDT": 2})
    assert hub.latest("signal", "ETH/USDT") == 2
    assert hub.latest("signal", "XRP/USDT") is None
    assert hub.latest_of("signal") == {"BTC/USDT": 1, "ETH/USDT": 2}


async def test_closed_hub_delivers_nothing() -> None:
    hub = Hub(asyncio.get_running_loop(), tick_s=0.0)
    batches = []
    hub.subscribe(lambda states, events: batches.append(states))
    hub.close()
    hub.publish("price", "BTC/USDT", 1)
    await asyncio.sleep(0.02)
    assert batches == []


async def test_what_is_not_delivered_waits() -> None:
    hub = Hub(asyncio.get_running_loop(), tick_s=0.0)
    hub.publish_many("price", {"BTC/USDT": 1, "ETH/USDT": 2})
    hub.publish("price", "BTC/USDT", 3)
    hub.emit("event", "a")
    assert hub.waiting == (2, 1)
    await asyncio.sleep(0.02)
    assert hub.waiting == (0, 0)
    hub.close()


async def test_turns_count_what_was_handed_over_of_a_topic() -> None:
    hub = Hub(asyncio.get_running_loop(), tick_s=0.0)
    assert hub.turns("price") == 0
    hub.publish("price", "BTC/USDT", 1)
    hub.publish("price", "BTC/USDT", 1)
    hub.publish_many("price", {"BTC/USDT": 2, "ETH/USDT": 3})  # together: one
    assert (hub.turns("price"), hub.turns("signal")) == (3, 0)
    hub.publish_all({("price", "BTC/USDT"): 4, ("signal", "BTC/USDT"): 5})
    hub.emit("price", 6)  # an event is no state
    assert (hub.turns("price"), hub.turns("signal")) == (4, 1)
    await _next(hub)
    assert (hub.turns("price"), hub.turns("signal")) == (4, 1)

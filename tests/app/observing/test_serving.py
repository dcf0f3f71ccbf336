"""Stream, hub, jobs and bus as numbers."""

import asyncio
from types import SimpleNamespace

from app.observing.serving import (
    JOB_STATES,
    bus_families,
    hub_families,
    job_families,
    stream_families,
)
from opportunity.bus.memory import Hub


def values(families) -> dict:
    return {
        (s.name, *s.labels.values()): s.value for family in families for s in family.samples
    }


def test_stream() -> None:
    client = SimpleNamespace(outlet=SimpleNamespace(waiting_bytes=10))
    realtime = SimpleNamespace(
        stats={"subscriptions": 3, "messages_sent": 9, "elsewhere": 5}, clients=[client, client],
        limits=SimpleNamespace(max_connections=6_000), scans_per_min=12, coalesced=4, slow=1,
        broken=0,
    )  # fmt: skip
    found = values(stream_families(realtime))
    assert found["opportunity_websocket_connections",] == 2
    assert found["opportunity_websocket_connections_elsewhere",] == 5
    assert found["opportunity_websocket_connections_limit",] == 6_000
    assert found["opportunity_websocket_waiting_bytes",] == 20
    assert found["opportunity_websocket_messages_sent_total",] == 9
    assert found["opportunity_websocket_coalesced_total",] == 4
    assert found["opportunity_websocket_slow_closed_total",] == 1


async def test_hub_tells_what_waits() -> None:
    hub = Hub(asyncio.get_running_loop())
    hub.publish_many("price", {"a": 1, "b": 2})
    hub.emit("event", 1)
    found = values(hub_families(hub))
    assert found["opportunity_hub_waiting", "states"] == 2
    assert found["opportunity_hub_waiting", "events"] == 1
    await asyncio.sleep(0.05)
    assert set(values(hub_families(hub)).values()) == {0.0}
    hub.close()


def test_jobs_by_state() -> None:
    jobs = [SimpleNamespace(state=s) for s in ("queued", "done", "done")]
    found = values(job_families(SimpleNamespace(all=lambda: jobs)))
    assert {label: n for (_, label), n in found.items()} == {
        **dict.fromkeys(JOB_STATES, 0), "queued": 1, "done": 2,
    }


def test_bus_only_where_there_is_one() -> None:
    assert list(bus_families(None)) == []
    bus = SimpleNamespace(up=False, n_waiting=5, n_published=100, lag_s=None)
    found = values(bus_families(bus))
    assert found["opportunity_bus_up",] == 0
    assert found["opportunity_bus_waiting",] == 5
    assert found["opportunity_bus_published_total",] == 100
    assert ("opportunity_bus_lag_seconds",) not in found

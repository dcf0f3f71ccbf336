"""From a closed bar to the WebSocket message that it causes, in one process.

A real server on loopback over the simulated market; a third-party client subscribes to symbols.
The clock starts when the feed hands the closed bars to the agent and stops when the client has
read the first signal of that minute. Server, agent and client share the machine's cores.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import websockets
from tornado.httpclient import AsyncHTTPClient

from app.server import SWITCH_S, quiet_collector
from app.services import Services
from app.site import Site
from opportunity.config import load_settings
from opportunity.feeds.base import Closed
from opportunity.feeds.clock import wall_ms
from opportunity.feeds.simulated import SimulatedFeed
from opportunity.storage.database import open_database
from opportunity.storage.repositories import Memory

START_MS = 1_760_000_100_000


async def _build_pages(port: int, built: list[float]) -> None:
    """Ask for the page again and again, each time as a new session."""
    client = AsyncHTTPClient()
    while True:
        began = time.perf_counter()
        await client.fetch(f"http://127.0.0.1:{port}/", request_timeout=60)
        built.append((time.perf_counter() - began) * 1e3)
        await asyncio.sleep(0.2)


async def measure(
    seconds: float = 20.0, speed: float = 600.0, n_listened: int = 40, pages: bool = False
) -> Any:
    """Return the latency's quantiles in ms over all minutes with a signal.

    With `pages` the server builds one page after the other meanwhile. `decision` is the part up
    to the agent's new ranking, on its own thread; the rest is the way to the client.
    """
    began: dict[int, float] = {}
    feed = SimulatedFeed(speed=speed, start_ms=START_MS)
    stream = feed.stream

    async def stamped() -> Any:
        async for event in stream():
            if isinstance(event, Closed):
                began[event.time] = time.perf_counter()
            yield event

    feed.stream = stamped  # type: ignore[method-assign]  # the stamp must sit where the agent reads
    with tempfile.TemporaryDirectory() as home:
        settings = load_settings({"home": Path(home), "port": 0, "timeframes": "5m,15m,1h,4h"})
        memory = Memory(open_database(settings.database), wall_ms)
        services = Services(settings, feed, memory, asyncio.get_running_loop())
        site = Site(settings, services, "benchmark")
        await services.start()
        quiet_collector()
        decided: dict[int, float] = {}
        publish = services.hub.publish_all

        def noted(states: Any) -> None:
            scan = states.get(("scan", ""))
            if scan is not None and scan.snapshot.time in began:
                taken = (time.perf_counter() - began[scan.snapshot.time]) * 1e3
                decided.setdefault(scan.snapshot.time, taken)
            publish(states)

        services.hub.publish_all = noted  # type: ignore[method-assign]  # where decisions leave
        took: dict[int, float] = {}
        built: list[float] = []
        building = asyncio.ensure_future(_build_pages(site.port, built)) if pages else None
        async with websockets.connect(f"ws://127.0.0.1:{site.port}/ws/realtime") as socket:
            names = list(services.symbols[:n_listened])
            await socket.send(json.dumps({"action": "subscribe", "symbols": names}))
            deadline = time.perf_counter() + seconds
            while time.perf_counter() < deadline:
                message = json.loads(await asyncio.wait_for(socket.recv(), 30))
                now = time.perf_counter()
                stamp = message.get("ts")
                if message["type"] == "signal" and stamp in began:
                    took.setdefault(stamp, (now - began[stamp]) * 1e3)
        if building is not None:
            building.cancel()
        await site.close()
        await services.stop()
    return {
        "bars": len(took),
        "pages": len(built),
        "decision_ms": _quantiles(decided),
        "message_ms": _quantiles(took),
    }


def _quantiles(taken: dict[int, float]) -> dict[str, float]:
    values = np.array(list(taken.values()))
    return {
        "p50": round(float(np.quantile(values, 0.5)), 3),
        "p99": round(float(np.quantile(values, 0.99)), 3),
        "max": round(float(values.max()), 3),
    }


def main() -> int:
    """Print the measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    sys.setswitchinterval(SWITCH_S)
    results = {
        "alone": asyncio.run(measure(args.seconds)),
        "while pages are built": asyncio.run(measure(args.seconds, pages=True)),
    }
    text = json.dumps(results) if args.json else "\n".join(f"{k}: {v}" for k, v in results.items())
    sys.stdout.write(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

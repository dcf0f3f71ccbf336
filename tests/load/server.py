"""The server of a load run: ours, whole, with one message a second on each channel of a symbol.

It is what `opportunity serve` runs, over its simulated market. Added are a beat, which publishes
once a second a status and an alert, both with the wall time, and a meter of the loop's lag, which
is printed once a second as JSON.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import app.server
from app.services import Services
from opportunity.config import load_settings
from opportunity.feeds.clock import wall_ms
from opportunity.storage.events import Event

METER_S = 0.01
SPEED = 20.0
"""Feed seconds a second: about one message a second on each channel, the beat's included."""


class Beat:
    """Publishes and measures until the server ends."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._loop = asyncio.get_running_loop()
        self._lags: list[float] = []
        self._n = 0
        self._meter(self._loop.time())
        self._beat()

    def _meter(self, due: float) -> None:
        now = self._loop.time()
        self._lags.append(max(0.0, now - due))
        self._loop.call_later(METER_S, self._meter, now + METER_S)

    def _beat(self) -> None:
        self._n += 1
        now, hub = wall_ms(), self._services.hub
        hub.publish("status", "", {})
        self._loop.run_in_executor(None, self._append, now)
        lags, self._lags = self._lags, []
        sys.stdout.write(json.dumps({"lags": [round(lag * 1e3, 2) for lag in lags]}) + "\n")
        sys.stdout.flush()
        self._loop.call_later(1.0, self._beat)

    def _append(self, now: int) -> None:
        body = {"text": "load", "book": "paper"}
        for event in self._services.events.append([Event(f"load-{now}", now, "alert", body)]):
            self._services.hub.emit("event", event)


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--clients", type=int, required=True)
    args = parser.parse_args(argv)
    made: list[Services] = []

    class Noted(Services):
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            made.append(self)

    app.server.Services = Noted  # type: ignore[misc]  # to get at what the server makes
    settings = load_settings({
        "home": args.home, "port": args.port, "max_connections": args.clients + 500,
        "speed": SPEED,
    })  # fmt: skip

    def ready(port: int) -> None:
        sys.stdout.write(json.dumps({"ready": port}) + "\n")
        sys.stdout.flush()
        Beat(made[0])

    return asyncio.run(app.server.serve(settings, ready))


if __name__ == "__main__":
    sys.exit(main())

"""The server under measurement: itself, with eyes on what its open pages hold and how late it is.

A line `count` on stdin is answered with how many documents, components and sessions live; `late`
with the most that each loop was late since the last time; as JSON on stdout.
"""

import argparse
import asyncio
import gc
import json
import sys
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import panel as pn

import app.server
import app.site
from app.components.island import Island
from app.services import Services
from opportunity.config import load_settings

BEAT_S: Final = 0.005
SPEED: Final = 600.0
SYMBOLS: Final = tuple(
    f"{name}/USDT" for name in ("BTC", "ETH", "SOL", "XRP", "ADA", "LINK", "AVAX", "DOGE")
)


class Late:
    """The most that a loop called a timer too late, seconds; two hundred looks a second."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.most, self._loop = 0.0, loop
        loop.call_soon_threadsafe(self._again)

    def take_ms(self) -> float:
        """Return it and begin anew."""
        found, self.most = self.most, 0.0
        return round(found * 1e3, 2)

    def _again(self, due: float | None = None) -> None:
        now = self._loop.time()
        if due is not None:
            self.most = max(self.most, now - due)
        self._loop.call_at(now + BEAT_S, self._again, now + BEAT_S)


class Eyes:
    """Answers what is asked on stdin.

    Parameters
    ----------
    services : Services
    documents : WeakSet
        Of all pages that were built.
    """

    def __init__(self, services: Services, documents: "weakref.WeakSet[Any]") -> None:
        self._services, self._documents = services, documents
        self._loop = asyncio.get_running_loop()
        agents = services.agent.loop
        assert agents is not None
        self._late = {"server": Late(self._loop), "agent": Late(agents)}
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in sys.stdin:
            self._loop.call_soon_threadsafe(self._answer, line.strip())

    def _answer(self, asked: str) -> None:
        if asked == "late":
            told: dict[str, Any] = {name: one.take_ms() for name, one in self._late.items()}
        else:
            gc.collect()
            told = {
                "documents": len(self._documents),
                "islands": sum(isinstance(one, Island) for one in gc.get_objects()),
                "subscribers": self._services.hub.n_subscribers,
            }
            for one in self._late.values():
                one.take_ms()
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    args = parser.parse_args(argv)
    made: list[Services] = []
    documents: weakref.WeakSet[Any] = weakref.WeakSet()

    class Noted(Services):
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            made.append(self)

    builder = app.site._builder

    def noted(page: Any, services: Services) -> Any:
        build = builder(page, services)

        def built() -> Any:
            documents.add(pn.state.curdoc)
            return build()

        return built

    app.server.Services = Noted  # type: ignore[misc]  # to get at what the server makes
    app.site._builder = noted
    settings = load_settings({"home": args.home, "port": 0, "speed": SPEED, "symbols": SYMBOLS})

    def ready(port: int) -> None:
        Eyes(made[0], documents)
        sys.stdout.write(json.dumps({"ready": port}) + "\n")
        sys.stdout.flush()

    return asyncio.run(app.server.serve(settings, ready))


if __name__ == "__main__":
    sys.exit(main())

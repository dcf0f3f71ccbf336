"""Everything that is measured of one server, kept together and written out when asked."""

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from tornado.web import Application

from app.observing.families import measured_families
from app.observing.instruments import Instruments
from app.observing.lag import LagMeter
from app.observing.market import (
    account_families,
    agent_families,
    feed_families,
    storage_families,
)
from app.observing.paths import Paths
from app.observing.ready import Seen, Storage, reasons_of
from app.observing.requests import SETTING, ended
from app.observing.serving import bus_families, hub_families, job_families, stream_families
from app.tracing import Tracing
from opportunity.measured import MEASURED

if TYPE_CHECKING:
    from app.services import Services

LOOK_S: Final = 1.0
"""Between two looks for the agent's loop, which begins and ends when it likes."""


class Live(Collector):
    """Reads the running objects at each scrape."""

    def __init__(self, services: "Services", realtime: Any) -> None:
        self._services, self._realtime = services, realtime
        self.seen = Seen()

    def collect(self) -> Iterator[Metric]:
        """Yield one family after the other."""
        services = self._services
        yield from agent_families(services)
        yield from feed_families(services)
        yield from account_families(services)
        yield from storage_families(services, self.seen.error, self.seen.n_notices)
        yield from stream_families(self._realtime)
        yield from hub_families(services.hub)
        yield from job_families(services.backtests.jobs)
        yield from bus_families(getattr(services, "bus", None))
        yield from measured_families(MEASURED)


class Observing:
    """Counters, meters, spans and readiness of one server; lives on its loop.

    Parameters
    ----------
    services : Services
    realtime : Realtime
        Whose stream is read.
    paths : Paths
        Routes by handler.
    """

    def __init__(self, services: "Services", realtime: Any, paths: Paths) -> None:
        self._services, self.paths = services, paths
        self.tracing = Tracing.of(services.settings, services.version)
        self.registry = CollectorRegistry(auto_describe=False)
        self.instruments = Instruments(self.registry)
        self._live = Live(services, realtime)
        self.registry.register(self._live)
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._loop = asyncio.get_running_loop()
        self.storage = Storage(services.look_at_storage, self._loop.time)
        self._own = LagMeter(self._loop, "server")
        self._own.start()
        self._agents: LagMeter | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._look()

    @classmethod
    def install(
        cls, application: Application, services: "Services", realtime: Any, paths: Paths
    ) -> "Observing":
        """Measure an application from now on; call once, on its loop."""
        made = cls(services, realtime, paths)
        application.settings[SETTING] = made
        application.settings["log_function"] = ended
        return made

    @classmethod
    def of(cls, application: Application) -> "Observing":
        """Return what measures an application."""
        made: Observing = application.settings[SETTING]
        return made

    async def text(self) -> bytes:
        """Return all numbers as of now in Prometheus' text format."""
        self._live.seen = await self.storage.seen()
        return generate_latest(self.registry)

    async def not_ready(self) -> list[str]:
        """Return why the server cannot do its work, in plain words; empty when it can."""
        return reasons_of(self._services, (await self.storage.seen()).error)

    async def close(self) -> None:
        """End every timer, and send the spans that wait."""
        if self._timer is not None:
            self._timer.cancel()
        self._own.close()
        if self._agents is not None:
            self._agents.close()
        await self.storage.close()
        if self.tracing is not None:
            await self.tracing.close()

    def _look(self) -> None:
        """Measure the agent's loop once there is one, and the next one after a restart."""
        loop = self._services.agent.loop
        meter = self._agents
        if loop is not None and not loop.is_closed() and (meter is None or meter.loop is not loop):
            self._agents = LagMeter(loop, "agent")
            self._agents.start()
        self._timer = self._loop.call_later(LOOK_S, self._look)

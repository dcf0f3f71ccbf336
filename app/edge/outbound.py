"""The agent's side of the bus: what the stream says is published for other processes."""

import asyncio
from typing import TYPE_CHECKING, Final

import structlog

from app.edge.relay import SETTING, Relay

if TYPE_CHECKING:
    from tornado.web import Application

    from app.services import Services
    from opportunity.bus.redis import Publisher

logger = structlog.get_logger(__name__)

OUTBOUND: Final = "outbound"


class Outbound:
    """Publishes the stream where other processes serve it; elsewhere it does nothing.

    Parameters
    ----------
    application : Application
        Whose stream it is; the installed one is found in its settings under `OUTBOUND`.
    services : Services
    """

    def __init__(self, application: "Application", services: "Services") -> None:
        self._application = application
        self.publisher: Publisher | None = None
        self._running: asyncio.Future[None] | None = None
        settings = services.settings
        secret = settings.edge_secret.get_secret_value()
        application.settings[OUTBOUND] = self
        if settings.redis_url and secret:
            from opportunity.bus import redis  # only where it is needed: it is an extra

            relay = Relay.of(application, services)
            self.publisher = redis.Publisher(
                redis.connect(settings.redis_url), redis.Names.of(secret), relay.beat
            )
            relay.give(self.publisher)
            services.bus = self.publisher
            self._running = asyncio.ensure_future(self.publisher.run())
            self._running.add_done_callback(_tell)

    async def close(self) -> None:
        """Publish nothing more."""
        relay: Relay | None = self._application.settings.get(SETTING)
        if relay is not None:
            relay.close()
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])


def _tell(done: "asyncio.Future[None]") -> None:
    """Say that nothing is published any more; edges ask instead."""
    error = None if done.cancelled() else done.exception()
    if error is not None:
        logger.error("bus given up", exc_info=error)

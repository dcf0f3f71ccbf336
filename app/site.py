"""The site: pages, REST and WebSocket on one Tornado server."""

from typing import Any, Final

import panel as pn

from app.api import install, routes
from app.api.guard import allowed_hosts
from app.pages import PAGES
from app.services import Services
from opportunity.config import Settings

UNUSED_SESSION_MS: Final = 15_000
CHECK_SESSIONS_MS: Final = 5_000


class Site:
    """A running server.

    Parameters
    ----------
    settings : Settings
        Where to listen; port 0 takes a free one.
    services : Services
        What handlers and pages use.
    cookie_secret : str
        Signs the cookies of this run.
    """

    def __init__(self, settings: Settings, services: Services, cookie_secret: str) -> None:
        self._server: Any = pn.io.server.get_server(
            {page.PATH: _builder(page, services) for page in PAGES},
            port=settings.port,
            address=settings.host,
            start=False,
            show=False,
            title={page.PATH: page.TITLE for page in PAGES},
            extra_patterns=routes(services),
            cookie_secret=cookie_secret,
            unused_session_lifetime_milliseconds=UNUSED_SESSION_MS,
            check_unused_sessions_milliseconds=CHECK_SESSIONS_MS,
            log_function=_silent,
        )
        origins = self._server._tornado.websocket_origins  # known now that the port is
        origins.clear()
        origins.update(allowed_hosts(settings.host, self.port))
        self._realtime = install(self._server._tornado, services)
        self._server.start()

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self._server.port)

    async def close(self) -> None:
        """Take no new connection, tell WebSocket clients to come back later, close the rest."""
        self._server._http.stop()
        await self._realtime.close()
        self._server.stop()
        await self._server._http.close_all_connections()


def _builder(page: Any, services: Services) -> Any:
    def build() -> Any:
        return page.page(services)

    return build


def _silent(handler: Any) -> None:
    """Say nothing per request: errors are logged where they are handled."""

"""ccxt's objects of one venue: one session, one gate, one token bucket for all of them."""

import asyncio
import ssl
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from opportunity.feeds.exchange.venue import client as ccxt_client
from opportunity.feeds.exchange.venue.failures import VenueError
from opportunity.feeds.exchange.venue.gate import Gate
from opportunity.feeds.exchange.venue.gated import Plan
from opportunity.feeds.exchange.venue.transport import open_session


class Connection:
    """Makes ccxt's objects and holds the first, which answers REST.

    Parameters
    ----------
    plan : Plan
        What they are like.
    gate : Gate
        Every request of theirs goes through it.
    """

    def __init__(self, plan: Plan, gate: Gate) -> None:
        self._plan, self._gate = plan, gate
        self._kind: type[Any] | None = None
        self._context: ssl.SSLContext | bool = True
        self._session: aiohttp.ClientSession | None = None
        self._first: Any = None

    @property
    def is_open(self) -> bool:
        """Whether there is a first object."""
        return self._first is not None

    @property
    def client(self) -> Any:
        """The first object.

        Raises
        ------
        VenueError
            If the connection is not open.
        """
        if self._first is None:
            raise VenueError(f"{self._plan.name} must be open", "unreachable")
        return self._first

    async def open(self) -> None:
        """Import ccxt, in a thread because it takes seconds, and make the first object."""
        self._kind = await asyncio.to_thread(ccxt_client.load, self._plan.name)
        client = await asyncio.to_thread(ccxt_client.build, self._kind, self._plan, self._gate)
        self._context = await asyncio.to_thread(ccxt_client.certificates, client)
        host = urlsplit(self._plan.url).netloc
        self._session = open_session(self._gate, host, self._context)
        self._first = self._attached(client)

    def more(self, markets: ccxt_client.Kind = "spot") -> Any:
        """Make another object; who asked for it awaits its `close`."""
        first = self.client
        assert self._kind is not None
        client = self._attached(ccxt_client.build(self._kind, self._plan, self._gate, markets))
        client.throttler = first.throttler  # one bucket for all
        return client

    async def close(self) -> None:
        """Close the first object and the session; may be called twice."""
        client, session = self._first, self._session
        self._first = self._session = None
        if client is not None:
            await client.close()
        if session is not None:
            await session.close()

    def _attached(self, client: Any) -> Any:
        assert self._session is not None
        ccxt_client.attach(client, self._session, self._context)
        client.open()
        return client

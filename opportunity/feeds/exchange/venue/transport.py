"""The one HTTP session of a venue: guards every request and dial, and bounds every body."""

import ssl
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from opportunity.feeds.exchange.venue.failures import VenueError
from opportunity.feeds.exchange.venue.gate import Gate

LIMITED: Final = frozenset({418, 429})
BUSY: Final = frozenset({403, 503})
"""Answers that ask for a pause only if they say how long."""

BODY_BYTES: Final = 8 << 20
"""Largest body of an answer that is read."""

MARKETS_BYTES: Final = 48 << 20
"""Largest list of markets that is read: large exchanges send some 20 MiB."""

body_limit: ContextVar[int] = ContextVar("body_limit", default=BODY_BYTES)


@dataclass(slots=True)
class Trip:
    """What was seen of the requests of one call; times are monotonic seconds.

    `first_at` is when the first request went out; `sent_at`, `back_at`, `status` and `headers`
    are of the newest.
    """

    first_at: float | None = None
    sent_at: float = 0.0
    back_at: float = 0.0
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)

    def add(self, other: "Trip") -> None:
        """Take in a request that has ended."""
        self.first_at = min(other.sent_at, self.first_at or other.sent_at)
        self.sent_at, self.back_at = other.sent_at, other.back_at
        self.status, self.headers = other.status, other.headers


trip: ContextVar[Trip | None] = ContextVar("trip", default=None)
"""Set by who wants to know; requests made on behalf of it are added to it."""


class BoundedResponse(aiohttp.ClientResponse):
    """A response whose body is read up to a limit, counted after decompression."""

    async def read(self) -> bytes:
        """Read the body.

        Raises
        ------
        aiohttp.ClientPayloadError
            If it is larger than `body_limit`.
        """
        if self._body is None:
            limit, size, parts = body_limit.get(), 0, []
            try:
                async for part in self.content.iter_any():
                    size += len(part)
                    if size > limit:
                        raise aiohttp.ClientPayloadError(f"body must be <= {limit} bytes")
                    parts.append(part)
            except BaseException:
                self.close()
                raise
            self._body = b"".join(parts)
        return await super().read()


def open_session(
    gate: Gate, host: str, context: ssl.SSLContext | bool = True
) -> aiohttp.ClientSession:
    """Open a session in the running loop.

    Parameters
    ----------
    gate : Gate
        No request and no dial of a WebSocket goes out while it is shut; it is told of every
        answer that asks for a pause.
    host : str
        ``host:port`` that requests may go to; empty allows all.
    context : SSLContext or bool
        How certificates are checked.
    """

    async def guard(
        request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        if host and request.url.authority != host:
            raise VenueError(f"requests must go to {host}, one was for another host", "unsupported")
        gate.check()
        response = await handler(request)
        asks = response.status in BUSY and "Retry-After" in response.headers
        if asks or response.status in LIMITED:
            gate.limited(response.status, response.headers)
        return response

    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=context, limit=64, happy_eyeballs_delay=0.1),
        middlewares=(guard,),
        response_class=BoundedResponse,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
    )

"""REST: one session, JSON in and out, problems as exceptions, reads that are tried again."""

import asyncio
import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final, NamedTuple

import aiohttp
import orjson

from opportunity.remote.address import Address
from opportunity.remote.problems import RemoteError

ATTEMPTS: Final = 3
"""Of a read, or of a command under a key: asked twice they are done once."""

PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 10.0
TIMEOUT_S: Final = 60.0


class Answer(NamedTuple):
    """What a server answered: JSON, None where there was none, and its version where it has one."""

    value: Any
    etag: str


class Line:
    """A session with a server; use it on one loop.

    Parameters
    ----------
    address : Address
    token : str or None
        Sent in a header, to this server only: redirections are not followed.
    """

    def __init__(self, address: Address, token: str | None) -> None:
        self.address, self._token = address, token
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """The session, made on first use on the loop that uses it."""
        if self._session is None:
            headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
            self._session = aiohttp.ClientSession(
                headers=headers, timeout=aiohttp.ClientTimeout(TIMEOUT_S),
                cookie_jar=aiohttp.DummyCookieJar(), trace_configs=[_no_redirection()],
            )
        return self._session

    async def get(self, path: str, **query: Any) -> Any:
        """Read a resource; see `ask`."""
        return (await self.ask("GET", path, query=query)).value

    async def ask(
        self, method: str, path: str, body: Any = None, query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Return an answer.

        Reads, and commands (POST), which carry a key of their own, are tried again when nobody
        answers or the server asks to come back.

        Raises
        ------
        RemoteError
            If the server refuses or fails, or is not there.
        """
        given = dict(headers or {})
        if method == "POST":
            given.setdefault("Idempotency-Key", uuid.uuid4().hex)
        attempts = ATTEMPTS if method in ("GET", "POST") else 1
        for attempt in range(1, attempts + 1):
            try:
                return await self._once(method, path, body, query or {}, given)
            except RemoteError as error:
                wait_s = error.retry_after_s or PAUSE_S * attempt
                if attempt == attempts or not error.passing or wait_s > LONGEST_PAUSE_S:
                    raise
                await asyncio.sleep(wait_s)
        raise AssertionError("an attempt returns or raises")

    async def _once(
        self, method: str, path: str, body: Any, query: Mapping[str, Any],
        headers: Mapping[str, str],
    ) -> Answer:
        params = {name: _text(value) for name, value in query.items() if value is not None}
        try:
            async with self.session.request(
                method, self.address.http + path, json=body, params=params, headers=headers,
                allow_redirects=False,
            ) as answer:
                data, status, heard = await answer.read(), answer.status, answer.headers
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            text = str(error) or type(error).__name__
            raise RemoteError(f"no answer from {self.address.http}: {text}") from error
        found = _json(data)
        if status >= 300:
            raise RemoteError.of(status, found, heard)
        return Answer(found, heard.get("Etag", ""))

    async def close(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()
            self._session = None


def _no_redirection() -> aiohttp.TraceConfig:
    """Return what stops a handshake that is sent elsewhere; for those aiohttp has no switch."""

    async def stop(_: Any, __: Any, told: aiohttp.TraceRequestRedirectParams) -> None:
        raise aiohttp.ClientError(f"the server sends elsewhere ({told.response.status})")

    config = aiohttp.TraceConfig()
    config.on_request_redirect.append(stop)
    return config


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ",".join(str(part) for part in value)
    return str(value)


def _json(data: bytes) -> Any:
    with suppress(orjson.JSONDecodeError):
        return orjson.loads(data) if data else None
    return None  # a proxy's page; the status tells

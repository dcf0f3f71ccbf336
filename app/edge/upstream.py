"""What an edge asks the agent's process for itself, over HTTP."""

import hashlib
import secrets
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import orjson
import pydantic
from tornado.httputil import HTTPServerRequest
from yarl import URL

from app.api.problems import ApiError
from app.auth.roles import Caller
from app.edge.forwarding import Forwarding
from opportunity.contracts.stream import (
    StreamCaller,
    StreamChanges,
    StreamEnded,
    StreamEvents,
)

CONNECT_S: Final = 2.0
ANSWER_S: Final = 5.0
READ_S: Final = 120.0
"""Longest silence of the agent's process within the answer to a caller."""

MOST_AT_ONCE: Final = 200
OWN_AT_ONCE: Final = 20
ROOM_S: Final = 10.0
"""How long a caller waits for one of those before it is told to come back."""
MOST_BYTES: Final = 32 << 20
RETRY_S: Final = 2
KNOWN_S: Final = 3.0
"""For how long an answer about a caller is believed; what is revoked ends at once all the same."""

MOST_KNOWN: Final = 1_000
MOST_FORGOTTEN: Final = 200
EVERYBODY: Final = ""

Lost: Final = (aiohttp.ClientError, OSError, TimeoutError, pydantic.ValidationError, ValueError)


def away() -> ApiError:
    """Return the 503 of an agent that does not answer."""
    return ApiError(
        503, "agent_away", "The agent's process does not answer now; try again.",
        headers={"Retry-After": str(RETRY_S)}, retry_after_s=RETRY_S,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Known:
    """Who showed some credentials, until a time of the loop."""

    caller: StreamCaller
    until: float


class Upstream:
    """The agent's process as an edge sees it.

    Parameters
    ----------
    url : str
        Where it is, e.g. ``http://127.0.0.1:8001``; '' while nobody knows.
    forwarding : Forwarding
    now : callable
        Monotonic seconds.

    Attributes
    ----------
    name : str
        Of the edge.
    n_connections : int
        That the edge holds; told with each question for changes.
    """

    def __init__(self, url: str, forwarding: Forwarding, now: Callable[[], float]) -> None:
        self.url, self.forwarding, self._now = url.rstrip("/"), forwarding, now
        self.name, self.n_connections = secrets.token_hex(6), 0
        self._known: dict[bytes, Known] = {}
        self._forgotten: deque[str] = deque(maxlen=MOST_FORGOTTEN)
        self._n_forgotten = 0
        self.session = _session(MOST_AT_ONCE)
        self._asking = _session(OWN_AT_ONCE)  # apart: callers never stand in the way of the stream

    def address(self, target: str) -> URL:
        """Return where to ask for a path and query; ApiError 503 while the agent is away."""
        if not self.url:
            raise away()
        return URL(self.url + target, encoded=True)

    async def changes(self, run: str, cursor: int) -> StreamChanges:
        """Return the states that changed since; one of `Lost` or ApiError without an answer."""
        body = await self._own(
            f"/api/stream/changes?run={run}&cursor={cursor}"
            f"&edge={self.name}&connections={self.n_connections}"
        )
        return StreamChanges.model_validate_json(body)

    async def events(self, channel: str, after: int) -> StreamEvents:
        """Return the events after a number; one of `Lost` or ApiError without an answer."""
        body = await self._own(f"/api/stream/events?channel={channel}&after={after}")
        return StreamEvents.model_validate_json(body)

    async def caller(self, request: HTTPServerRequest) -> StreamCaller:
        """Return who wants to open a stream, as the agent's process judges the handshake.

        Raises
        ------
        ApiError
            What it answers to those who may not; 503 when it is away.
        """
        pairs = self.forwarding.request(request)
        key = _credentials(request, pairs)
        known = self._known.get(key) if key else None
        if known is not None and known.until > self._now():
            return known.caller
        before = self._n_forgotten
        try:
            async with self._asking.get(
                self.address("/api/stream/caller"), headers=pairs, allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=ANSWER_S),
            ) as answer:  # fmt: skip
                body = await answer.content.read(MOST_BYTES)
                if answer.status != 200:
                    raise _refusal(answer.status, answer.headers, body)
            found = StreamCaller.model_validate_json(body)
        except Lost:
            raise away() from None
        if self._ended_since(before, found):  # the answer may be older than the news of that
            raise away()
        if key:
            self._remember(key, found)
        return found

    async def held(self, callers: Iterable[Caller]) -> list[str]:
        """Return the tokens of those who are not what they were; see `events` for errors."""
        told = [
            {"name": one.name, "role": one.role.label, "token": one.token} for one in callers
        ]
        headers = {**self.forwarding.own, "Content-Type": "application/json"}
        async with self._asking.post(
            self.address("/api/stream/held"), headers=headers, allow_redirects=False,
            data=orjson.dumps({"callers": told}), timeout=aiohttp.ClientTimeout(total=ANSWER_S),
        ) as answer:  # fmt: skip
            if answer.status != 200:
                raise away()
            return StreamEnded.model_validate_json(await answer.read()).ended

    def forget(self, who: str) -> None:
        """Believe nothing any more of a user, login or token."""
        self._note_end(who)
        for key, known in tuple(self._known.items()):
            if who in (known.caller.name, known.caller.token):
                del self._known[key]

    def forget_all(self) -> None:
        """Believe nothing any more of anybody."""
        self._note_end(EVERYBODY)
        self._known.clear()

    async def close(self) -> None:
        """Close the connections."""
        await self.session.close()
        await self._asking.close()

    async def _own(self, target: str) -> bytes:
        async with self._asking.get(
            self.address(target), headers=self.forwarding.own, allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=ANSWER_S),
        ) as answer:  # fmt: skip
            if answer.status != 200:
                raise away()
            return await answer.read()

    def _note_end(self, who: str) -> None:
        self._forgotten.append(who)
        self._n_forgotten += 1

    def _ended_since(self, before: int, caller: StreamCaller) -> bool:
        n = self._n_forgotten - before
        fresh = list(self._forgotten)[-n:] if n else []
        known = {EVERYBODY, caller.name, caller.token}
        return n > len(self._forgotten) or not known.isdisjoint(fresh)

    def _remember(self, key: bytes, caller: StreamCaller) -> None:
        if len(self._known) >= MOST_KNOWN:
            now = self._now()
            self._known = {k: v for k, v in self._known.items() if v.until > now}
        if len(self._known) < MOST_KNOWN:
            self._known[key] = Known(caller, self._now() + KNOWN_S)


def _session(most: int) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=most, keepalive_timeout=30),
        timeout=aiohttp.ClientTimeout(
            total=None, connect=ROOM_S, sock_connect=CONNECT_S, sock_read=READ_S
        ),
        auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
    )  # fmt: skip


def _credentials(request: HTTPServerRequest, pairs: list[tuple[str, str]]) -> bytes:
    """Return what stands for a caller's credentials; empty where they are good for once only."""
    if "opportunity.ticket." in request.headers.get("Sec-WebSocket-Protocol", ""):
        return b""
    asked = {
        "authorization", "cookie", "origin", "host", "sec-fetch-site", "sec-websocket-protocol",
        "x-forwarded-for", "x-forwarded-proto",
    }  # fmt: skip
    told = sorted((name.lower(), value) for name, value in pairs if name.lower() in asked)
    # Not what was shown itself: it is kept nowhere. The query is judged, too.
    return hashlib.sha256(orjson.dumps([told, request.uri])).digest()


def _refusal(status: int, headers: Any, body: bytes) -> ApiError:
    """Return what the agent's process refused a caller with, to be answered here."""
    try:
        told: Any = orjson.loads(body)
        code, detail = str(told["code"]), str(told["detail"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return away()
    names = ("Retry-After", "Www-Authenticate", "Ratelimit", "Ratelimit-Policy")
    kept = {name: headers[name] for name in names if name in headers}
    return ApiError(status, code, detail, headers=kept)

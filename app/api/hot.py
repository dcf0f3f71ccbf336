"""Answers that are given again while nothing has changed that they depend on.

The first time, a request goes the whole way: it is parsed, checked, routed and answered. What
came in and what went out are kept, both as bytes. When the same bytes come again, and what the
answer was made of is still the same (its stamp), the same bytes go out again, with the time and
the id of the new request. Who asks, and how often, is still checked each time by the gate.

Nothing is parsed here that was not parsed before by Tornado: the same bytes mean the same request.
"""

import email.utils
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, Final, Generic, TypeVar

from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from app.api.guard import SAFE_METHODS
from app.api.hot_stamps import HOT, Asked, Depends, Stamp, Turned
from app.api.operations import operation_of, pattern_of
from app.api.problems import ApiError
from app.auth.gate import Gate
from app.auth.headers import TRANSPORT
from app.auth.limiter import LIMIT, POLICY
from app.auth.roles import Role
from app.services import Services
from opportunity.feeds.clock import wall_ms

MAX_REQUEST: Final = 4_096
MAX_ANSWER: Final = 256 * 1024
MAX_KNOWN: Final = 2_048
MAX_KEPT: Final = 8 << 20
"""Bytes of all answers that are kept."""

_LENGTH: Final = re.compile(rb"\r\nContent-Length: (\d+)(?:\r\n|$)")
_NEVER: Final = re.compile(rb"\r\n(?:Set-Cookie|Connection|Transfer-Encoding):", re.IGNORECASE)
_NEW: Final = re.compile(
    rf"(?<=\r\n)(Date|X-Request-Id|{POLICY}|{LIMIT}): [^\r\n]*".encode(), re.IGNORECASE
)
"""Headers that are new each time."""

_SHAPING: Final = ("If-None-Match",)
"""Headers of a request that the answer's own headers depend on."""
_TLS: Final = re.compile(
    "|".join(rf"\r\n{name}: " for name in TRANSPORT).encode(), re.IGNORECASE
)
"""What is only in answers under TLS: whether there is, the gate says."""

Item = TypeVar("Item")


class Shelf(Generic[Item]):
    """The newest things by name, as many as there is room for.

    Parameters
    ----------
    room : int
        In the unit in which things are weighed.
    """

    def __init__(self, room: int) -> None:
        self._room, self._used = room, 0
        self._items: dict[Any, tuple[Item, int]] = {}

    def __len__(self) -> int:
        return len(self._items)

    def get(self, name: Any) -> Item | None:
        """Return a thing; None if it is not there."""
        found = self._items.get(name)
        return None if found is None else found[0]

    def put(self, name: Any, item: Item, weight: int = 1) -> None:
        """Keep a thing; the oldest make room."""
        self._used += weight - self._items.pop(name, (None, 0))[1]
        self._items[name] = item, weight
        while self._used > self._room:
            self._used -= self._items.pop(next(iter(self._items)))[1]


@dataclass(frozen=True, slots=True)
class Resource:
    """A method of a path whose answers are kept."""

    path: str
    role: Role
    writes: bool
    depends: Depends
    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Known:
    """A request that was answered before, as Tornado parsed it."""

    resource: Resource
    variant: tuple[Any, ...]
    stamp: Stamp
    start_line: RequestStartLine
    headers: HTTPHeaders


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer, in pieces around what is new each time."""

    made_of: tuple[Any, ...]
    pieces: tuple[bytes, ...]
    slots: tuple[bytes, ...]
    tls: bool

    @property
    def status(self) -> int:
        """Status code."""
        return int(self.pieces[0][9:12])

    @property
    def limited(self) -> bool:
        """Whether it says what is left of the caller's limit."""
        return LIMIT.lower().encode() in self.slots

    def filled(self, values: Mapping[bytes, bytes]) -> bytes:
        """Return the answer with new values."""
        parts = [self.pieces[0]]
        for name, piece in zip(self.slots, self.pieces[1:], strict=True):
            parts += (values[name], piece)
        return b"".join(parts)


@dataclass(frozen=True, slots=True)
class Pending:
    """A request that goes the whole way now, and what its answer is made of."""

    raw: bytes
    known: Known
    made_of: tuple[Any, ...]


class Hot:
    """The requests and answers of one server that are kept.

    Parameters
    ----------
    services : Services
        What answers are made of.
    gate : Gate
        Asked each time.
    handlers : mapping of str to handler
        By path template; they say which role is needed.
    answered : callable, optional
        Told of each answer that is given again: method, path template, status, seconds.
    """

    def __init__(
        self, services: Services, gate: Gate, handlers: Mapping[str, type],
        answered: Callable[[str, str, int, float], None] | None = None,
    ) -> None:
        self._services, self._gate, self._answered = services, gate, answered
        self._resources: dict[bytes, list[Resource]] = {}
        for (method, path), made_of in HOT.items():
            declared = operation_of(handlers[path], method) if path in handlers else None
            if declared is not None:
                self._resources.setdefault(method.encode(), []).append(Resource(
                    path, declared.role, method not in SAFE_METHODS, made_of,
                    re.compile(pattern_of(path)),
                ))  # fmt: skip
        self._turned = Turned(services)
        self._known: Shelf[Known] = Shelf(MAX_KNOWN)
        self._kept: Shelf[Kept] = Shelf(MAX_KEPT)
        self._second, self._date = -1, b""
        self.n_again = 0

    # -- the whole way -----------------------------------------------------------------------

    def begin(
        self, raw: bytes, start_line: RequestStartLine, headers: HTTPHeaders
    ) -> Pending | None:
        """Note a request that goes the whole way; None if its answer is not to be kept.

        Parameters
        ----------
        raw : bytes
            All that has come of the request.
        start_line, headers
            As Tornado parsed them.
        """
        if len(raw) > MAX_REQUEST or start_line.version != "HTTP/1.1":
            return None
        head, end, body = raw.partition(b"\r\n\r\n")
        if not end or not _whole(head, body, headers):  # half a head says nothing of who asks
            return None
        for resource in self._resources.get(start_line.method.encode(), ()):
            path, _, query = start_line.path.partition("?")
            found = resource.pattern.fullmatch(path)
            if found is None:
                continue
            asked = Asked(found.groups(), query, body, self._turned)
            stamp = resource.depends(self._services, asked)
            if stamp is None or (made_of := stamp()) is None:
                return None
            shaped = tuple(headers.get(name) for name in _SHAPING)
            variant = (start_line.method, start_line.path, body, *shaped)
            return Pending(raw, Known(resource, variant, stamp, start_line, headers), made_of)
        return None

    def end(self, pending: Pending, answer: bytes) -> None:
        """Keep what was answered, if it is whole and was made of one state of things."""
        known = pending.known
        if _repeatable(answer) and known.stamp() == pending.made_of:
            kept = _cut(pending.made_of, answer)
            known = replace(known, variant=(*known.variant, kept.limited, kept.tls))
            self._kept.put(known.variant, kept, len(answer))
            self._known.put(pending.raw, known)

    # -- the short way -----------------------------------------------------------------------

    def find(self, raw: bytes) -> tuple[Known, Kept] | None:
        """Return a request that came before and its answer, if that still holds."""
        known = self._known.get(raw)
        if known is None:
            return None
        kept = self._kept.get(known.variant)
        return None if kept is None or kept.made_of != known.stamp() else (known, kept)

    def answer(self, known: Known, kept: Kept, request: HTTPServerRequest) -> bytes | None:
        """Return the bytes of the answer; None if the gate refuses, which the slow way words."""
        resource, began, gate = known.resource, perf_counter(), self._gate
        try:
            found = gate.look(request, resource.role, resource.writes)
            if kept.tls != (found.arrival.scheme == "https"):
                return None
            standing = gate.count(found.caller, found.arrival, request)
        except ApiError:
            return None
        values = {b"date": self._now(), b"x-request-id": uuid.uuid4().hex.encode()}
        if standing is not None:
            for name, value in standing.headers().items():
                values[name.lower().encode()] = value.encode()
        if kept.limited == (standing is None):
            return None
        self.n_again += 1
        data = kept.filled(values)
        if self._answered is not None:
            method, took = known.start_line.method, perf_counter() - began
            self._answered(method, resource.path, kept.status, took)
        return data

    def _now(self) -> bytes:
        second = wall_ms() // 1_000
        if second != self._second:
            self._second = second
            self._date = email.utils.formatdate(second, usegmt=True).encode()
        return self._date


def _whole(head: bytes, body: bytes, headers: HTTPHeaders) -> bool:
    """Tell whether what came is one request to its end, and nothing of another."""
    # Tornado also ends a head at bare line feeds: then a second request could hide in the first.
    if head.count(b"\n") != head.count(b"\r\n"):
        return False
    if "Transfer-Encoding" in headers or "Expect" in headers or "Upgrade" in headers:
        return False
    return headers.get("Content-Length", "0") == str(len(body))


def _repeatable(answer: bytes) -> bool:
    head, _, body = answer.partition(b"\r\n\r\n")
    if len(answer) > MAX_ANSWER or _NEVER.search(head):
        return False
    if head.startswith(b"HTTP/1.1 304 "):
        return not body
    length = _LENGTH.search(head)
    return head.startswith(b"HTTP/1.1 200 ") and length is not None and int(length[1]) == len(body)


def _cut(made_of: tuple[Any, ...], answer: bytes) -> Kept:
    head, gap, body = answer.partition(b"\r\n\r\n")
    pieces, slots, at = [], [], 0
    for found in _NEW.finditer(head):
        pieces.append(head[at : found.end(1)] + b": ")
        slots.append(found[1].lower())
        at = found.end()
    whole = (*pieces, head[at:] + gap + body)
    return Kept(made_of, whole, tuple(slots), _TLS.search(head) is not None)

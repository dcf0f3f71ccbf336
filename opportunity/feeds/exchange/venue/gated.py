"""What is mixed into ccxt's classes: one choke point for requests, and hooks for streams."""

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from opportunity.feeds.exchange.venue.failures import VenueError, classify
from opportunity.feeds.exchange.venue.gate import Gate
from opportunity.feeds.exchange.venue.pacing import pace
from opportunity.feeds.exchange.venue.proxies import proxy_for
from opportunity.feeds.exchange.venue.transport import LIMITED, Trip, trip

logger = structlog.get_logger(__name__)

_ABSENT: Final = frozenset({404, 405, 410})
_PROXY_REFUSED: Final = 407
_BARRED: Final = 451
_PLACE: Final = re.compile(r"restricted location|your (country|region|location)", re.IGNORECASE)
"""What a 403 says that is about where this machine stands."""

_NUMBER: Final = re.compile(r"\s*\d{1,20}(\.\d+)?\s*")


@dataclass(frozen=True, slots=True)
class Plan:
    """What ccxt's objects of a venue have in common.

    Parameters
    ----------
    name : str
        ccxt's id.
    url : str
        ``http://host:port`` that all addresses are turned to; empty leaves them.
    rate : bool
        Whether ccxt's token bucket spaces the calls.
    timeout_s : float
        Of a call.
    wall_ms : callable
        Wall time, ms UTC.
    options : mapping
        ccxt's `options` on top of ours.
    """

    name: str
    url: str
    rate: bool
    timeout_s: float
    wall_ms: Callable[[], int]
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hooks:
    """What to call, with ccxt's WebSocket client, when something happens to a stream.

    Parameters
    ----------
    on_message : callable, optional
        (client, message) before ccxt sees a message; something true hides it from ccxt.
    on_connected : callable, optional
        (client) after a connection was made.
    on_closed : callable, optional
        (client, reason) after one was lost or could not be made.
    """

    on_message: Callable[[Any, Any], object] | None = None
    on_connected: Callable[[Any], object] | None = None
    on_closed: Callable[[Any, object], object] | None = None


class Gated:
    """Mixed into ccxt's classes: one choke point for its requests, and hooks for its streams."""

    gate: Gate
    plan: Plan
    hooks: Hooks = Hooks()
    bad_frames: int = 0

    async def fetch(
        self, url: str, method: str = "GET", headers: Any = None, body: Any = None
    ) -> Any:
        """Let a request out through the gate, and judge the answer."""
        gate = self.gate
        closed: bool = self.closed_by_user or self.session is None  # type: ignore[attr-defined]  # ccxt's
        if closed:  # what a closed stream had still to ask: no call, and no failure of the venue
            raise VenueError(f"the line to {self.plan.name} was closed", "unreachable")
        await gate.enter()
        now = time.monotonic()
        seen, asked_by = Trip(first_at=now, sent_at=now), trip.get()
        token = trip.set(seen)  # its own: requests of one call may be under way together
        try:
            answer = await super().fetch(url, method, headers, body)  # type: ignore[misc]  # ccxt's
            seen.back_at = time.monotonic()
            _require_sense(answer, seen.status, self.plan.name)
        except asyncio.CancelledError:
            gate.abandoned()
            raise
        except Exception as error:
            raise self._judged(error, seen) from error
        finally:
            trip.reset(token)
            if asked_by is not None:
                asked_by.add(seen)
        gate.succeeded()
        return answer

    def on_rest_response(self, code: int, reason: str, *args: Any) -> Any:
        """Note status and headers of the answer, then go on."""
        seen = trip.get()
        if seen is not None:
            seen.status, seen.headers = code, args[2]
        return super().on_rest_response(code, reason, *args)  # type: ignore[misc]  # ccxt's

    def client(self, url: str) -> Any:
        """Return ccxt's WebSocket client; a frame that cannot be read does not end its loop."""
        known = url in (getattr(self, "clients", None) or {})
        client = super().client(url)  # type: ignore[misc]  # ccxt's
        if not known:
            client.handle_message = self._guarded(client.handle_message)
            client.proxy = self._proxy(url)
            pace(client)
        return client

    def check_proxy_settings(self, url: Any = None, *_: Any) -> list[str | None]:
        """Tell ccxt which proxy a request goes through: HTTP, HTTPS, SOCKS."""
        proxy = self._proxy(url)
        return [None, proxy, None]

    def check_ws_proxy_settings(self) -> list[str | None]:
        """Tell ccxt of none: `client` has set it already."""
        return [None, None, None]

    def _proxy(self, url: Any) -> str | None:
        return proxy_for(str(url or "")) if not self.plan.url else None

    def handle_message(self, client: Any, message: Any) -> None:
        """Show a message to the hook, then to ccxt."""
        if self.hooks.on_message is not None and self.hooks.on_message(client, message):
            return
        super().handle_message(client, message)  # type: ignore[misc]  # ccxt's

    def on_connected(self, client: Any, message: Any = None) -> None:
        """Tell the hook of a connection."""
        super().on_connected(client, message)  # type: ignore[misc]  # ccxt's
        if self.hooks.on_connected is not None:
            self.hooks.on_connected(client)

    def on_error(self, client: Any, error: Any) -> None:
        """Tell the hook of a connection that failed."""
        client.last_retry_after = None  # the gate keeps the pauses, and checks them
        super().on_error(client, error)  # type: ignore[misc]  # ccxt's
        if self.hooks.on_closed is not None:
            self.hooks.on_closed(client, error)

    def on_close(self, client: Any, error: Any) -> None:
        """Tell the hook of a connection that ended."""
        super().on_close(client, error)  # type: ignore[misc]  # ccxt's
        if self.hooks.on_closed is not None:
            self.hooks.on_closed(client, error)

    def _judged(self, error: Exception, seen: Trip) -> VenueError:
        failure = self._in_between(error, seen.status)
        if failure is not None:
            self.gate.failed("unreachable")  # so that it is not asked over and over
            return failure
        failure = classify(error, seen.headers, self.plan.wall_ms(), self.plan.name)
        if seen.status in _ABSENT and failure.kind == "unreachable":
            failure = VenueError(f"{self.plan.name} does not offer this", "unsupported")
        if isinstance(error, VenueError) and failure.kind in ("limited", "banned"):
            self.gate.abandoned()  # the gate itself said no
        elif seen.status in LIMITED or failure.kind == "limited":
            if seen.status not in LIMITED:  # said in words; a status is noted by the session
                self.gate.limited(429, seen.headers)
            failure = self.gate.refusal(failure)
        elif failure.kind in ("refused", "unsupported"):
            self.gate.succeeded()
        else:
            self.gate.failed(failure.kind)
        return failure

    def _in_between(self, error: Exception, status: int) -> VenueError | None:
        """Return what stands between here and the venue, be it law or a proxy, if that is told."""
        if status == _BARRED or (status == 403 and _PLACE.search(str(error))):
            text = (
                f"{self.plan.name} does not serve the place where this machine is "
                f"(HTTP status {status}): take another exchange"
            )
            return VenueError(text, "unsupported")
        if status == _PROXY_REFUSED:
            text = f"{self.plan.name} cannot be reached: the proxy refused (HTTP status {status})"
            return VenueError(text, "unreachable")
        return None

    def _guarded(self, handle: Callable[[Any], None]) -> Callable[[Any], None]:
        def guarded(message: Any) -> None:
            try:
                handle(message)
            except Exception as error:  # noqa: BLE001 - one bad frame would end the line for good
                self.bad_frames += 1
                if self.bad_frames & (self.bad_frames - 1) == 0:  # 1, 2, 4, 8 ...: never a flood
                    logger.warning(
                        "frame not understood",
                        venue=self.plan.name,
                        n=self.bad_frames,
                        error=f"{type(error).__name__}: {error}"[:200],
                    )

        return guarded


def _require_sense(answer: Any, status: int, name: str) -> None:
    # ccxt passes HTML, cut JSON and empty bodies on in silence
    if status >= 300:
        raise VenueError(f"{name} cannot be reached: HTTP status {status}", "unreachable")
    if isinstance(answer, dict | list):
        if answer == {}:
            raise VenueError(f"{name} gave an empty answer", "garbled")
    elif not (isinstance(answer, str) and _NUMBER.fullmatch(answer)):
        what = "nothing" if answer in ("", None) else "no JSON"
        raise VenueError(f"{name} gave an answer that makes no sense: {what}", "garbled")

"""One ccxt.pro object from its first dial to its end."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import structlog

from opportunity.errors import OpportunityError
from opportunity.feeds.exchange.lines.ports import Stream, StreamVenue
from opportunity.feeds.exchange.lines.subjects import UNREAD, Subject
from opportunity.feeds.exchange.lines.taps import TAPS
from opportunity.feeds.exchange.lines.waits import Backoff, Silence
from opportunity.feeds.exchange.venue.failures import told

logger = structlog.get_logger(__name__)

Why = Literal["dropped", "silent", "refused", "leaving", "stopped"]

LOOKS: Final = 8
"""Looks at the clock in the silence that is borne."""

CLOSE_S: Final = 1.5
"""Wall seconds that a polite goodbye may take; then the connection is cut."""

TOGETHER_S: Final = 1.0
"""Connections of one object that are opened within this time are told of as one."""


@dataclass(frozen=True, slots=True)
class End:
    """Why a session is over; `wait_s` is how long the venue asked to wait."""

    why: Why
    text: str = ""
    wait_s: float = 0.0


class Session:
    """Keeps the subscriptions of one ccxt.pro object until something goes wrong with it.

    Parameters
    ----------
    venue : StreamVenue
        Makes the object.
    subject : Subject
        Knows how to ask and how to read.
    batches : sequence of sequences of str
        Symbols, as many together as go into one request.
    silence : Silence
        Says when silence is a fault.
    on_connected : callable
        Called after each connection was opened, also by ccxt itself.

    Attributes
    ----------
    settled : asyncio.Event
        Set once a frame has come, or the session is over.
    over : asyncio.Event
        Set once it is over; then `end` says why.
    flowing : bool
        Whether a frame has come.
    n_bad : int
        Messages that could not be read.
    """

    def __init__(
        self,
        venue: StreamVenue,
        subject: Subject,
        batches: Sequence[Sequence[str]],
        silence: Silence,
        on_connected: Callable[[], None],
    ) -> None:
        self._venue, self._subject, self._silence = venue, subject, silence
        self._batches, self._on_connected = batches, on_connected
        self._tap = TAPS.get(venue.name)
        self._stream: Stream = None
        self._heard_at = 0.0
        self._said: asyncio.TimerHandle | None = None
        self._said_at = -TOGETHER_S
        self._refused = 0
        self.settled, self.over = asyncio.Event(), asyncio.Event()
        self.end: End | None = None
        self.flowing = False
        self.n_bad = 0

    async def run(self) -> None:
        """Dial, subscribe and listen until the session is over, then close everything."""
        loop = asyncio.get_running_loop()
        self._heard_at = loop.time()
        try:
            stream = self._venue.stream(self._on_message, self._on_connect, self._on_close)
        except OpportunityError as error:  # the venue was closed meanwhile
            self.stop("dropped", str(error))
            return
        self._stream = stream
        self._subject.begin(stream)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self._keep(batch, i)) for i, batch in enumerate(self._batches)
                ]
                tasks.append(group.create_task(self._watch()))
                await self.over.wait()
                for task in tasks:
                    task.cancel()
        finally:
            self.stop("stopped", "the line was closed")
            if self._said is not None:
                self._said.cancel()
            await _part(stream, self.end is not None and self.end.why == "silent")

    def stop(self, why: Why, text: str = "", wait_s: float = 0.0) -> None:
        """End it; the first reason counts."""
        if self.end is None:
            self.end = End(why, text, wait_s)
            self.over.set()
            self.settled.set()

    # -- called by ccxt's object ------------------------------------------------------------------

    def _on_message(self, client: Any, message: Any) -> bool:
        """Read a message; return whether that is all, so that ccxt need not."""
        try:
            n = self._subject.hear(message)
        except Exception as error:  # noqa: BLE001 - whatever is in a message, the next must be read
            self.n_bad += 1
            logger.debug("message not read", venue=self._venue.name, error=repr(error)[:200])
            return True
        if n == UNREAD:
            if self._tap is not None and isinstance(message, dict) and self._tap.leaving(message):
                self.stop("leaving", "the venue is about to close the connection")
            n = int(self._subject.any_message)
            self._hear(n)
            return False
        self._hear(n)
        return True

    def _on_connect(self, *_: Any) -> None:
        if self.end is not None or self._said is not None:
            return
        loop = asyncio.get_running_loop()
        wait_s = self._said_at + TOGETHER_S - loop.time()
        if wait_s <= 0:
            self._tell()
        else:
            self._said = loop.call_later(wait_s, self._tell)

    def _tell(self) -> None:
        self._said = None
        self._said_at = asyncio.get_running_loop().time()
        self._on_connected()

    def _on_close(self, *_: Any) -> None:
        if self._subject.any_message:  # nobody may be waiting just now who would be told
            self.stop("dropped", "the connection was closed")

    def _hear(self, n_frames: int) -> None:
        if n_frames <= 0:
            return
        self._heard_at = asyncio.get_running_loop().time()
        if not self.flowing:
            self.flowing = True
            self.settled.set()

    # -- tasks ------------------------------------------------------------------------------------

    async def _keep(self, symbols: Sequence[str], seed: int) -> None:
        """Hold the subscription of one batch, and read what ccxt gives of it."""
        backoff = Backoff(seed)
        while True:
            try:
                result = await self._subject.watch(self._stream, symbols)
                self._hear(self._subject.take(self._stream, symbols, result))
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if self.end is not None or (task is not None and task.cancelling()):
                    raise
                self.stop("dropped", "ccxt gave up the connection")  # it cancels its own futures
                return
            except Exception as error:  # noqa: BLE001 - ccxt's classes are known to `Venue` alone
                if not await self._survives(error, backoff):
                    return
            else:
                backoff.reset()
                await asyncio.sleep(0)

    async def _survives(self, error: Exception, backoff: Backoff) -> bool:
        """Return whether the batch may be watched again on the same object."""
        names = {kind.__name__ for kind in type(error).__mro__}
        text = f"{type(error).__name__}: {told(error)}"
        if names.isdisjoint(("NetworkError", "OperationFailed", "OpportunityError")):
            self._refuse(text)
            return False
        if "InvalidNonce" in names:  # a book lost its thread: ccxt begins it anew on this line
            await asyncio.sleep(backoff.draw())
            return True
        if self._subject.batch > 1:
            self.stop("dropped", text, _asked_wait_s(error))
            return False
        await asyncio.sleep(backoff.draw(_asked_wait_s(error)))  # the other symbols may be well
        try:
            await self._venue.may_connect()
        except OpportunityError as asked:  # the line knows how to wait
            self.stop("dropped", str(asked))
            return False
        return True

    def _refuse(self, text: str) -> None:
        self._refused += 1
        logger.info("stream refused", venue=self._venue.name, error=text)
        if self._refused == len(self._batches) or len(self._batches[0]) > 1:
            self.stop("refused", text)

    async def _watch(self) -> None:
        """End the session when it is silent for too long."""
        loop = asyncio.get_running_loop()
        seen = self._heard_at
        while True:
            look_s, begun = self._silence.limit_s / LOOKS, loop.time()
            await asyncio.sleep(look_s)
            if loop.time() - begun > 2.0 * look_s:
                continue  # it was our loop that stood still: what came meanwhile is not read yet
            if self._heard_at > seen:
                self._silence.heard(self._heard_at - seen)
                seen = self._heard_at
            elif loop.time() - seen > self._silence.limit_s:
                text = f"silent for {loop.time() - seen:.1f} s"
                self._silence.lost()
                self.stop("silent", text)
                return


def _asked_wait_s(error: Exception) -> float:
    """Return for how long a refused handshake asked to wait."""
    cause = error.args[0] if error.args else None
    headers = getattr(cause, "headers", None)
    try:
        return max(0.0, float(headers["Retry-After"])) if headers else 0.0
    except (KeyError, TypeError, ValueError):
        return 0.0


def _cut(stream: Stream) -> None:
    """Shut the sockets: what waits for a word of the other side then waits no more."""
    for client in list((stream.clients or {}).values()):
        link = client.connection
        shut = link.get_extra_info("socket") if link is not None else None
        if shut is not None:
            try:
                shut.shutdown(socket.SHUT_RDWR)
            except OSError:
                logger.debug("already shut")


async def _part(stream: Stream, hard: bool) -> None:
    """Close an object, also when cancelled; politely unless the other side is known to be dead."""
    if hard:
        _cut(stream)
    timer = asyncio.get_running_loop().call_later(CLOSE_S, _cut, stream)
    closing = asyncio.ensure_future(stream.close())
    try:
        await asyncio.wait([closing])
    except asyncio.CancelledError:
        _cut(stream)
        await asyncio.wait([closing])
        raise
    finally:
        timer.cancel()
        if closing.done() and not closing.cancelled() and closing.exception() is not None:
            logger.debug("not closed", error=type(closing.exception()).__name__)

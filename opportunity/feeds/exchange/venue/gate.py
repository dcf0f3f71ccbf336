"""The one door to a venue: nothing goes out while the venue wants to be left alone."""

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import structlog

from opportunity.feeds.exchange.venue.bans import Ban, Bans
from opportunity.feeds.exchange.venue.failures import (
    LONGEST_MS,
    FailureKind,
    VenueError,
    retry_after_ms,
)

logger = structlog.get_logger(__name__)

Why = Literal["", "limited", "banned", "failing"]

LIMITED_MS: Final = 5_000
"""First pause after a 429 that does not say how long, ms; doubles with each in a row."""

BANNED_MS: Final = 120_000
"""First pause after a 418 that does not say how long, ms; doubles with each in a row."""

STRIKES: Final = 3
"""429 in a row, without saying how long, after which the venue counts as having banned us."""

PROBE_S: Final = 30.0
"""A probe that has not come back after this long does not hold up others any more."""

_FAILING: Final = frozenset({"unreachable", "garbled"})


@dataclass(frozen=True, slots=True)
class Patience:
    """How a venue is treated when it does not answer; all of it in seconds of wall time.

    Parameters
    ----------
    first_s, longest_s : float
        Bounds of the random pause before a call is tried again; the upper one doubles.
    attempts : int
        How often a call is tried.
    wait_s : float
        A call waits this long at most for a pause to end, then it fails at once.
    failures : int
        Failures in a row after which all calls stop.
    open_s : float
        How long they stop; then a single call is let out to look.
    """

    first_s: float = 0.5
    longest_s: float = 30.0
    attempts: int = 3
    wait_s: float = 5.0
    failures: int = 5
    open_s: float = 30.0

    def pause_s(self, attempt: int) -> float:
        """Return the pause after the given failed attempt, from 1: full jitter."""
        longest = min(self.longest_s, self.first_s * 2.0 ** (attempt - 1))
        return random.uniform(0.0, longest)


@dataclass(slots=True)
class Calls:
    """Counters of a gate since its start."""

    out: int = 0
    held: int = 0
    failed: int = 0
    limited: int = 0


@dataclass(frozen=True, slots=True)
class Timing:
    """Clocks of a gate: wall time in ms UTC, monotonic seconds, and a way to wait."""

    wall_ms: Callable[[], int]
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class Gate:
    """Lets calls out to one venue, or holds them back.

    Every call goes `enter`, then one of `succeeded`, `failed` or `abandoned`; an answer 418 or
    429 is reported by `limited`, whatever it answers. After a pause a single call goes first;
    the others follow when it was answered.

    Parameters
    ----------
    venue : str
        Name, for texts.
    bans : Bans
        What is remembered on disk.
    timing : Timing
        Clocks.
    patience : Patience
        Limits.
    """

    def __init__(
        self, venue: str, bans: Bans, timing: Timing, patience: Patience | None = None
    ) -> None:
        self._venue, self._bans, self._timing = venue, bans, timing
        self._patience = patience or Patience()
        self.calls = Calls()
        self._pause_end = self._open_end = -math.inf  # monotonic seconds
        self._pause_why: Why = "limited"
        self._failures = 0
        self._half = False
        self._probe_at: float | None = None
        self._answered = asyncio.Event()
        ban = bans.read(timing.wall_ms())
        self._strikes = ban.strikes if ban else 0

    # -- what is asked of it -------------------------------------------------------------------

    @property
    def why(self) -> Why:
        """Why nothing goes out; empty while calls do."""
        return self._hold()[1]

    @property
    def paused_until(self) -> int | None:
        """When the next call may go out, ms UTC of the wall clock; None while calls do."""
        wait, _ = self._hold()
        return self._timing.wall_ms() + math.ceil(wait * 1000) if wait > 0 else None

    def check(self) -> None:
        """Raise if the venue asked to be left alone; never waits, takes no part in probing."""
        wait, why = self._asked()
        if wait > 0:
            self.calls.held += 1
            raise self._refusal(wait, why)

    async def enter(self) -> None:
        """Return when a call may go out.

        Raises
        ------
        VenueError
            ``limited``, ``banned`` or ``unreachable``, with `retry_at`, if that takes longer
            than the patience allows.
        """
        deadline = self._timing.monotonic() + self._patience.wait_s
        while True:
            await self._unpaused(deadline)
            if not self._half or self._probe_free():
                break
            await self._probed(deadline)
        if self._half:
            self._probe_at = self._timing.monotonic()
            self._answered.clear()
        self.calls.out += 1

    async def wait_unpaused(self) -> None:
        """Return when the venue does not ask to be left alone, as `enter` but without a call."""
        deadline = self._timing.monotonic() + self._patience.wait_s
        while (wait := self._asked()[0]) > 0:
            await self._sleep(wait, deadline, self._asked()[1])

    # -- what it is told -------------------------------------------------------------------------

    def succeeded(self) -> None:
        """Note that a call was answered, be it with a refusal."""
        self._failures = 0
        if self._hold()[0] > 0:
            return  # an older call came back: the pause stands
        self._half, self._probe_at = False, None
        self._answered.set()
        if self._strikes:
            self._strikes = 0
            self._bans.settle(self._timing.wall_ms())

    def failed(self, kind: FailureKind) -> None:
        """Note that a call was not answered."""
        self.calls.failed += 1
        if kind not in _FAILING:
            self.abandoned()
            return
        self._failures += 1
        now = self._timing.monotonic()
        if self._failures >= self._patience.failures and now >= self._open_end:
            self._open_end, self._half = now + self._patience.open_s, True
            logger.warning("venue left alone", venue=self._venue, failures=self._failures)
        self.abandoned()

    def abandoned(self) -> None:
        """Note that a call ended without an answer that says anything."""
        self._probe_at = None
        self._answered.set()

    def limited(self, status: int, headers: Mapping[str, str]) -> VenueError:
        """Note that the venue asked to be left alone, and return the error to raise.

        Parameters
        ----------
        status : int
            HTTP status: 418 says that this address is locked out.
        headers : mapping
            ``Retry-After`` says for how long; without it the pause grows with each time in a row.
        """
        self.calls.limited += 1
        wall, now = self._timing.wall_ms(), self._timing.monotonic()
        if self._asked()[0] <= 0:  # calls that went out together are one offence
            self._strikes += 1
        asked = retry_after_ms(headers, wall)
        pause = self._own_pause(status) if asked is None else asked
        kind = "banned" if status == 418 or (asked is None and pause >= BANNED_MS) else "limited"
        if now + pause / 1000 > self._pause_end:
            self._pause_end = now + pause / 1000
            self._pause_why = "banned" if kind == "banned" else "limited"
            self._bans.write(Ban(wall, wall + pause, kind, self._strikes))
            logger.warning("venue asked to wait", venue=self._venue, status=status, ms=pause)
        self._half = True
        self.abandoned()
        return self._refusal(*self._asked())

    def refusal(self, otherwise: VenueError) -> VenueError:
        """Return the error that says how long to wait, or another if calls may go out again."""
        wait, why = self._hold()
        return self._refusal(wait, why) if wait > 0 else otherwise

    # -- inside ------------------------------------------------------------------------------------

    def _own_pause(self, status: int) -> int:
        doubled = self._strikes - 1
        if status != 418:
            if self._strikes <= STRIKES:
                return LIMITED_MS << doubled
            doubled -= STRIKES
        return min(BANNED_MS << min(doubled, 20), LONGEST_MS)

    def _asked(self) -> tuple[float, Why]:
        # own pauses by the monotonic clock, those of others and of earlier lives by the file
        wait, why = self._pause_end - self._timing.monotonic(), self._pause_why
        wall = self._timing.wall_ms()
        ban = self._bans.read(wall)
        if ban is not None and not self._bans.own:
            left = ban.remaining_ms(wall) / 1000
            if left > 0:
                self._half = True
            if left > wait:
                return left, "banned" if ban.kind == "banned" else "limited"
        return wait, why

    def _hold(self) -> tuple[float, Why]:
        wait, why = self._asked()
        broken = self._open_end - self._timing.monotonic()
        if broken > max(wait, 0.0):
            return broken, "failing"
        return (wait, why) if wait > 0 else (0.0, "")

    async def _unpaused(self, deadline: float) -> None:
        while True:
            wait, why = self._hold()
            if wait <= 0:
                return
            await self._sleep(wait, deadline, why)

    async def _sleep(self, wait: float, deadline: float, why: Why) -> None:
        if self._timing.monotonic() + wait > deadline:
            self.calls.held += 1
            raise self._refusal(wait, why)
        await self._timing.sleep(wait + 0.001)

    def _probe_free(self) -> bool:
        at = self._probe_at
        return at is None or self._timing.monotonic() - at > PROBE_S

    async def _probed(self, deadline: float) -> None:
        left = deadline - self._timing.monotonic()
        try:
            async with asyncio.timeout(max(left, 0.0)):
                await self._answered.wait()
        except TimeoutError:
            self.calls.held += 1
            raise self._refusal(1.0, "failing") from None

    def _refusal(self, wait: float, why: Why) -> VenueError:
        retry_at = self._timing.wall_ms() + math.ceil(wait * 1000)
        kinds: dict[Why, FailureKind] = {"limited": "limited", "banned": "banned"}
        words = {
            "limited": "asked to wait",
            "banned": "has locked this address out",
            "failing": "does not answer",
        }
        text = f"{self._venue} {words.get(why, 'does not answer')}; next call in {wait:.0f} s"
        return VenueError(text, kinds.get(why, "unreachable"), retry_at)

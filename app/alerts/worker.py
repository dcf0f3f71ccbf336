"""One thread a channel: takes what waits in the outbox, sends it, and marks how it went.

A message is marked only after it was sent, so one that is cut off in the middle goes out again:
twice at worst, never not at all. A channel that hangs holds up nobody but itself.
"""

import random
import threading
from collections.abc import Callable
from typing import Final

import structlog

from app.alerts.channels import Channel
from app.alerts.pace import MINUTE_MS, Pace, compose, plan
from opportunity.storage.failures import DatabaseError
from opportunity.storage.outbox import Outbox
from opportunity.storage.outbox_rows import Row

logger = structlog.get_logger(__name__)

LONGEST_LOOK_S: Final = 60.0
NO_DATABASE_S: Final = 5.0
CLOSE_S: Final = 5.0


class Worker:
    """Sends what waits for one channel, on its own thread.

    Parameters
    ----------
    channel : Channel
    outbox : Outbox
    clock : callable
        Wall time, ms UTC.
    pace : Pace
    rng : random.Random
        Spreads the tries after a failure.
    """

    def __init__(
        self, channel: Channel, outbox: Outbox, clock: Callable[[], int],
        pace: Pace | None = None, rng: random.Random | None = None,
    ) -> None:  # fmt: skip
        self.channel, self._outbox, self._clock = channel, outbox, clock
        self._pace, self._rng = pace or Pace(), rng or random.Random()  # not a secret
        self._wake, self._ending = threading.Event(), threading.Event()
        self._thread = threading.Thread(
            target=self._run, name=f"alerts {channel.name}", daemon=True
        )

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Look at once: something was written."""
        self._wake.set()

    def close(self) -> None:
        """End after the message that is under way; one that hangs is left behind."""
        self._ending.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_S)
            if self._thread.is_alive():
                logger.warning("alert still under way", channel=self.channel.name)

    def step(self) -> float:
        """Do what is due now; return after how many seconds to look again."""
        now = self._clock()
        rows = self._give_up(self._outbox.waiting(self.channel.name), now)
        since = now - max(MINUTE_MS, self._pace.gap_ms)
        due = plan(rows, self._outbox.last_sent(self.channel.name, since), now, self._pace)
        if not due.rows:
            left = LONGEST_LOOK_S if due.again_at is None else (due.again_at - now) / 1_000
            return min(max(left, 0.01), LONGEST_LOOK_S)
        if not self._outbox.claim(due.rows, now + self._pace.hold_ms):
            return 1.0  # another server works on the same database
        self._send(due.rows)
        return 0.0

    def _send(self, rows: tuple[Row, ...]) -> None:
        error = self.channel.send(*compose(rows))
        if not error:
            self._outbox.mark_sent(rows)
            return
        tries = rows[0].attempts + 1
        wait = self._pace.wait_ms(tries, error, self._rng)
        self._outbox.mark_later(rows, self._clock() + wait, error)
        log = logger.warning if tries == 1 else logger.debug
        log("alert not sent", channel=self.channel.name, error=error, tries=tries)

    def _give_up(self, rows: tuple[Row, ...], now: int) -> tuple[Row, ...]:
        old = [row for row in rows if row.created_at < now - self._pace.give_up_ms]
        for row in old:
            self._outbox.mark_failed([row], row.error or "too old to be sent")
        if old:
            logger.error("alerts given up", channel=self.channel.name, n=len(old))
        return tuple(row for row in rows if row not in old)

    def _run(self) -> None:
        troubled = False
        while not self._ending.is_set():
            self._wake.clear()
            try:
                wait, troubled = self.step(), False
            except DatabaseError as error:
                if not troubled:
                    logger.error("alerts not readable", channel=self.channel.name, error=str(error))
                wait, troubled = NO_DATABASE_S, True
            except Exception:  # one odd row must not silence the channel
                logger.exception("alerts not looked at", channel=self.channel.name)
                wait = NO_DATABASE_S
            if wait > 0:
                self._wake.wait(wait)

"""How late a loop is: a timer that looks at the clock when it is called."""

import asyncio
from contextlib import suppress
from typing import Final

from opportunity.measured import MEASURED, Measured

EVERY_S: Final = 0.1


class LagMeter:
    """Measures one loop, ten times a second, as durations `loop_lag` of a label.

    Parameters
    ----------
    loop : asyncio.AbstractEventLoop
        Running on any thread.
    label : str
        Of the durations, e.g. ``agent``.
    measured : Measured
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, label: str, measured: Measured = MEASURED
    ) -> None:
        self.loop, self._label, self._measured = loop, label, measured
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    def start(self) -> None:
        """Begin; from any thread."""
        with suppress(RuntimeError):  # the loop is closed: there is nothing to measure
            self.loop.call_soon_threadsafe(self._again)

    def close(self) -> None:
        """End; from any thread."""
        self._closed = True
        with suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _again(self) -> None:
        if not self._closed:
            due = self.loop.time() + EVERY_S
            self._timer = self.loop.call_at(due, self._tick, due)

    def _tick(self, due: float) -> None:
        self._measured.took("loop_lag", max(0.0, self.loop.time() - due), self._label)
        self._again()

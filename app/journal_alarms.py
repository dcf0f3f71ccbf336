"""What the journal raises an alarm for: a detector that knows less, a calibration that is off.

Called on a thread after each pass of the journal. Windows of the past are read once and kept, so
a pass reads only what is new.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from opportunity.contracts import DETECTOR_NAMES
from opportunity.market.timeframe import Timeframe, length_ms, utc_text
from opportunity.scoring.barriers import HORIZON
from opportunity.scoring.decay import HORIZONS_A_WINDOW, Decay, information, watch
from opportunity.scoring.trial import Trial, trial
from opportunity.storage.events import Event
from opportunity.storage.samples import SampleRepository, Samples

NAMES: Final = (*DETECTOR_NAMES, "score")
MOST_WINDOWS: Final = 2_000
"""Windows that are kept: 21 years of hourly decisions."""

TOLD_WINDOWS: Final = 3
"""An alarm of an older window was told before, or is too late to act on."""

LATE_BARS: Final = 2
"""Decision bars that a market may need to give the last bar of a horizon."""

MOST_IN_WINDOW: Final = 20_000
MOST_STATED: Final = 200_000


@dataclass(frozen=True, slots=True)
class Told:
    """What a pass found: events to log, and whether the calibration is to be learned anew."""

    events: tuple[Event, ...]
    off: bool


class Alarms:
    """Watches what was judged.

    Parameters
    ----------
    samples : SampleRepository
    timeframe : Timeframe
        Of decisions.
    market, source : str
        In keys and bodies of events.
    since : int
        Decision closes from which on the stated success is on trial, ms UTC.
    """

    def __init__(
        self, samples: SampleRepository, timeframe: Timeframe, market: str, source: str,
        since: int = 0,
    ) -> None:  # fmt: skip
        self._samples, self._timeframe = samples, timeframe
        self._market, self._source = market, source
        self._length = length_ms(timeframe)
        self.window_ms = HORIZONS_A_WINDOW * HORIZON * self._length
        self._starts: list[int] = []
        self._windows: list[list[tuple[int, float]]] = []  # of each: outcomes and coefficient
        self.since = since
        """Since when the stated success is on trial."""
        self.trial: Trial | None = None
        self._cell = -1
        self.decays: dict[str, Decay] = {}
        """By detector, and of the score; replaced whole."""

    def examine(self, now: int) -> Told:
        """Look at what was judged since the last time.

        Parameters
        ----------
        now : int
            Feed time, ms UTC.

        Raises
        ------
        DatabaseError
            If the database cannot be read.
        """
        fallen = self._fallen(now) if self._read_windows(now) else ()
        off = self._try(now)
        return Told((*fallen, *((self._off_event(now),) if off else ())), off)

    def acquit(self, since: int) -> None:
        """Begin the trial of the stated success anew: it is of another calibration now."""
        self.since, self.trial, self._cell = since, None, -1

    # -- decay -----------------------------------------------------------------------------------

    def _read_windows(self, now: int) -> bool:
        """Read the windows whose outcomes are all known by now; tell whether there were any."""
        known = now - (HORIZON + LATE_BARS) * self._length
        if self._starts:
            first = self._starts[-1] + self.window_ms
        else:
            oldest = self._samples.oldest()
            if oldest is None:
                return False
            first = max(oldest, now - MOST_WINDOWS * self.window_ms)
            first -= first % self.window_ms
        fresh = False
        while first + self.window_ms <= known:
            found = self._samples.samples(
                HORIZON, first, MOST_IN_WINDOW, first + self.window_ms
            )
            self._starts.append(first)
            self._windows.append(coefficients(found, self._timeframe))
            first += self.window_ms
            fresh = True
        del self._starts[:-MOST_WINDOWS], self._windows[:-MOST_WINDOWS]
        if fresh:
            starts = np.array(self._starts, np.int64)
            self.decays = {
                name: watch(
                    starts, np.array([w[i][0] for w in self._windows], np.int64),
                    np.array([w[i][1] for w in self._windows], np.float64),
                )
                for i, name in enumerate(NAMES)
            }  # fmt: skip
        return fresh

    def _fallen(self, now: int) -> tuple[Event, ...]:
        """Return the alarms of the newest windows: each detector and alarm once, by its key."""
        oldest = self._starts[-1] - (TOLD_WINDOWS - 1) * self.window_ms
        return tuple(
            self._fall_event(name, decay, int(i), now)
            for name, decay in self.decays.items()
            for i in np.flatnonzero(decay.alarm & (decay.start >= oldest))
        )

    def _fall_event(self, name: str, decay: Decay, i: int, now: int) -> Event:
        start = int(decay.start[i])
        coefficient = float(decay.coefficient[i])
        text = (
            f"{name} foretells less than it did: its information coefficient fell to "
            f"{coefficient:+.2f} in the window from {utc_text(start)}"
        )
        return Event(
            f"decay:{self._market}:{name}:{start}", now, "alert",
            {
                "book": "paper", "what": "decay", "detector": name, "start": start,
                "coefficient": coefficient, "fall": float(decay.fall[i]), "text": text,
                "source": self._source,
            },
        )  # fmt: skip

    # -- calibration -----------------------------------------------------------------------------

    def _try(self, now: int) -> bool:
        """Put the stated success on trial once per cell of time; tell whether it is off."""
        cell = now // (2 * HORIZON * self._length)
        if cell == self._cell:
            return False
        self._cell = cell
        found = self._samples.stated(HORIZON, self.since, self._timeframe, MOST_STATED)
        self.trial = trial(found.success, found.right, found.time, self._length, HORIZON)
        if found.time.size == MOST_STATED and not self.trial.off:
            self.since = int(found.time[-1]) + 1  # it held so long: another trial begins
        return self.trial.off

    def _off_event(self, now: int) -> Event:
        assert self.trial is not None
        shift = float(np.average(self.trial.shift))
        text = (
            f"the stated success does not hold: outcomes lie {shift:+.1%} beside it on the "
            "average; it is learned anew from history"
        )
        return Event(
            f"calibration:{self._market}:{self.since}", now, "alert",
            {
                "book": "paper", "what": "calibration", "since": self.since, "shift": shift,
                "evidence": float(self.trial.evidence.max()), "n": self.trial.n, "text": text,
                "source": self._source,
            },
        )  # fmt: skip


def coefficients(found: Samples, timeframe: str) -> list[tuple[int, float]]:
    """Return outcomes and information coefficient of one window, in the order of `NAMES`."""
    rows = found.timeframes == timeframe
    moved = (found.side * found.move_atr)[rows]
    columns = [*found.contributions[rows].T, found.net[rows]]
    return [information(column, moved) for column in columns]

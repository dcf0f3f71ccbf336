"""What every detector is: one compiled step, driven over bars in batch or one bar at a time.

A detector module holds four things: `STATE` and `PARAMS` (structured dtypes), the kernel
`step(state, params, t, o, h, l, c, v, obs, out)` that advances one stream by one closed bar,
and the driver `run` that loops `step` over streams and bars. Batch, live, warm-up of a whole
universe and the collecting of chart events are all calls of `run`, so they agree bit for bit.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Final

import numpy as np
import param
from numpy.typing import NDArray

from opportunity.detectors.events import EVENT, N_EVENTS, Event, Kind, read_events
from opportunity.kernels import VERSION, kernel
from opportunity.market.bars import Bar, Bars, FloatArray
from opportunity.market.quality import require_valid

WARMUP: Final = 100
"""Bars before a score exists; the score of the bar with index `WARMUP - 1` is the first."""

DEAD_BAND: Final = 0.02
"""A score nearer to 0 than this is reported as 0."""

SCORE, CONFIDENCE = 0, 1
"""Columns of a kernel's output row; auxiliary outputs follow."""


@kernel
def report(out: Any, n: Any, score: Any, confidence: Any) -> None:
    """Write score and confidence of the bar number `n` (from 1), NaN before the warm-up."""
    if n < WARMUP:
        out[SCORE] = np.nan
        out[CONFIDENCE] = np.nan
    else:
        out[SCORE] = score if abs(score) >= DEAD_BAND else 0.0
        out[CONFIDENCE] = confidence


@kernel
def copy_events(state: Any, events: Any, count: Any) -> Any:
    """Append what `state` saw on this bar to `events`; return the new count.

    Keeps counting past the end of `events`, so that the caller sees that its room was too small.
    """
    for i in range(state.n_events):
        if count < events.size:
            events[count] = state.events[i]
        count += 1
    return count


@dataclass(frozen=True)
class Detection:
    """What a detector found on each bar.

    Parameters
    ----------
    score : ndarray of shape (n_bars,)
        Signed evidence in [-1, 1], NaN where unavailable.
    confidence : ndarray of shape (n_bars,)
        How much the evidence deserves, [0, 1], independent of the sign; NaN where unavailable.
    outputs : dict of str to ndarray
        Auxiliary outputs by name, each of shape (n_bars,).
    """

    score: FloatArray
    confidence: FloatArray
    outputs: dict[str, FloatArray]
    _detector: "Detector"
    _bars: Bars

    def __repr__(self) -> str:
        found = int(self.available.sum())
        return f"<Detection of {self._detector.label}: {found} of {len(self.score)} bars scored>"

    @property
    def available(self) -> NDArray[np.bool_]:
        """True exactly where the score is finite."""
        return np.isfinite(self.score)

    @cached_property
    def events(self) -> list[Event]:
        """Chart events in the order in which they became known; computed on first use."""
        return self._detector.events(self._bars)


class Detector(param.Parameterized):
    """Base of the nine detectors; a subclass adds parameters and its compiled module.

    Parameters are set when the object is made: a running stream never changes its rules.
    """

    title: ClassVar[str] = ""
    built: ClassVar[bool] = True
    aux: ClassVar[tuple[str, ...]] = ()
    kinds: ClassVar[tuple[Kind, ...]] = ()
    state_type: ClassVar[np.dtype[Any]]
    params_type: ClassVar[np.dtype[Any]]
    run: ClassVar[Any]

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self._packed = self._pack()
        self.reset()

    @property
    def label(self) -> str:
        """Name on the wire and in weights, e.g. ``price_action``."""
        return str(type(self).name)

    def _pack(self) -> NDArray[Any]:
        packed = np.zeros(1, self.params_type)
        for field in self.params_type.names or ():
            packed[field] = getattr(self, field)
        return packed

    @property
    def packed(self) -> Any:
        """The parameters as the record that the kernel reads."""
        return self._packed[0]

    @property
    def width(self) -> int:
        """Number of output columns: score, confidence and the auxiliary ones."""
        return 2 + len(self.aux)

    def new_states(self, n_streams: int) -> NDArray[Any]:
        """Return states of `n_streams` streams that have seen no bar (all bytes zero)."""
        return np.zeros(n_streams, self.state_type)

    def reset(self) -> None:
        """Forget every bar that `update` has seen."""
        self._state = self.new_states(1)
        self._last = np.iinfo(np.int64).min

    def detect(self, bars: Bars) -> Detection:
        """Score every bar from the bars up to it.

        Parameters
        ----------
        bars : Bars
            Closed bars in ascending order; gaps are allowed and read across row by row.

        Returns
        -------
        Detection
            Arrays of len(bars), NaN on the first `WARMUP - 1` bars.

        Raises
        ------
        BarError
            If times do not ascend or a value is not finite or not sane.

        Notes
        -----
        Causal, one pass. Equal bit for bit to feeding `update` with the same bars.
        """
        require_valid(bars)
        out = np.full((1, len(bars), self.width), np.nan)
        self._drive(self.new_states(1), bars, out, np.empty((1, 0), EVENT))
        columns = out[0]
        return Detection(
            score=columns[:, SCORE].copy(),
            confidence=columns[:, CONFIDENCE].copy(),
            outputs={name: columns[:, 2 + i].copy() for i, name in enumerate(self.aux)},
            _detector=self,
            _bars=bars,
        )

    def events(self, bars: Bars) -> list[Event]:
        """Collect the chart events of all bars, oldest first."""
        require_valid(bars)
        room = np.empty((1, len(bars) * N_EVENTS), EVENT)
        out = np.empty((1, len(bars), self.width))
        count = self._drive(self.new_states(1), bars, out, room)
        return read_events(room[0, :count], self.label, self.kinds)

    def update(self, bar: Bar) -> tuple[float, float]:
        """Advance the object's own stream by one closed bar; return score and confidence.

        Raises
        ------
        BarError
            If the bar is not sane or not later than the one before it.
        """
        one = Bars(np.array([bar.time]), np.array([bar[1:]], dtype=np.float64))
        require_valid(one, after=self._last)
        out = np.full((1, 1, self.width), np.nan)
        self._drive(self._state, one, out, np.empty((1, 0), EVENT))
        self._last = bar.time
        return float(out[0, 0, SCORE]), float(out[0, 0, CONFIDENCE])

    def snapshot(self) -> dict[str, Any]:
        """Return everything needed to go on after the last bar that `update` saw."""
        return {"kernels": VERSION, "last": self._last, "state": self._state.copy()}

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Continue from a snapshot.

        Raises
        ------
        ValueError
            If it was taken by other kernels or another detector.
        """
        if snapshot["kernels"] != VERSION:
            raise ValueError(
                f"snapshot must come from kernels {VERSION}, was {snapshot['kernels']}"
            )
        if snapshot["state"].dtype != self.state_type:
            raise ValueError(f"snapshot must be of {self.label}, was of another detector")
        self._state = snapshot["state"].copy()
        self._last = int(snapshot["last"])

    def _drive(
        self, states: NDArray[Any], bars: Bars, out: FloatArray, events: NDArray[Any]
    ) -> int:
        counts = np.zeros(1, np.int64)
        obs = np.empty((1, len(bars), 0))
        self.run(
            states, np.zeros(1, np.int64), self.packed, bars.time[None], bars.values[None],
            obs, out, events, counts,
        )
        return int(counts[0])

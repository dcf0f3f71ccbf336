"""What every detector is: one compiled step, driven over bars in batch or one bar at a time.

A detector module holds four things: `STATE` and `PARAMS` (structured dtypes), the kernel
`step(state, params, t, o, h, l, c, v, obs, out)` that advances one stream by one closed bar,
and the driver `run` that loops `step` over streams and bars. Batch, live, warm-up of a whole
universe and the collecting of chart events are all calls of `run`, so they agree bit for bit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, ClassVar, Final

import numpy as np
import param
from numpy.typing import NDArray

from opportunity.detectors.events import EVENT, Event, Kind, read_events
from opportunity.detectors.inputs import Inputs, Observations, Observed, records_about
from opportunity.kernels import VERSION, kernel
from opportunity.market.bars import Bar, Bars, FloatArray
from opportunity.market.observations import Record, by_availability
from opportunity.market.quality import require_valid
from opportunity.market.timeframe import length_ms

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
    connected : bool
        Whether the detector had what it reads; False for one that needs records and got none.
    """

    score: FloatArray
    confidence: FloatArray
    outputs: dict[str, FloatArray]
    connected: bool
    _detector: "Detector"
    _bars: Bars
    _observed: Observed

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
        return self._detector.events(self._bars, self._observed)


class Detector(param.Parameterized):
    """Base of the nine detectors; a subclass adds parameters and its compiled module.

    Parameters are set when the object is made: a running stream never changes its rules.

    A detector that reads more than bars names the kinds of records it `needs`, with the time for
    which one of each matters (ms), and the `columns` of the row `obs` that its kernel gets with
    each bar; its `new_inputs` makes what turns records into such rows.
    """

    title: ClassVar[str] = ""
    needs: ClassVar[Mapping[type[Record], int]] = MappingProxyType({})
    columns: ClassVar[tuple[str, ...]] = ()
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

    @property
    def most_events(self) -> int:
        """Number of chart events that a bar has room for."""
        return int(self.state_type["events"].shape[0])

    def new_states(self, n_streams: int) -> NDArray[Any]:
        """Return states of `n_streams` streams that have seen no bar (all bytes zero)."""
        return np.zeros(n_streams, self.state_type)

    def new_inputs(self, symbols: tuple[str, ...]) -> Inputs | None:
        """Return what reads records for `symbols`; None for a detector that reads bars alone."""
        return None

    def observe(self, bars: Bars, observations: Observations) -> Observed:
        """Join records with bars, each as of the bar's close.

        Parameters
        ----------
        bars : Bars
            Their symbol picks the records, their timeframe tells when they closed.
        observations : iterable of records, FolderRecords or Observed, optional
            In any order; those of kinds that the detector does not need are passed over. What
            is joined already passes through.

        Returns
        -------
        Observed
            Rows of NaN without records; connected for a detector that reads bars alone.

        Raises
        ------
        TypeError
            If something else than records is given.
        ValueError
            If there are records but the bars carry no timeframe or no symbol.
        """
        shape = len(bars), len(self.columns)
        if isinstance(observations, Observed):
            if observations.rows.shape != shape:
                raise ValueError(f"rows must be of shape {shape}, was {observations.rows.shape}")
            return observations
        nothing = np.full(shape, np.nan)
        inputs = self.new_inputs((bars.symbol or "",))
        if inputs is None:
            return Observed(nothing, True)
        held = records_about(bars, observations)
        if held and (bars.timeframe is None or not bars.symbol):
            raise ValueError(
                "bars must carry a timeframe and a symbol to be joined with observations, "
                f"was {bars.timeframe} and {bars.symbol!r}"
            )
        kinds = tuple(self.needs)
        kept = [r for r in held if isinstance(r, kinds)]
        if not kept or bars.timeframe is None:
            return Observed(nothing, False)
        inputs.take(by_availability(kept))
        closed = bars.time + length_ms(bars.timeframe)
        rows = inputs.rows(np.zeros(len(bars), np.int64), bars.time, closed)
        return Observed(rows, inputs.connected)

    def remark(self, outputs: Mapping[str, float]) -> str:
        """Say what the detector goes by on a bar, for when it sees nothing that lives.

        Parameters
        ----------
        outputs : mapping of str to float
            The auxiliary outputs of that bar; NaN where not known.

        Returns
        -------
        str
            Empty for a detector that shows what it goes by in its events.
        """
        return ""

    def reset(self) -> None:
        """Forget every bar that `update` has seen."""
        self._state = self.new_states(1)
        self._last = np.iinfo(np.int64).min

    def detect(self, bars: Bars, observations: Observations = None) -> Detection:
        """Score every bar from what was known at its close.

        Parameters
        ----------
        bars : Bars
            Closed bars in ascending order; gaps are allowed and read across row by row.
        observations : iterable of records, FolderRecords or Observed, optional
            Funding, headlines, prints and so on, for the detectors that read them; each counts
            from its `available_at` on.

        Returns
        -------
        Detection
            Arrays of len(bars), NaN on the first `WARMUP - 1` bars.

        Raises
        ------
        BarError
            If times do not ascend or a value is not finite or not sane.
        TypeError, ValueError
            If bars are no Bars, or as `observe`.

        Notes
        -----
        Causal, one pass. Equal bit for bit to feeding `update` with the same bars.
        """
        require_valid(bars)
        observed = self.observe(bars, observations)
        out = np.full((1, len(bars), self.width), np.nan)
        self._drive(self.new_states(1), bars, observed.rows, out, np.empty((1, 0), EVENT))
        columns = out[0]
        return Detection(
            score=columns[:, SCORE].copy(),
            confidence=columns[:, CONFIDENCE].copy(),
            outputs={name: columns[:, 2 + i].copy() for i, name in enumerate(self.aux)},
            connected=observed.connected,
            _detector=self,
            _bars=bars,
            _observed=observed,
        )

    def events(self, bars: Bars, observations: Observations = None) -> list[Event]:
        """Collect the chart events of all bars, oldest first; arguments as of `detect`."""
        require_valid(bars)
        observed = self.observe(bars, observations).rows
        room = np.empty((1, len(bars) * self.most_events), EVENT)
        out = np.empty((1, len(bars), self.width))
        count = self._drive(self.new_states(1), bars, observed, out, room)
        return read_events(room[0, :count], self.label, self.kinds)

    def update(self, bar: Bar, observed: FloatArray | None = None) -> tuple[float, float]:
        """Advance the object's own stream by one closed bar; return score and confidence.

        Parameters
        ----------
        bar : Bar
            The bar that has just closed.
        observed : ndarray, shape (n_columns,), optional
            What was known at its close, a row of `Inputs.rows`; None when nothing was.

        Raises
        ------
        BarError
            If the bar is not sane or not later than the one before it.
        ValueError
            If `observed` has not one number a column.
        """
        row = np.full((1, len(self.columns)), np.nan)
        if observed is not None:
            if observed.shape != row.shape[1:]:
                raise ValueError(f"observed must be of shape {row.shape[1:]}, was {observed.shape}")
            row[0] = observed
        one = Bars(np.array([bar.time]), np.array([bar[1:]], dtype=np.float64))
        require_valid(one, after=self._last)
        out = np.full((1, 1, self.width), np.nan)
        self._drive(self._state, one, row, out, np.empty((1, 0), EVENT))
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
        self, states: NDArray[Any], bars: Bars, observed: FloatArray, out: FloatArray,
        events: NDArray[Any],
    ) -> int:  # fmt: skip
        counts = np.zeros(1, np.int64)
        self.run(
            states, np.zeros(1, np.int64), self.packed, bars.time[None], bars.values[None],
            observed[None], out, events, counts,
        )
        return int(counts[0])

"""The bars of every stream of a session, folded again from the base bars that came in.

A stream is one chain of bars, or several pieces where it was warmed anew in the middle: from then
on the last piece counts.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from opportunity.backtest.session_input import BEFORE, Arrays, Call, Session
from opportunity.market.resample import Closed, Resampler
from opportunity.market.timeframe import TimeArray, Timeframe, length_ms

_BARS: Final = ("time", "values", "coverage", "batch", "place", "counts")


@dataclass(slots=True, eq=False)
class Piece:
    """Bars that one kernel ran over without a break.

    Parameters
    ----------
    symbol : int
        Of the session.
    timeframe : Timeframe
    loaded : dict of str to ndarray
        One row of each array of a stored state that it went on from; empty for a fresh start.
    since : int
        First batch that sees it.
    blocks : list of tuples of arrays
        By `_BARS`; `place` is the number of the frame that closed a bar, `counts` tells whether
        what is missing is a gap.
    """

    symbol: int
    timeframe: Timeframe
    loaded: dict[str, NDArray[Any]] = field(default_factory=dict)
    since: int = BEFORE
    blocks: list[tuple[NDArray[Any], ...]] = field(default_factory=list)

    def add(self, time: Any, values: Any, coverage: Any, call: Call, counts: Any) -> None:
        """Add bars, oldest first."""
        n = np.size(time)
        self.blocks.append((
            np.reshape(time, n), np.reshape(values, (n, 5)), np.full(n, coverage),
            np.full(n, call.batch), np.full(n, call.place), np.full(n, counts),
        ))  # fmt: skip

    def bars(self) -> dict[str, NDArray[Any]]:
        """Return all bars, by `_BARS`."""
        kinds = (np.int64, np.float64, np.float64, np.int64, np.int64, np.bool_)
        empty: list[NDArray[Any]] = [
            np.empty((0, 5) if n == "values" else 0, k)
            for n, k in zip(_BARS, kinds, strict=True)
        ]
        columns = zip(empty, *self.blocks, strict=True)
        return {n: np.concatenate(c) for n, c in zip(_BARS, columns, strict=True)}


@dataclass(slots=True, eq=False)
class Chains:
    """What came of a session's base bars.

    Parameters
    ----------
    pieces : list of lists of lists of Piece
        By symbol, timeframe and time.
    time : ndarray of int64, shape (n_batches,)
        Up to which bars were known at the end of each batch, ms UTC.
    newest : ndarray of int64, shape (n_batches, n_symbols)
        Opening time of the newest base bar of each symbol.
    """

    pieces: list[list[list[Piece]]]
    time: TimeArray
    newest: TimeArray


class _Streams:
    """One universe of streams, fed as it was fed live."""

    def __init__(self, session: Session, number: int) -> None:
        names = session.names[number]
        self.timeframes = session.timeframes
        self.resampler = Resampler(session.base, session.timeframes, len(names))
        where = [session.symbols.index(name) for name in names]
        self.pieces = [[[Piece(s, t)] for t in session.timeframes] for s in where]
        self.time = 0

    def take(self, call: Call) -> None:
        arrays = call.arrays
        match call.kind:
            case "load":
                self._load(arrays)
            case "warm":
                self._warm(call)
            case "prime":
                self.resampler.push(arrays["rows"], arrays["times"], arrays["values"])
            case "begin":
                self.resampler.begin(np.array(arrays["time"]))
            case "update":
                closed = self.resampler.push(arrays["rows"], arrays["times"], arrays["values"])
                if arrays["times"].size:
                    ends = int(arrays["times"].max()) + length_ms(self.resampler.base)
                    self.time = max(self.time, ends)
                self._close(call, closed)
            case "flush":
                self._close(call, self.resampler.flush(np.array(arrays["time"])))
            case other:
                raise ValueError(f"frame must be of a known kind, was {other!r}")

    def _load(self, arrays: Arrays) -> None:
        held = {n: a for n, a in arrays.items() if n not in ("partial", "time", "counts")}
        self.resampler.restore(np.array(arrays["partial"]))
        n_frames = len(self.timeframes)
        for row, several in enumerate(self.pieces):
            for f, parts in enumerate(several):
                at = row * n_frames + f
                parts[-1].loaded = {
                    n: a[at : at + 1] for n, a in held.items()
                    if a.ndim and len(a) == len(self.pieces) * n_frames
                }  # fmt: skip

    def _warm(self, call: Call) -> None:
        frame = self.timeframes.index(str(call.arrays["timeframe"]))
        counts = _counts(call, len(self.pieces))
        for row, several in enumerate(self.pieces):
            values = call.arrays["values"][row]
            there = ~np.isnan(values[:, 3])
            time = call.arrays["time"][row][there]
            several[frame][-1].add(time, values[there], 1.0, call, counts[row])

    def _close(self, call: Call, closed: list[Closed]) -> None:
        counts = _counts(call, len(self.pieces))
        for bars in closed:
            if bars.timeframe not in self.timeframes:
                continue
            self.time = max(self.time, bars.close_time)
            frame = self.timeframes.index(bars.timeframe)
            for i, row in enumerate(bars.rows.tolist()):
                self.pieces[row][frame][-1].add(
                    bars.times[i], bars.values[i], bars.coverage[i], call, counts[row]
                )

    def adopt(self, call: Call, other: "_Streams", since: int) -> None:
        """Go on with the streams of all symbols of `other` in place of some of these."""
        for i, row in enumerate(call.arrays["rows"].tolist()):
            self.resampler.state[row] = other.resampler.state[i]
            for mine, theirs in zip(self.pieces[row], other.pieces[i], strict=True):
                theirs[-1].since = since
                mine.append(theirs[-1])


def chains_of(session: Session) -> Chains:
    """Fold the base bars of a session again, as they came.

    Raises
    ------
    BarError, ValueError
        If bars do not come in order.
    """
    streams: dict[int, _Streams] = {}
    versions = np.array([o.version for o in session.outcomes])
    n = session.n_batches
    time = np.full(n, session.start)
    newest = np.zeros((n, len(session.symbols)), np.int64)
    for call in session.calls:
        one = streams.get(call.streams) or _Streams(session, call.streams)
        streams[call.streams] = one
        if call.kind == "adopt":
            later = np.flatnonzero(versions > call.version)
            since = int(later[0]) if later.size else n
            one.adopt(call, streams[call.other], since)
        else:
            one.take(call)
        if call.streams == session.main and call.batch >= 0:
            time[call.batch] = max(session.start, one.time)
            newest[call.batch] = one.resampler.newest
    return Chains(streams[session.main].pieces, time, newest)


def _counts(call: Call, n: int) -> NDArray[np.bool_]:
    return call.arrays.get("counts", np.ones(n, np.bool_))

"""Which bar of every timeframe each decision reads: what was known then, and how far to trust it.

No weights in here: it is worked out once for a history, and read by every judgement of it.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from opportunity.backtest.evidence import Stream
from opportunity.market.bars import FloatArray
from opportunity.market.figures import volumes
from opportunity.market.timeframe import TimeArray, length_ms
from opportunity.market.trust import AGE, GAPS, N_FACTORS, VOLUME, overdue, weigh
from opportunity.scoring.snapshot import STALE_BARS

if TYPE_CHECKING:
    from opportunity.backtest.history import History

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """Decisions by batch, then symbol, before any weight; n of them.

    Parameters
    ----------
    batch, symbol : ndarray of int64, shape (n,)
    time : ndarray of int64, shape (n,)
        When each falls, ms UTC.
    rows : ndarray of int64, shape (n, n_timeframes)
        Newest bar of each of the symbol's streams that was known then; -1 for none, and for one
        that is stale: it closed more than `STALE_BARS` of its bars before.
    trust : ndarray, shape (n, n_timeframes)
        Trust in the data of each stream, [0, 1].
    atr : ndarray, shape (n,)
        Of the decision timeframe, quote currency; NaN where unknown.
    flagged : ndarray of bool, shape (n,)
        The newest bar of the decision timeframe came after a gap.
    volume : ndarray, shape (n,)
        Traded in the 24 hours before, quote currency; NaN where unknown.
    of_symbol : tuple of ndarray of int64
        Places of each symbol's decisions.
    """

    batch: Rows
    symbol: Rows
    time: TimeArray
    rows: Rows
    trust: FloatArray
    atr: FloatArray
    flagged: NDArray[np.bool_]
    volume: FloatArray
    of_symbol: tuple[Rows, ...]

    def __len__(self) -> int:
        return self.batch.size


def join(history: "History") -> Joined:
    """Work out what each decision of a history reads.

    A decision of a symbol falls in every batch that made a bar of its decision timeframe known;
    of several bars in one batch the newest counts.
    """
    frame = history.timeframes.index(history.decision)
    single = [_of_symbol(history, streams, frame) for streams in history.streams]
    sizes = [s.batch.size for s in single]
    batch, symbol, time, rows, trust, atr, flagged, volume = (
        np.concatenate([getattr(s, name) for s in single])
        for name in ("batch", "symbol", "time", "rows", "trust", "atr", "flagged", "volume")
    )
    if len(single) == 1:
        return Joined(
            batch, symbol, time, rows, trust, atr, flagged, volume, (np.arange(batch.size),)
        )
    order = np.argsort(batch, kind="stable")  # of one batch by symbol, as they were put together
    places = np.empty_like(order)
    places[order] = np.arange(order.size)
    ends = np.cumsum(sizes)
    return Joined(
        batch[order], symbol[order], time[order], rows[order], trust[order], atr[order],
        flagged[order], volume[order],
        tuple(places[end - n : end] for n, end in zip(sizes, ends.tolist(), strict=True)),
    )  # fmt: skip


def _of_symbol(history: "History", streams: tuple[Stream, ...], frame: int) -> Joined:
    decisive = streams[frame]
    known = decisive.known
    newest = np.flatnonzero(np.append(known[1:] != known[:-1], known.size > 0))
    newest = newest[known[newest] >= history.start_batch]
    batch = known[newest]
    time = history.batches.time[batch]
    shape = batch.size, len(streams)
    rows, trust = np.empty(shape, np.int64), np.empty(shape)
    for f, stream in enumerate(streams):
        rows[:, f], trust[:, f] = _newest(stream, batch, time)
    return Joined(
        batch, np.full(batch.size, decisive.symbol), time, rows, trust, decisive.atr[newest],
        decisive.flagged[newest], _volume(history, decisive.symbol, batch), (),
    )  # fmt: skip


def _volume(history: "History", symbol: int, batch: Rows) -> FloatArray:
    """Return what was traded of a symbol in the 24 hours up to the end of some batches."""
    batches = history.batches
    mine = np.flatnonzero(batches.symbol == symbol)
    known = np.searchsorted(mine, batches.first[batch + 1])  # bars of its own up to each batch
    return volumes(batches.open_time[mine], batches.values[mine], history.base, known)


def _newest(stream: Stream, batch: Rows, time: TimeArray) -> tuple[Rows, FloatArray]:
    """Return the newest bar of a stream at each decision, -1 where stale, and the trust in it."""
    row = np.searchsorted(stream.known, batch, side="right") - 1
    facts = np.zeros((batch.size, N_FACTORS))
    if len(stream):
        there, length = row >= 0, np.array(length_ms(stream.timeframe))
        closed = np.where(there, stream.closed[row], 0)
        facts[:, AGE] = overdue(closed, length, time)
        facts[:, GAPS] = np.where(there, stream.gaps[row], 0.0)
        facts[:, VOLUME] = np.where(there, stream.flat[row], 0)
        row = np.where(there & (time - closed > STALE_BARS * length), -1, row)
    return row, weigh(facts)[1]

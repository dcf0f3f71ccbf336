"""A session as a history that the backtest judges: batches, streams, and what decisions read."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from opportunity.backtest.batches import Batches
from opportunity.backtest.coverage import cover
from opportunity.backtest.evidence import Stream
from opportunity.backtest.history import History
from opportunity.backtest.joining import Joined
from opportunity.backtest.session_chains import Chains, chains_of
from opportunity.backtest.session_evidence import NEVER, Known, know, stream_of
from opportunity.backtest.session_input import BEFORE, Session
from opportunity.backtest.span import Span
from opportunity.market.bars import Bars, FloatArray
from opportunity.market.timeframe import TimeArray, length_ms
from opportunity.market.trust import AGE, GAPS, N_FACTORS, VOLUME, blame, overdue, weigh
from opportunity.scoring.snapshot import STALE_BARS

Rows = NDArray[np.int64]


def history_of(session: Session) -> History:
    """Rebuild what the agent saw, from what came in alone.

    Raises
    ------
    BarError, ValueError
        If bars do not come in order.
    """
    chains, known = chains_of(session), know(session)
    streams = tuple(
        tuple(
            stream_of(pieces, known, session.base, s, t)
            for t, pieces in zip(session.timeframes, several, strict=True)
        )
        for s, several in enumerate(chains.pieces)
    )
    batches = _batches(session, chains.time)
    history = History(
        symbols=session.symbols,
        base=session.base,
        decision=session.decision,
        timeframes=session.timeframes,
        batches=batches,
        streams=streams,
        exists_from=_exists(session, known, chains.time),
        source=str(session.header["source"]),
        observed=bool(session.records),
        coverage=cover(_bars(session, batches), Span()),
        digest=hashlib.sha256(
            batches.symbol.tobytes() + batches.open_time.tobytes() + batches.values.tobytes()
        ).hexdigest(),
        start_batch=0,
    )
    # What decisions read follows from what was known to be wrong then, too: not from bars alone.
    history.__dict__["joined"] = _join(session, history, chains)
    return history


def _batches(session: Session, time: TimeArray) -> Batches:
    """Return the base bars by batch; one without bars opens where it closes."""
    given = [
        c.arrays for c in session.calls
        if c.kind == "update" and c.streams == session.main and c.batch >= 0
    ]
    sizes = [a["rows"].size for a in given]
    opened = np.array([
        int(a["times"].min()) if a["times"].size else int(t)
        for a, t in zip(given, time.tolist(), strict=True)
    ])  # fmt: skip
    return Batches(
        time, opened, np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        np.concatenate([a["rows"] for a in given]), np.concatenate([a["times"] for a in given]),
        np.ascontiguousarray(np.concatenate([a["values"] for a in given])),
    )  # fmt: skip


def _bars(session: Session, batches: Batches) -> list[Bars]:
    return [
        Bars(batches.open_time[mine], batches.values[mine], session.base, symbol)
        for s, symbol in enumerate(session.symbols)
        for mine in [batches.symbol == s]
    ]


def _exists(session: Session, known: Known, time: TimeArray) -> TimeArray:
    """Return from when on each detector has what it reads: by the first batch that came after."""
    places = np.array([o.place for o in session.outcomes])
    first = np.searchsorted(places, known.since)
    never = np.append(time, NEVER)
    before = known.since < places[0]
    return np.where(before, 0, never[first])


def _join(session: Session, history: History, chains: Chains) -> Joined:
    found = [
        (batch, symbol)
        for symbol, streams in enumerate(history.streams)
        for batch in _due(streams[history.timeframes.index(history.decision)])
    ]
    found.sort()
    batch = np.array([b for b, _ in found], np.int64)
    symbol = np.array([s for _, s in found], np.int64)
    shape = batch.size, len(history.timeframes)
    rows, trust = np.full(shape, -1), np.ones(shape)
    atr, flagged = np.full(batch.size, np.nan), np.zeros(batch.size, np.bool_)
    volume = np.array([
        session.outcomes[b].volumes.get(s, np.nan) for b, s in found
    ], np.float64)  # fmt: skip
    frame = history.timeframes.index(history.decision)
    for s, streams in enumerate(history.streams):
        mine = symbol == s
        newest, closed = _newest(streams, batch[mine])
        facts = _facts(streams, newest, closed, history.batches.time[batch[mine]])
        _blame(session, chains, (s, batch[mine]), closed, facts)
        trust[mine] = weigh(facts)[1]
        rows[mine] = _not_stale(history, newest, closed, batch[mine])
        atr[mine] = streams[frame].atr[newest[:, frame]]
        flagged[mine] = streams[frame].flagged[newest[:, frame]]
    places = tuple(np.flatnonzero(symbol == s) for s in range(len(history.symbols)))
    time = history.batches.time[batch]
    return Joined(batch, symbol, time, rows, trust, atr, flagged, volume, places)


def _due(stream: Stream) -> list[int]:
    """Return the batches in which a later bar than ever before became known."""
    closed = np.maximum.accumulate(stream.closed)
    known = stream.known
    last = np.flatnonzero(np.append(known[1:] != known[:-1], known.size > 0))
    fresh = np.diff(closed[last], prepend=0) > 0
    return [b for b in known[last[fresh]].tolist() if b > BEFORE]


def _newest(streams: tuple[Stream, ...], batch: Rows) -> tuple[Rows, TimeArray]:
    """Return the newest bar of each stream at some batches, -1 for none, and when it closed."""
    rows = np.stack(
        [np.searchsorted(s.known, batch, side="right") - 1 for s in streams], axis=1
    )
    closed = np.stack([
        np.where(rows[:, f] >= 0, s.closed[rows[:, f]] if len(s) else 0, 0)
        for f, s in enumerate(streams)
    ], axis=1)  # fmt: skip
    return rows, closed


def _lengths(streams: tuple[Stream, ...]) -> Rows:
    return np.array([length_ms(s.timeframe) for s in streams])


def _facts(
    streams: tuple[Stream, ...], rows: Rows, closed: TimeArray, time: TimeArray
) -> FloatArray:
    """Return what the bars alone tell of the trust in them."""
    facts = np.zeros((*rows.shape, N_FACTORS))
    facts[..., AGE] = overdue(closed, _lengths(streams), time[:, None])
    for f, stream in enumerate(streams):
        if len(stream):
            there = rows[:, f] >= 0
            facts[:, f, GAPS] = np.where(there, stream.gaps[rows[:, f]], 0.0)
            facts[:, f, VOLUME] = np.where(there, stream.flat[rows[:, f]], 0)
    return facts


def _blame(
    session: Session, chains: Chains, where: tuple[int, Rows], closed: TimeArray, facts: FloatArray
) -> None:
    """Add what the feed knew to be wrong with a symbol in some batches."""
    symbol, batch = where
    base = length_ms(session.base)
    lengths = np.array([length_ms(t) for t in session.timeframes])
    for k, b in enumerate(batch.tolist()):
        faults = session.outcomes[b].faults
        if faults is not None:
            of_one = faults.take([session.symbols[symbol]], session.symbols)
            reached = np.maximum(chains.newest[b, symbol] + base, closed[k].max())[None]
            blame(facts[k : k + 1], of_one, base, lengths, closed[k : k + 1], reached)


def _not_stale(history: History, rows: Rows, closed: TimeArray, batch: Rows) -> Rows:
    """Return the rows, -1 for those that are too old to be read."""
    lengths = np.array([length_ms(t) for t in history.timeframes])
    behind = history.batches.time[batch][:, None] - closed
    return np.where((closed > 0) & (behind > STALE_BARS * lengths), -1, rows)

"""What the detectors say of the bars of a session, from whole arrays and not bar by bar."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opportunity.backtest.evidence import WHOLE, Stream
from opportunity.backtest.session_chains import Piece
from opportunity.backtest.session_input import BEFORE, Session
from opportunity.detectors import DETECTORS
from opportunity.detectors.base import CONFIDENCE, SCORE, Detector
from opportunity.detectors.events import EVENT
from opportunity.detectors.inputs import Inputs
from opportunity.kernels import kernel
from opportunity.market.bars import FloatArray
from opportunity.market.continuity import follow_bar, new_tracks
from opportunity.market.observations import Record
from opportunity.market.timeframe import TimeArray, Timeframe, length_ms
from opportunity.scoring.context import ATR, CONTEXT, TREND, VOLATILITY, context_run

NEVER = int(np.iinfo(np.int64).max)


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What was known besides bars.

    Parameters
    ----------
    detectors : tuple of Detector
    inputs : tuple of Inputs or None
        Of each detector; None for one that reads bars alone.
    since : ndarray of int64, shape (n_detectors,)
        Number of the frame from which on each detector has what it reads; `NEVER`, or -1 for one
        that reads bars alone.
    """

    detectors: tuple[Detector, ...]
    inputs: tuple[Inputs | None, ...]
    since: NDArray[np.int64]

    def rows(self, i: int, symbol: int, bars: dict[str, NDArray[Any]], length: int) -> FloatArray:
        """Return what detector `i` knew at the close of bars, NaN for those before it began."""
        inputs, n = self.inputs[i], bars["time"].size
        late = bars["place"] < self.since[i]
        if inputs is None or late.all():
            return np.full((n, len(self.detectors[i].columns)), np.nan)
        opened = bars["time"]
        known = inputs.rows(np.full(n, symbol), opened, opened + length)
        return np.where(late[:, None], np.nan, known)


def know(session: Session) -> Known:
    """Take all records of a session; those that broke a rule live are passed over again."""
    detectors = tuple(d() for d in DETECTORS)
    inputs = tuple(d.new_inputs(session.symbols) for d in detectors)
    since = np.array([BEFORE if i is None else NEVER for i in inputs])
    for place, records in session.records:
        _take(inputs, records)
        for i, one in enumerate(inputs):
            if one is not None and one.connected:
                since[i] = min(since[i], place)
    return Known(detectors, inputs, since)


def _take(inputs: tuple[Inputs | None, ...], records: list[Record]) -> None:
    """Take records as the agent does: together, or each by itself where one breaks a rule."""
    held = [one for one in inputs if one is not None]
    try:
        for one in held:
            one.take(records)
    except ValueError:
        for record in records:
            try:
                for one in held:
                    one.take([record])
            except ValueError:
                continue


def stream_of(
    pieces: list[Piece], known: Known, base: Timeframe, symbol: int, timeframe: Timeframe
) -> Stream:
    """Return one stream of a session; bars from before the first batch are known in batch -1."""
    parts = [_scanned(p, known, base) for p in pieces]
    ends = [p.since for p in pieces[1:]] + [NEVER]
    kept = []
    for piece, part, end in zip(pieces, parts, ends, strict=True):
        batch = part["known"]
        if piece.since > BEFORE:  # of what it began with, only the newest bar was ever looked at
            newest = int((batch < piece.since).sum()) - 1
            batch = np.maximum(batch, piece.since)
            part["known"] = batch
            keep = (np.arange(batch.size) >= newest) & (batch < end)
        else:
            keep = batch < end
        kept.append({n: a[keep] for n, a in part.items()})
    whole = {n: np.concatenate([k[n] for k in kept]) for n in kept[0]}
    return Stream(symbol, timeframe, **whole)


def _scanned(piece: Piece, known: Known, base: Timeframe) -> dict[str, NDArray[Any]]:
    """Run all kernels over a piece; return the fields of its stream."""
    bars, length = piece.bars(), length_ms(piece.timeframe)
    n, time = bars["time"].size, bars["time"]
    scores, confidences = np.full((2, n, len(known.detectors)), np.nan)
    row, events = np.zeros(1, np.int64), np.empty((1, 0), EVENT)
    for i, detector in enumerate(known.detectors):
        states = _state(piece, f"state_{detector.label}", detector.new_states(1))
        seen = np.ascontiguousarray(known.rows(i, piece.symbol, bars, length))
        out = np.full((1, n, detector.width), np.nan)
        detector.run(
            states, row, detector.packed, time[None], bars["values"][None], seen[None], out,
            events, np.zeros(1, np.int64),
        )  # fmt: skip
        scores[:, i], confidences[:, i] = out[0, :, SCORE], out[0, :, CONFIDENCE]
    out = np.full((1, n, 3), np.nan)
    context_run(
        _state(piece, "context", np.zeros(1, CONTEXT)), row, time[None], bars["values"][None], out
    )
    found = {
        "time": time, "known": bars["batch"], "scores": scores, "confidences": confidences,
        "trend": np.nan_to_num(out[0, :, TREND]), "volatility": out[0, :, VOLATILITY],
        "atr": out[0, :, ATR], **_wholeness(piece, bars, length, length_ms(base)),
    }  # fmt: skip
    before = _loaded(piece, length)
    if before is None:
        return found
    return {name: np.concatenate([before[name], array]) for name, array in found.items()}


def _state(piece: Piece, name: str, fresh: NDArray[Any]) -> NDArray[Any]:
    return piece.loaded[name].copy() if piece.loaded else fresh


def _wholeness(
    piece: Piece, bars: dict[str, NDArray[Any]], length: int, base: int
) -> dict[str, NDArray[Any]]:
    """Return what tells of gaps: flags, shares that are missing, bars without volume."""
    time, coverage = bars["time"], bars["coverage"]
    closed = int(piece.loaded["closed"][0]) if piece.loaded else 0
    before = np.concatenate([[closed], time[:-1] + length])[: time.size]
    per = max(1, length // base)
    absent = np.rint((1.0 - coverage) * per).astype(np.int64)
    gaps, flat = np.empty(time.size), np.empty(time.size, np.int64)
    track = _state(piece, "tracks", new_tracks(1))
    _follow(
        track, time, np.ascontiguousarray(bars["values"][:, 4]), absent, bars["counts"], length,
        per, gaps, flat,
    )  # fmt: skip
    flagged = ((before != 0) & (time != before)) | (coverage < WHOLE)
    return {"flagged": flagged, "gaps": gaps, "flat": flat}


@kernel
def _follow(
    tracks: Any, time: Any, volume: Any, absent: Any, counts: Any, length: Any, per: Any,
    gaps: Any, flat: Any,
) -> None:
    track = tracks[0]
    for j in range(time.size):
        follow_bar(track, time[j], volume[j], absent[j], counts[j], length, per)
        gaps[j] = track.missing / track.weight
        flat[j] = track.flat


def _loaded(piece: Piece, length: int) -> dict[str, NDArray[Any]] | None:
    """Return the newest bar of a stored state as a stream of one; None where there is none."""
    held = piece.loaded
    if not held or not int(held["closed"][0]):
        return None
    track, market = held["tracks"][0], held["market"]
    time: TimeArray = held["closed"] - length
    return {
        "time": time, "known": np.full(1, BEFORE), "scores": held["scores"],
        "confidences": held["confidences"], "trend": np.nan_to_num(market[:, TREND]),
        "volatility": market[:, VOLATILITY], "atr": market[:, ATR], "flagged": held["flagged"],
        "gaps": np.array([track["missing"] / (track["weight"] or 1.0)]),
        "flat": np.array([track["flat"]]),
    }  # fmt: skip

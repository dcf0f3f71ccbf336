"""What was known besides bars at each close, for the detectors that read records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from opportunity.detectors.base import Detector
from opportunity.detectors.inputs import Inputs, RecordsAbout, records_about
from opportunity.feeds.record_folder import FolderRecords
from opportunity.market.bars import Bars, FloatArray
from opportunity.market.observations import Record, Trades, by_availability
from opportunity.market.timeframe import TimeArray
from opportunity.scoring.scores import Records

NEVER: Final = int(np.iinfo(np.int64).max)


@dataclass(frozen=True, slots=True, eq=False)
class Knowledge:
    """The `Inputs` of all detectors about a universe.

    Parameters
    ----------
    inputs : tuple of Inputs or None
        By detector; None for one that reads bars alone, or that nothing was given for.
    exists_from : ndarray of int64, shape (n_detectors,)
        From when on each detector has what it reads, ms UTC: 0 from the beginning, `NEVER`.
    given : bool
        Whether there were any records.
    """

    inputs: tuple[Inputs | None, ...]
    exists_from: NDArray[np.int64]
    given: bool

    def rows(self, detector: int, symbol: int, opened: TimeArray, length: int) -> FloatArray | None:
        """Return what a detector knew at the close of bars of one symbol; None: nothing.

        Returns
        -------
        ndarray, shape (n_bars, n_columns), or None
        """
        inputs = self.inputs[detector]
        if inputs is None or self.exists_from[detector] == NEVER:
            return None
        return inputs.rows(np.full(opened.size, symbol), opened, opened + length)


def know(bars: Sequence[Bars], detectors: Sequence[Detector], given: Records) -> Knowledge:
    """Take records about all symbols.

    Parameters
    ----------
    bars : sequence of Bars
        Base bars, by symbol.
    detectors : sequence of Detector
    given : records or FolderRecords, optional
        In any order; each counts from its `available_at` on.

    Raises
    ------
    TypeError, ValueError
        If they are no records, or one breaks a rule.
    """
    names = tuple(b.symbol for b in bars)
    records = by_availability(_records(bars, detectors, given))
    if records and not all(names):
        raise ValueError("bars must carry a symbol to be joined with observations, was ''")
    inputs: list[Inputs | None] = []
    since = np.zeros(len(detectors), np.int64)
    for i, detector in enumerate(detectors):
        mine = [r for r in records if isinstance(r, tuple(detector.needs))]
        inputs.append(detector.new_inputs(names) if mine or not detector.needs else None)
        known = inputs[-1]
        if detector.needs:
            since[i] = NEVER if known is None else _connect(known, mine)
    return Knowledge(tuple(inputs), since, bool(records))


def _connect(inputs: Inputs, records: Sequence[Record]) -> int:
    """Have records taken; return from when on the detector has what it reads."""
    for i, record in enumerate(records):
        inputs.take([record])
        if inputs.connected:
            inputs.take(records[i + 1 :])
            return _known_from(record)
    return NEVER


def _known_from(record: Record) -> int:
    return int(record.time[0]) if isinstance(record, Trades) else record.available_at


def _records(
    bars: Sequence[Bars], detectors: Sequence[Detector], given: Records
) -> list[Record]:
    if isinstance(given, Mapping):
        raise TypeError(
            f"observations must be records or FolderRecords, was {type(given).__name__}"
        )
    held = [b for b in bars if len(b)]
    if isinstance(given, FolderRecords) and held:
        first = min(int(b.time[0]) for b in held)
        last = max(int(b.close_time[-1]) for b in held)
        found: list[Record] = []
        for kind, memory in _needs(detectors).items():
            found += given.between((kind,), first - memory, last + 1, [b.symbol for b in bars])
        return found
    if isinstance(given, RecordsAbout):
        single = [r for b in held for r in given.about(b) if not isinstance(r, Trades)]
        blocks = [r for b in held for r in given.about(b) if isinstance(r, Trades)]
        return [*dict.fromkeys(single), *blocks]
    return records_about(bars[0], given)


def _needs(detectors: Sequence[Detector]) -> dict[type[Record], int]:
    found: dict[type[Record], int] = {}
    for detector in detectors:
        for kind, memory in detector.needs.items():
            found[kind] = max(found.get(kind, 0), memory)
    return found

"""What stands between records and the row that a kernel gets with each bar.

A detector that reads more than bars makes one `Inputs` for a universe. Records go in as they
become known; `rows` answers what was known at any closes from then back to the detector's memory.
Batch and live ask the same object the same question, so they agree bit for bit.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, get_args, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from opportunity.market.bars import Bars, FloatArray
from opportunity.market.observations import Observation, Record, Trades
from opportunity.market.timeframe import TimeArray


class Observed(NamedTuple):
    """What one detector knew at the close of each bar.

    Parameters
    ----------
    rows : ndarray, shape (n_bars, n_columns)
        NaN where nothing was known.
    connected : bool
        Whether there was anything to read; True for a detector that reads bars alone.
    """

    rows: FloatArray
    connected: bool


@runtime_checkable
class RecordsAbout(Protocol):
    """Where the records that matter to given bars can be asked for; `FolderRecords` is one."""

    def about(self, bars: Bars) -> Sequence[Record]:
        """Return what was known up to the last close."""
        ...


Observations = Iterable[Record] | RecordsAbout | Observed | None
"""What `Detector.detect` joins with bars: records, or rows that are joined already."""

_KINDS: tuple[type[Any], ...] = (*get_args(Observation), Trades)


def records_about(bars: Bars, given: Iterable[Record] | RecordsAbout | None) -> list[Record]:
    """Return what was given as records; a folder of them is asked for those about the bars.

    Raises
    ------
    TypeError
        If it holds anything but records of `opportunity.market.observations`.
    ValueError
        If a folder is asked and the bars carry no symbol or timeframe.
    """
    if given is None:
        return []
    if isinstance(given, RecordsAbout):
        return list(given.about(bars))
    if isinstance(given, str | bytes | Mapping | Bars) or not isinstance(given, Iterable):
        raise _no_records(type(given))
    held = list(given)
    for kind in set(map(type, held)):  # few, however many records there are
        if not issubclass(kind, _KINDS):
            raise _no_records(kind, "an iterable with ")
    return held


def _no_records(kind: type[Any], where: str = "") -> TypeError:
    return TypeError(
        "observations must be records of opportunity.market.observations, as op.read_records(path) "
        f"and op.FolderRecords(folder) give them, was {where}{kind.__name__}"
    )


class Inputs(Protocol):
    """Records of a universe, readable as of any close; see `Detector.new_inputs`."""

    @property
    def connected(self) -> bool:
        """Whether any record has come that the detector can read."""
        ...

    def take(self, records: Sequence[Record]) -> None:
        """Add records in the order of their `available_at`; other kinds are passed over.

        Raises
        ------
        ValueError
            If a record became known before one of its kind that was taken earlier.
        """
        ...

    def rows(self, symbols: NDArray[np.int64], opened: TimeArray, closed: TimeArray) -> FloatArray:
        """Return what was known at the close of each bar.

        Parameters
        ----------
        symbols : ndarray of int64, shape (n,)
            Indices into the universe.
        opened, closed : ndarray of int64, shape (n,)
            When the bars opened and closed, ms UTC.

        Returns
        -------
        ndarray, shape (n, n_columns)
            Only of records with `available_at` <= closed; NaN where nothing was known. Reads
            alone: several threads may ask at once.
        """
        ...

    def drain(self) -> Sequence[Observation]:
        """Return records made of others since the last call, to be kept in place of those.

        Empty for most; minutes of prints, where prints are too many to be kept.
        """
        ...

    def forget(self, before: int) -> None:
        """Let go of what no close from `before` on can need, the memory taken into account."""
        ...

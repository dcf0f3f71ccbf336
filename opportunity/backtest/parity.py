"""Whether a backtest of a session does what the agent did: signals, orders, fills, equity."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opportunity.backtest.divergence import (
    KINDS,
    Divergence,
    Table,
    changed_log,
    first_divergence,
)
from opportunity.backtest.replay import Replayed, replay
from opportunity.backtest.session_input import Session, read
from opportunity.storage.session import read_session


@dataclass(frozen=True, slots=True)
class Match:
    """How many rows of one kind there are, and how many of them are in both.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    recorded, replayed, equal : int
        Rows of the session, of the backtest, and of both bit for bit.
    """

    kind: str
    recorded: int
    replayed: int
    equal: int

    @property
    def share(self) -> float:
        """Rows that are in both, as a fraction of the larger number; 1 where there are none."""
        most = max(self.recorded, self.replayed)
        return self.equal / most if most else 1.0


@dataclass(frozen=True, slots=True)
class Verification:
    """What comes of running a session through the backtest.

    Parameters
    ----------
    session, source : str
        Name of its folder; stamp of its bars.
    n_batches, n_symbols, n_configs : int
    start, end : int
        Span of its batches, ms UTC.
    kernels : str
        Version of the kernels that it ran with.
    torn : int
        Bytes at the end of the log that were not written whole, and left out.
    matches : tuple of Match
        By `KINDS`.
    divergence : Divergence or None
        None where everything is the same.
    """

    session: str
    source: str
    n_batches: int
    n_symbols: int
    n_configs: int
    start: int
    end: int
    kernels: str
    torn: int
    matches: tuple[Match, ...]
    divergence: Divergence | None

    @property
    def equal(self) -> bool:
        """Whether the session and its backtest are the same, row by row and bit by bit."""
        return self.divergence is None

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        body = asdict(self)
        body["matches"] = [asdict(m) | {"share": m.share} for m in self.matches]
        return {"equal": self.equal} | body


def verify(folder: Path) -> Verification:
    """Run a recorded session through the backtest and compare, row by row.

    Raises
    ------
    SessionError
        If it cannot be read or holds no batch.
    FrameError
        If its log is damaged before its end.
    """
    session = read(read_session(folder))
    try:
        replayed = replay(session)
    except (KeyError, ValueError, IndexError) as error:
        if not session.changed:
            raise
        return _report(session, folder.name, (), changed_log(session, str(error)))
    pairs = {k: (_recorded(session, k), _replayed(replayed, k)) for k in KINDS}
    matches = tuple(_match(kind, *pair) for kind, pair in pairs.items())
    first = first_divergence(session, replayed.history.batches.time, pairs)
    return _report(session, folder.name, matches, first)


def _report(
    session: Session, name: str, matches: tuple[Match, ...], divergence: Divergence | None
) -> Verification:
    last = session.outcomes[-1].time if session.outcomes else session.start
    return Verification(
        name, str(session.header["source"]), session.n_batches, len(session.symbols),
        len(session.configs), session.start, last, str(session.header["kernels"]), session.torn,
        matches, divergence,
    )  # fmt: skip


def _bits(columns: Sequence[NDArray[Any]], n: int) -> Table:
    """Return columns side by side as their bits; every NaN is the same."""
    out = np.empty((n, len(columns)), np.int64)
    for i, column in enumerate(columns):
        if column.dtype.kind == "f":
            values = np.where(np.isnan(column), np.nan, column.astype(np.float64))
            out[:, i] = values.view(np.int64)
        else:
            out[:, i] = column
    return out


def _rows(rows: NDArray[Any], more: Sequence[NDArray[Any]] = ()) -> Table:
    return _bits([*(rows[n] for n in rows.dtype.names or ()), *more], rows.size)


def _recorded(session: Session, kind: str) -> Table:
    if kind == "signals":
        return _rows(session.column("decisions"), list(session.column("said").T))
    if kind == "orders":
        return _rows(session.orders())
    if kind == "equity":
        time = np.array([o.time for o in session.outcomes], np.int64)
        equity = np.array([o.equity for o in session.outcomes], np.float64)
        return _bits([time, equity], time.size)
    return _rows(session.column(kind))


def _replayed(replayed: Replayed, kind: str) -> Table:
    if kind == "signals":
        return _rows(replayed.decisions, list(replayed.said.T))
    if kind == "equity":
        return _bits([replayed.history.batches.time, replayed.equity], replayed.equity.size)
    return _rows(getattr(replayed, kind))


def _match(kind: str, recorded: Table, replayed: Table) -> Match:
    both = Counter(r.tobytes() for r in recorded) & Counter(r.tobytes() for r in replayed)
    return Match(kind, len(recorded), len(replayed), sum(both.values()))

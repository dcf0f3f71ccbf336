"""Where a session and its backtest part, and why: the first row that is not the same."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from opportunity.backtest.replay import SAID
from opportunity.backtest.session_input import Session
from opportunity.kernels import VERSION
from opportunity.market.timeframe import TimeArray, utc_text
from opportunity.storage.session import HASHED
from opportunity.trading.records import DECISION, FILL, ORDER, TRADE

Table = NDArray[np.int64]
"""Rows of one kind, each number as its bits; see `parity`."""

Pairs = dict[str, tuple[Table, Table]]
"""Recorded and replayed rows, by kind."""

KINDS: Final = ("signals", "orders", "fills", "trades", "equity")
"""What is compared, in the order in which one follows from the other."""

FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "signals": (*(DECISION.names or ()), *SAID),
    "orders": ORDER.names or (),
    "fills": FILL.names or (),
    "trades": TRADE.names or (),
    "equity": ("time", "equity"),
}


@dataclass(frozen=True, slots=True)
class Divergence:
    """The first row that is not the same, and why.

    Parameters
    ----------
    kind : str
        One of `KINDS`, or ``log`` for a log that was changed where nothing came of it.
    batch, time : int
        When; ms UTC.
    symbol, field : str
        Of what; empty where it is about none, or where the whole row is missing.
    recorded, replayed : float or None
        None where one of both has no such row.
    cause : str
        ``header``, ``data``, ``config``, ``code version``, ``late bar``, ``signal`` or
        ``execution``.
    reason : str
        The cause in words.
    """

    kind: str
    batch: int
    time: int
    symbol: str
    field: str
    recorded: float | None
    replayed: float | None
    cause: str
    reason: str


def first_divergence(session: Session, times: TimeArray, pairs: Pairs) -> Divergence | None:
    """Return the first row that is not the same; None where all are and nothing was changed.

    Parameters
    ----------
    session : Session
    times : ndarray of int64, shape (n_batches,)
        Of the backtest's batches.
    pairs : dict of str to (ndarray, ndarray)
        By `KINDS`, recorded and replayed.
    """
    found: list[tuple[int, int, Divergence]] = []
    for rank, (kind, pair) in enumerate(pairs.items()):
        row = _first(*pair)
        if row >= 0:
            there = [table for table in pair if row < len(table)]
            batch = min(_batch(times, kind, row, table) for table in there)
            found.append((batch, rank, _named(session, kind, batch, [t[row] for t in there])))
    if found:
        return min(found, key=lambda f: f[:2])[2]
    return changed_log(session) if session.changed else None


def _first(recorded: Table, replayed: Table) -> int:
    """Return the first row that is not in both, -1 for none."""
    n = min(len(recorded), len(replayed))
    other = (recorded[:n] != replayed[:n]).any(axis=1)
    if other.any():
        return int(np.argmax(other))
    return n if len(recorded) != len(replayed) else -1


def _named(session: Session, kind: str, batch: int, rows: list[Table]) -> Divergence:
    """Name what differs between two rows, or the only one that there is."""
    fields = FIELDS[kind]
    field = ""
    recorded: float | None = None
    replayed: float | None = None
    if len(rows) == 2:
        place = int(np.argmax(rows[0] != rows[1]))
        field = fields[place]
        recorded, replayed = (_value(kind, field, int(row[place])) for row in rows)
    symbol = ""
    if "symbol" in fields:
        symbol = session.symbols[int(rows[0][fields.index("symbol")])]
    cause, reason = _cause(session, kind, batch, symbol)
    time = session.outcomes[batch].time
    return Divergence(kind, batch, time, symbol, field, recorded, replayed, cause, reason)


def _batch(times: TimeArray, kind: str, row: int, table: Table) -> int:
    if kind == "equity":
        return row
    if kind == "signals":
        return int(table[row, FIELDS[kind].index("batch")])
    time = int(table[row, FIELDS[kind].index("closed" if kind == "trades" else "time")])
    return min(int(np.searchsorted(times, time)), times.size - 1)


def _value(kind: str, field: str, bits: int) -> float:
    """Turn the bits of one field back into a number."""
    if field in SAID or field == "equity":
        return float(np.int64(bits).view(np.float64))
    if kind == "equity":
        return bits
    dtype = {"signals": DECISION, "orders": ORDER, "fills": FILL, "trades": TRADE}[kind]
    kept = dtype.fields[field][0] if dtype.fields else dtype
    return float(np.int64(bits).view(np.float64)) if kept.kind == "f" else bits


def _cause(session: Session, kind: str, batch: int, symbol: str) -> tuple[str, str]:
    """Name why a row is not the same, the surest cause first."""
    if session.changed:
        changed = changed_log(session)
        return changed.cause, changed.reason
    kernels = session.header["kernels"]
    if kernels != VERSION:
        return "code version", f"it ran with kernels {kernels}, these are {VERSION}"
    rows = range(len(session.symbols)) if not symbol else [session.symbols.index(symbol)]
    late = [
        b for b in range(batch + 1)
        if set(rows) & set(session.outcomes[b].arrays.get("late", np.empty(0)).tolist())
    ]
    if late:
        when = utc_text(session.outcomes[late[-1]].closed)
        return "late bar", f"a bar of {symbol or 'a symbol'} came late, the one closed at {when}"
    if kind == "signals":
        return "signal", "the same bars, weights and rules were judged otherwise"
    return "execution", "the same signals were traded otherwise"


_SPOKEN: Final = {
    "bars": ("data", "bars"), "records": ("data", "records"), "faults": ("data", "faults"),
    "config": ("config", "a config"), "outcomes": ("data", "outcomes"),
}  # fmt: skip


def changed_log(session: Session, error: str = "") -> Divergence:
    """Say what of a log was changed since it was written; `error` is what came of it."""
    changed = session.changed
    batch = min(changed.values())
    time = session.outcomes[batch].time
    if set(changed) == set(HASHED.values()) and batch == 0:
        cause, what = "header", "the header"
    else:
        first = sorted(name for name, at in changed.items() if at == batch)[0]
        cause, what = _SPOKEN[first]
    reason = (
        f"{what} in the log up to {utc_text(time)} (batch {batch}) "
        "differ from what was written there"
    )
    if error:
        reason += f", and break a rule: {error}"
    return Divergence("log", batch, time, "", "", None, None, cause, reason)

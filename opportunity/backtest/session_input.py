"""A recorded session, sorted: what came in, in the order in which it came, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from opportunity.market.observations import Record
from opportunity.market.timeframe import Timeframe, timeframe
from opportunity.market.trust import Faults
from opportunity.storage.frames import Frame
from opportunity.storage.record_frames import RECORDS, records_of
from opportunity.storage.session import BATCH, SessionError, SessionLog
from opportunity.trading.records import CLOSED, DECISION, FILL, ORDER, TRADE
from opportunity.trading.setup import TradeSetup

Arrays = Mapping[str, NDArray[Any]]

BEFORE: Final = -1
"""Batch of what came before the first one."""


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """What streams were given.

    Parameters
    ----------
    kind : str
        ``load``, ``warm``, ``prime``, ``begin``, ``update``, ``flush`` or ``adopt``.
    streams : int
        Which streams; those of the agent, or some that were warmed to be put in their place.
    arrays : mapping of str to ndarray
    batch : int
        Number of the batch that it is part of, `BEFORE` the first one.
    place : int
        Number of its frame.
    other, version : int
        Of ``adopt``: which streams are put in, and the newest snapshot that does not see it.
    """

    kind: str
    streams: int
    arrays: Arrays
    batch: int
    place: int
    other: int
    version: int


@dataclass(frozen=True, slots=True, eq=False)
class Config:
    """What people had turned."""

    enabled: bool
    weights: NDArray[np.float64]
    setup: TradeSetup
    timeframe_weights: dict[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What the agent made of a batch.

    Parameters
    ----------
    time, closed : int
        Up to which bars were known, and when those of this batch closed, ms UTC.
    equity, cash : float
        After it.
    version, config : int
        Of the snapshot and of the config that were judged; -1 where nothing was.
    faults : Faults or None
        What the feed knew to be wrong then.
    place : int
        Number of its frame.
    arrays : mapping of str to ndarray
        Empty ones are left out.
    stale : int
        State of the breaker of stale data, set before the decisions.
    volumes : mapping of int to float
        What was traded in 24 hours of the symbols that were decided on, quote currency: known from
        bars that came before the log began.
    """

    time: int
    closed: int
    equity: float
    cash: float
    version: int
    config: int
    faults: Faults | None
    place: int
    arrays: Arrays
    stale: int
    volumes: Mapping[int, float]


@dataclass(frozen=True, slots=True, eq=False)
class Hand:
    """What somebody did by hand after the decisions of a batch.

    Parameters
    ----------
    what : str
        ``leave``, ``forget`` or ``reset_breaker``.
    batch : int
        After which; `BEFORE` the first one.
    reason, index : int
        Of the exits; of the breaker; -1 where there is none.
    rows : ndarray of int64
        Symbols.
    """

    what: str
    batch: int
    reason: int
    index: int
    rows: NDArray[np.int64]


@dataclass(slots=True, eq=False)
class Session:
    """All of it; see `read`. `account` is what trading began with, None for nothing but cash."""

    header: dict[str, Any]
    symbols: tuple[str, ...]
    timeframes: tuple[Timeframe, ...]
    base: Timeframe
    decision: Timeframe
    main: int = BEFORE
    start: int = 0
    names: dict[int, tuple[str, ...]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    records: list[tuple[int, list[Record]]] = field(default_factory=list)
    configs: dict[int, Config] = field(default_factory=dict)
    first_config: int = 0
    outcomes: list[Outcome] = field(default_factory=list)
    account: Arrays | None = None
    hands: list[Hand] = field(default_factory=list)
    changed: dict[str, int] = field(default_factory=dict)
    torn: int = 0

    @property
    def n_batches(self) -> int:
        """Batches whose outcome is known."""
        return len(self.outcomes)

    def column(self, name: str) -> NDArray[Any]:
        """Return an array of the outcomes, all batches one after the other."""
        kind = {"decisions": DECISION, "fills": FILL, "trades": TRADE}.get(name, np.int64)
        empty: NDArray[Any] = np.empty((0, 6)) if name == "said" else np.empty(0, kind)
        return np.concatenate([o.arrays.get(name, empty) for o in self.outcomes] or [empty])

    @property
    def first_order(self) -> int:
        """Number of the first order: those before belong to an earlier session."""
        return 0 if self.account is None else int(self.account["account"]["n_orders"][0])

    def orders(self) -> NDArray[Any]:
        """Return the orders from `first_order` on as they were at the end."""
        found = [o.arrays for o in self.outcomes if "orders" in o.arrays]
        size = max((int(a["order_numbers"].max()) + 1 for a in found), default=0)
        orders = np.zeros(size, ORDER)
        for arrays in found:
            orders[arrays["order_numbers"]] = arrays["orders"]
        return orders[self.first_order :]


def read(log: SessionLog) -> Session:
    """Sort the frames of a log.

    Raises
    ------
    SessionError
        If no batch was traded, or a frame is missing or of another kind than expected.
    FrameError
        If one is damaged.
    """
    header = log.header
    try:
        session = Session(
            header, tuple(header["symbols"]), tuple(timeframe(t) for t in header["timeframes"]),
            timeframe(header["base"]), timeframe(header["decision_timeframe"]),
        )  # fmt: skip
        faults: Faults | None = None
        for place, frame in enumerate(log):
            if frame.kind == "faults":
                faults = _faults(frame)
            else:
                _sort(session, place, frame, faults)
    except (KeyError, TypeError, ValueError) as error:
        raise SessionError(f"session {log.folder.name} must be complete: {error!r}") from error
    session.changed, session.torn = dict(log.changed), log.torn
    if session.main == BEFORE or not session.outcomes:
        raise SessionError(f"session {log.folder.name} must hold batches, ended before the first")
    # What was given after the last outcome led to nothing.
    last = session.n_batches
    session.calls = [c for c in session.calls if c.batch < last]
    session.hands = [h for h in session.hands if h.batch < last - 1]
    return session


def _sort(session: Session, place: int, frame: Frame, faults: Faults | None) -> None:
    meta = frame.meta
    ready = session.main != BEFORE
    match frame.kind:
        case "stream":
            session.names[meta["streams"]] = tuple(meta["symbols"])
        case "ready":
            session.main, session.start = meta["streams"], meta["time"]
        case "config":
            if not session.configs:
                session.first_config = meta["version"]
            session.configs[meta["version"]] = Config(
                meta["enabled"], np.array(meta["weights"]), TradeSetup.from_dict(meta["trade"]),
                meta.get("scan_rules", {}).get("timeframe_weights", {}),
            )
        case kind if kind == RECORDS:
            session.records.append((place, records_of(frame)))
        case kind if kind == BATCH:
            session.outcomes.append(Outcome(
                meta["time"], meta["closed"], meta["equity"], meta["cash"], meta["version"],
                meta["config"], faults, place, frame.arrays, meta.get("stale", CLOSED),
                _volumes(frame.arrays),
            ))  # fmt: skip
        case "account":
            session.account = frame.arrays
        case "hand":
            session.hands.append(Hand(
                meta["what"], session.n_batches - 1, meta.get("reason", BEFORE),
                meta.get("index", BEFORE), frame.arrays.get("rows", np.empty(0, np.int64)),
            ))  # fmt: skip
        case _:
            session.calls.append(Call(
                frame.kind, meta["streams"], frame.arrays,
                session.n_batches if ready else BEFORE, place,
                meta.get("other", BEFORE), meta.get("version", 0),
            ))  # fmt: skip


def _volumes(arrays: Arrays) -> dict[int, float]:
    rows = arrays.get("decisions")
    if rows is None or "volume" not in (rows.dtype.names or ()):
        return {}
    return dict(zip(rows["symbol"].tolist(), rows["volume"].tolist(), strict=True))


def _faults(frame: Frame) -> Faults | None:
    if not frame.arrays:
        return None
    arrays: dict[str, Any] = dict(frame.arrays)
    skew_ms = int(arrays.pop("skew_ms"))
    return Faults(**arrays, skew_ms=skew_ms)

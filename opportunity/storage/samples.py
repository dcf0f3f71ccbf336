"""Candidates that were judged, as arrays: what the statistics of the journal are made of."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from opportunity.contracts import DETECTOR_NAMES
from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import TimeArray
from opportunity.scoring.aftermath import BARRIERS
from opportunity.storage.decisions import Chosen, number, where
from opportunity.storage.outcomes import UNKNOWN
from opportunity.storage.trading_tables import candidate, outcome
from opportunity.storage.transactions import told

_TEXTS: Final = {"symbols": "symbol", "timeframes": "timeframe", "actions": "action"}
_WHOLE: Final = ("id", "time", "known", "config", "side")
_NUMBERS: Final = ("score", "net", "confidence", "success", "right", "move_atr")


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Candidates that were judged at one horizon, oldest first; arrays of shape (n,).

    Parameters
    ----------
    horizon : int
        Decision bars.
    symbols, timeframes, actions : ndarray of str
    stopped_by : tuple of n tuples of str
    id, time, known, config : ndarray of int64
        `time` is the decision close and `known` when the outcome was, ms UTC.
    side, barrier : ndarray of int64
        +1 or -1; index into `BARRIERS`.
    score, net, confidence, success, right, move_atr : ndarray
        `success` is NaN where none was stated; `move_atr` counts along the side.
    contributions : ndarray, shape (n, n_detectors)
        NaN where a detector was not available.
    """

    horizon: int
    symbols: NDArray[np.str_]
    timeframes: NDArray[np.str_]
    actions: NDArray[np.str_]
    stopped_by: tuple[tuple[str, ...], ...]
    id: NDArray[np.int64]
    time: TimeArray
    known: TimeArray
    config: NDArray[np.int64]
    side: NDArray[np.int64]
    barrier: NDArray[np.int64]
    score: FloatArray
    net: FloatArray
    confidence: FloatArray
    success: FloatArray
    right: FloatArray
    move_atr: FloatArray
    contributions: FloatArray

    def __len__(self) -> int:
        return self.time.size


class Stated(NamedTuple):
    """Stated success and outcomes, oldest first; arrays of shape (n,)."""

    time: TimeArray
    success: FloatArray
    right: FloatArray


class SampleRepository:
    """Reads the judged candidates of one market.

    Parameters
    ----------
    engine : Engine
        A migrated database.
    market : str
        Names it.
    """

    def __init__(self, engine: sa.Engine, market: str) -> None:
        self._engine, self._market = engine, market

    def samples(
        self, horizon: int, since: int = 0, most: int = 20_000, until: int | None = None
    ) -> Samples:
        """Return the newest candidates that were judged at a horizon.

        Parameters
        ----------
        horizon : int
            Decision bars, one of `scoring.aftermath.HORIZONS`.
        since, until : int
            Decision closes from the first on, before the second, ms UTC.
        most : int
            How many at most.

        Raises
        ------
        DatabaseError
            If the database cannot be read.
        """
        c, o = candidate.c, outcome.c
        columns = (
            c.id, c.time, c.symbol, c.timeframe, c.action, c.stopped_by, c.config, c.side, c.score,
            c.net, c.confidence, c.success, c.contributions, o.known, o.barrier, o.right,
            o.move_atr,
        )  # fmt: skip
        wanted = sa.select(*columns).select_from(
            candidate.join(outcome, o.candidate == c.id)
        ).where(
            *where(self._market, Chosen(since=since, until=until)), o.horizon == horizon,
            o.barrier != UNKNOWN,
        ).order_by(c.time.desc(), c.id.desc()).limit(most)  # fmt: skip
        with told("decisions must be readable, were not"), self._engine.connect() as connection:
            rows = connection.execute(wanted).all()
        return _samples(horizon, rows[::-1])

    def counts(self, since: int = 0) -> dict[tuple[str, tuple[str, ...]], int]:
        """Count candidates by action and by all that stopped them.

        Raises
        ------
        DatabaseError
            If the database cannot be read.
        """
        c = candidate.c
        told_by = sa.cast(c.stopped_by, sa.Text)
        wanted = sa.select(c.action, told_by, sa.func.count()).where(
            *where(self._market, Chosen(since=since))
        ).group_by(c.action, told_by)  # fmt: skip
        with told("decisions must be readable, were not"), self._engine.connect() as connection:
            rows = connection.execute(wanted).all()
        return {(action, tuple(json.loads(names))): int(n) for action, names, n in rows}

    def stated(self, horizon: int, since: int, timeframe: str, most: int = 200_000) -> Stated:
        """Return what was stated from a time on and how it turned out, oldest first.

        Parameters
        ----------
        horizon : int
            Decision bars.
        since : int
            Decision closes from then on, ms UTC.
        timeframe : str
            Of the decision.
        most : int
            How many at most: the oldest.

        Raises
        ------
        DatabaseError
            If the database cannot be read.
        """
        c, o = candidate.c, outcome.c
        wanted = sa.select(c.time, c.success, o.right).select_from(
            candidate.join(outcome, o.candidate == c.id)
        ).where(
            *where(self._market, Chosen(since=since)), c.timeframe == timeframe,
            c.success.is_not(None), o.horizon == horizon, o.barrier != UNKNOWN,
        ).order_by(c.time, c.id).limit(most)  # fmt: skip
        with told("decisions must be readable, were not"), self._engine.connect() as connection:
            rows = connection.execute(wanted).all()
        time, success, right = zip(*rows, strict=True) if rows else ((), (), ())
        return Stated(
            np.array(time, np.int64), np.array(success, np.float64), np.array(right, np.float64)
        )

    def oldest(self) -> int | None:
        """Return the first decision close of all that is kept, ms UTC; None without any.

        Raises
        ------
        DatabaseError
            If the database cannot be read.
        """
        wanted = sa.select(sa.func.min(candidate.c.time)).where(*where(self._market, Chosen()))
        with told("decisions must be readable, were not"), self._engine.connect() as connection:
            return connection.execute(wanted).scalar()


def _samples(horizon: int, rows: Sequence[Any]) -> Samples:
    columns: dict[str, Any] = {
        name: np.array([getattr(row, column) for row in rows], np.str_)
        for name, column in _TEXTS.items()
    }
    for name in _WHOLE:
        columns[name] = np.array([getattr(row, name) for row in rows], np.int64)
    for name in _NUMBERS:
        columns[name] = np.array([number(getattr(row, name)) for row in rows], np.float64)
    contributions = np.array(
        [[number(row.contributions.get(name)) for name in DETECTOR_NAMES] for row in rows],
        np.float64,
    ).reshape(len(rows), len(DETECTOR_NAMES))
    return Samples(
        horizon=horizon, stopped_by=tuple(tuple(row.stopped_by) for row in rows),
        barrier=np.array([BARRIERS.index(row.barrier) for row in rows], np.int64),
        contributions=contributions, **columns,
    )  # fmt: skip

"""The store of outcomes: what became of candidates, and which still wait to be judged."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from opportunity.market.timeframe import TIMEFRAMES, length_ms
from opportunity.scoring.aftermath import HORIZONS
from opportunity.storage.events import insert_new
from opportunity.storage.trading_tables import candidate, outcome
from opportunity.storage.transactions import repeated, told

BOOK: Final = "paper"
"""Only this book has candidates."""

UNKNOWN: Final = "unknown"
"""`barrier` of an idea that can never be judged: its bars are not to be had."""

_PIECE: Final = 300  # rows in one statement


class Due(NamedTuple):
    """A candidate whose horizon is over and that has no outcome there yet.

    `time` is its decision close, `atr` NaN where none was known.
    """

    id: int
    time: int
    symbol: str
    timeframe: str
    side: int
    atr: float
    horizon: int


class Outcome(NamedTuple):
    """What became of a candidate after some bars; see `scoring.aftermath.Aftermath`.

    `barrier` is one of `BARRIERS`, or `UNKNOWN`: then `right` is -1 and the numbers are 0.
    """

    candidate: int
    horizon: int
    known: int
    barrier: str
    right: int
    move: float
    move_atr: float
    best: float
    worst: float


def unknown_outcome(due: Due, now: int) -> Outcome:
    """Return the outcome of a candidate that can never be judged."""
    return Outcome(due.id, due.horizon, now, UNKNOWN, -1, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many outcomes there are, and at a horizon: judged, never to be judged, still open."""

    n_candidates: int
    judged: dict[int, int]
    unknown: dict[int, int]


class OutcomeRepository:
    """Keeps the outcomes of one market's candidates; none ever changes.

    Parameters
    ----------
    engine : Engine
        A migrated database.
    market : str
        Names it.
    """

    def __init__(self, engine: sa.Engine, market: str) -> None:
        self._engine, self._market = engine, market

    def due(
        self, now: int, since: int, limit: int, after: tuple[int, int] = (-1, -1)
    ) -> list[Due]:
        """Return what can be judged, oldest first: each horizon that is over by itself.

        Parameters
        ----------
        now : int
            Feed time, ms UTC.
        since : int
            Only candidates of this time or later.
        limit : int
            How many candidates at most; all of their horizons come together.
        after : tuple of int
            Go on behind a candidate: its time and id.

        Raises
        ------
        DatabaseError
            If the database cannot be read.
        """
        c, o = candidate.c, outcome.c
        longer = sa.or_(c.time > after[0], sa.and_(c.time == after[0], c.id > after[1]))
        with told("candidates must be readable, were not"), self._engine.connect() as connection:
            frames = connection.execute(
                sa.select(c.timeframe).distinct().where(*self._mine(), c.time >= since)
            ).scalars()
            found: list[Due] = []
            for frame in sorted(set(frames) & set(TIMEFRAMES), key=length_ms):
                for horizon in HORIZONS:
                    there = sa.exists().where(o.candidate == c.id, o.horizon == horizon)
                    wanted = sa.select(
                        c.id, c.time, c.symbol, c.timeframe, c.side, c.atr
                    ).where(
                        *self._mine(), c.timeframe == frame, c.time >= since, longer,
                        c.time <= now - horizon * length_ms(frame), ~there,
                    )
                    rows = connection.execute(wanted.order_by(c.time, c.id).limit(limit))
                    found += [_due(row, horizon) for row in rows]
        found.sort(key=lambda one: (one.time, one.id, one.horizon))
        ids = list(dict.fromkeys(one.id for one in found))[:limit]
        last = set(ids)
        return [one for one in found if one.id in last]

    def add(self, outcomes: Sequence[Outcome]) -> None:
        """Keep outcomes in one transaction; one that is there already stays as it is.

        Raises
        ------
        DatabaseError
            If the database does not take them; none is kept then.
        """
        rows = [one._asdict() for one in outcomes]
        repeated(
            self._engine, lambda connection: _add(connection, rows),
            "outcomes must be kept, were not",
        )  # fmt: skip

    def of(self, ids: Sequence[int]) -> dict[int, tuple[Outcome, ...]]:
        """Return the outcomes of candidates by id, the shortest horizon first.

        Raises
        ------
        DatabaseError
            If the database cannot be read.
        """
        found: dict[int, tuple[Outcome, ...]] = {}
        with told("outcomes must be readable, were not"), self._engine.connect() as connection:
            for start in range(0, len(ids), _PIECE):
                wanted = sa.select(outcome).where(
                    outcome.c.candidate.in_(ids[start : start + _PIECE])
                )
                for row in connection.execute(wanted.order_by(outcome.c.horizon)):
                    found[row.candidate] = (*found.get(row.candidate, ()), Outcome(*row))
        return found

    def tally(self) -> Tally:
        """Count candidates and outcomes.

        Raises
        ------
        DatabaseError
            If the database cannot be read.
        """
        c, o = candidate.c, outcome.c
        known = sa.select(o.horizon, o.barrier, sa.func.count()).select_from(
            outcome.join(candidate, o.candidate == c.id)
        ).where(*self._mine()).group_by(o.horizon, o.barrier)  # fmt: skip
        with told("outcomes must be readable, were not"), self._engine.connect() as connection:
            every = sa.select(sa.func.count()).select_from(candidate).where(*self._mine())
            n = int(connection.execute(every).scalar_one())
            judged, unknown = dict.fromkeys(HORIZONS, 0), dict.fromkeys(HORIZONS, 0)
            for horizon, barrier, count in connection.execute(known):
                (unknown if barrier == UNKNOWN else judged)[horizon] += int(count)
        return Tally(n, judged, unknown)

    def _mine(self) -> tuple["sa.ColumnElement[bool]", ...]:
        return candidate.c.market == self._market, candidate.c.book == BOOK


def _due(row: Any, horizon: int) -> Due:
    atr = float("nan") if row.atr is None else float(row.atr)
    return Due(row.id, row.time, row.symbol, row.timeframe, row.side, atr, horizon)


def _add(connection: sa.Connection, rows: Sequence[dict[str, Any]]) -> None:
    # A candidate may have been pruned since it was read: its outcome has nothing to belong to.
    ids = sorted({row["candidate"] for row in rows})
    there: set[int] = set()
    for start in range(0, len(ids), _PIECE):
        wanted = sa.select(candidate.c.id).where(candidate.c.id.in_(ids[start : start + _PIECE]))
        there |= set(connection.execute(wanted).scalars())
    kept = [row for row in rows if row["candidate"] in there]
    for start in range(0, len(kept), _PIECE):
        insert_new(connection, outcome, kept[start : start + _PIECE], ("candidate", "horizon"))

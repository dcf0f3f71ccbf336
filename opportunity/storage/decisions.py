"""The log of decisions as people read it: candidates with what became of them, newest first."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from opportunity.errors import unknown
from opportunity.scoring.barriers import HORIZON
from opportunity.storage.candidates import ACTIONS, Candidate
from opportunity.storage.outcomes import BOOK, UNKNOWN, Outcome, OutcomeRepository
from opportunity.storage.trading_tables import candidate, outcome, paper_order
from opportunity.storage.transactions import told

MOST_READ: Final = 500
"""Decisions of one page."""

OUTCOMES: Final = ("right", "wrong", "open")
"""How an idea turned out at a horizon; open: its horizon is not over, or it can not be judged."""

_FIELDS: Final = Candidate._fields


@dataclass(frozen=True, slots=True)
class Decision:
    """A candidate as it is in the log.

    Parameters
    ----------
    id : int
    candidate : Candidate
    order_status : str or None
        What became of its order since; None without one, and where it is not in the ledger.
    outcomes : tuple of Outcome
        Those that are known, the shortest horizon first.
    """

    id: int
    candidate: Candidate
    order_status: str | None
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class DecisionPage:
    """Some decisions, newest first; `after` asks for the next ones, None when there are none."""

    decisions: tuple[Decision, ...]
    after: int | None


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which decisions are asked for; None means all.

    `stopped_by` is the name of a rule or a limit; `since` and `until` are decision closes, ms
    UTC, the latter excluded; `side` is +1 or -1; `outcome` one of `OUTCOMES` at `horizon`
    decision bars. With `untraded` only what was not entered.
    """

    symbol: str | None = None
    action: str | None = None
    stopped_by: str | None = None
    since: int = 0
    until: int | None = None
    side: int | None = None
    outcome: str | None = None
    horizon: int = HORIZON
    untraded: bool = False


class DecisionRepository:
    """Reads the decisions of one market.

    Parameters
    ----------
    engine : Engine
        A migrated database.
    market : str
        Names it.
    """

    def __init__(self, engine: sa.Engine, market: str) -> None:
        self._engine, self._market = engine, market
        self._outcomes = OutcomeRepository(engine, market)

    def read(
        self, chosen: Chosen | None = None, limit: int = 100, after: int | None = None
    ) -> DecisionPage:
        """Return the newest decisions that are asked for, with their outcomes.

        Parameters
        ----------
        chosen : Chosen, optional
        limit : int
            How many at most, 1 to `MOST_READ`.
        after : int, optional
            Go on behind a page: its `after`.

        Raises
        ------
        ValueError
            If an action or outcome is unknown or the limit out of bounds.
        DatabaseError
            If the database cannot be read.
        """
        asked = Chosen() if chosen is None else chosen
        if asked.action is not None and asked.action not in ACTIONS:
            raise ValueError(unknown("action", asked.action, ACTIONS))
        if asked.outcome is not None and asked.outcome not in OUTCOMES:
            raise ValueError(unknown("outcome", asked.outcome, OUTCOMES))
        if not 1 <= limit <= MOST_READ:
            raise ValueError(f"limit must be 1 to {MOST_READ}, was {limit}")
        c, p = candidate.c, paper_order.c
        ordered = sa.and_(
            p.book == c.book, p.epoch == c.epoch, p.number == c.order_number
        )
        wanted = sa.select(candidate, p.status).select_from(
            candidate.outerjoin(paper_order, ordered)
        ).where(*where(self._market, asked))  # fmt: skip
        with told("decisions must be readable, were not"), self._engine.connect() as connection:
            if after is not None:
                at = sa.select(c.time).where(c.id == after).scalar_subquery()
                wanted = wanted.where((c.time < at) | ((c.time == at) & (c.id < after)))
            rows = connection.execute(
                wanted.order_by(c.time.desc(), c.id.desc()).limit(limit + 1)
            ).all()
        kept = rows[:limit]
        outcomes = self._outcomes.of([row.id for row in kept])
        decisions = tuple(
            Decision(row.id, _candidate(row), row.status, outcomes.get(row.id, ())) for row in kept
        )
        return DecisionPage(decisions, kept[-1].id if len(rows) > limit else None)


def where(market: str, asked: Chosen) -> Iterator["sa.ColumnElement[bool]"]:
    """Give the conditions that pick the decisions of a market that are asked for."""
    c = candidate.c
    yield c.market == market
    yield c.book == BOOK
    if asked.since:
        yield c.time >= asked.since
    if asked.until is not None:
        yield c.time < asked.until
    if asked.symbol is not None:
        yield c.symbol == asked.symbol
    if asked.action is not None:
        yield c.action == asked.action
    if asked.stopped_by is not None:
        # A list of plain names as JSON: the quoted name stands in its text on any database.
        yield sa.cast(c.stopped_by, sa.Text).contains(f'"{asked.stopped_by}"', autoescape=True)
    if asked.side is not None:
        yield c.side == asked.side
    if asked.untraded:
        yield c.action != "entered"
    if asked.outcome is not None:
        yield _turned_out(asked.outcome, asked.horizon)


def _turned_out(name: str, horizon: int) -> "sa.ColumnElement[bool]":
    o = outcome.c
    judged = sa.exists().where(
        o.candidate == candidate.c.id, o.horizon == horizon, o.barrier != UNKNOWN
    )
    if name == "open":
        return ~judged
    return judged.where(o.right == (1 if name == "right" else 0))


def _candidate(row: Any) -> Candidate:
    values = {name: getattr(row, name) for name in _FIELDS}
    values |= {name: number(values[name]) for name in ("success", "atr")}
    return Candidate(**values | {"stopped_by": tuple(row.stopped_by)})


def number(value: float | None) -> float:
    """Return a number as it is inside the package: NaN for null."""
    return math.nan if value is None else float(value)

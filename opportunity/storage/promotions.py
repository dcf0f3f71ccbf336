"""Every promotion of weights, and who forced one against the guards: never changed or let go."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from opportunity.storage.failures import failure
from opportunity.storage.tables import promotion
from opportunity.storage.transactions import told

LIVE: Final = "live"
"""Target of weights that everybody shares; any other target is the name of a preset."""

MOST_READ: Final = 1_000


@dataclass(frozen=True, slots=True)
class Promotion:
    """Weights that were put to use.

    Parameters
    ----------
    at : int
        Wall time, ms UTC.
    target : str
        `LIVE`, or the name of a preset.
    weights : dict of str to float
    by, why : str
        Who asked, and the reason that was given: never empty where it was forced.
    forced : bool
        A guard had failed.
    dataset : str
        Digest of the data that the guards looked at.
    guards : list of dict
        What each said: name, value, threshold, passed, text.
    """

    at: int
    target: str
    weights: dict[str, float]
    by: str
    why: str
    forced: bool
    dataset: str
    guards: list[Mapping[str, Any]]


class PromotionRepository:
    """Keeps promotions.

    Parameters
    ----------
    engine : Engine
        A migrated database.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def add(self, done: Promotion) -> None:
        """Keep a promotion.

        Raises
        ------
        ValueError
            If nobody asked for it, or it was forced without a reason.
        DatabaseError
            If the database does not take it.
        """
        if not done.by.strip():
            raise ValueError("by must name who asks, was empty")
        if done.forced and not done.why.strip():
            raise ValueError("why must give the reason of a forced promotion, was empty")
        row = {
            "promoted_at": done.at, "target": done.target, "weights": dict(done.weights),
            "by": done.by[:64], "why": done.why[:500], "forced": done.forced,
            "dataset": done.dataset, "guards": [dict(guard) for guard in done.guards],
        }  # fmt: skip
        try:
            with self._engine.begin() as connection:
                connection.execute(sa.insert(promotion), [row])
        except sa.exc.SQLAlchemyError as error:
            raise failure(error, "promotion must be kept, was not") from error

    def read(self, limit: int = 100) -> tuple[Promotion, ...]:
        """Return the newest promotions, newest first.

        Raises
        ------
        ValueError
            If the limit is not in 1..`MOST_READ`.
        DatabaseError
            If the database cannot be read.
        """
        if not 1 <= limit <= MOST_READ:
            raise ValueError(f"limit must be in 1..{MOST_READ}, was {limit}")
        c = promotion.c
        columns = (c.promoted_at, c.target, c.weights, c.by, c.why, c.forced, c.dataset, c.guards)
        wanted = sa.select(*columns).order_by(c.id.desc()).limit(limit)
        with told("promotions must be readable, were not"), self._engine.connect() as connection:
            return tuple(Promotion(*row) for row in connection.execute(wanted))

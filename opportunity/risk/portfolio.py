"""What the risk room reads of an account, whoever keeps it."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from opportunity.risk.held import Held
from opportunity.risk.returns import Returns


class PositionLike(Protocol):
    """A position at its mark."""

    @property
    def symbol(self) -> str:
        """Unified symbol."""

    @property
    def side(self) -> int:
        """1 long, -1 short."""

    @property
    def quantity(self) -> float:
        """Units held, > 0."""

    @property
    def mark(self) -> float:
        """Newest close."""


class BreakerLike(Protocol):
    """A breaker and its state."""

    @property
    def name(self) -> str:
        """One of `trading.records.BREAKERS`."""

    @property
    def state(self) -> str:
        """CLOSED, OPEN or HALF_OPEN."""


class PortfolioLike(Protocol):
    """An account, such as `live.portfolio.PortfolioState`."""

    @property
    def equity(self) -> float:
        """Cash and what is held, quote currency."""

    @property
    def drawdown(self) -> float:
        """Fraction of the peak that is lost, positive."""

    @property
    def day_pnl_pct(self) -> float:
        """Since midnight UTC, as a fraction of the equity then."""

    @property
    def can_trade(self) -> bool:
        """Whether entries are let through."""

    @property
    def positions(self) -> Sequence[PositionLike]:
        """What is held."""

    @property
    def breakers(self) -> Sequence[BreakerLike]:
        """All of them."""


def held_of(
    portfolio: PortfolioLike,
    returns: Returns | None = None,
    volumes: Mapping[str, float] | None = None,
    missing: Mapping[str, str] | None = None,
) -> Held:
    """Return what an account holds, with what is known of its markets.

    Parameters
    ----------
    portfolio : PortfolioLike
    returns : Returns, optional
        Simple returns of every symbol held, maybe of others.
    volumes : mapping, optional
        24 h volume in quote currency by symbol.
    missing : mapping, optional
        Why a symbol has no returns.
    """
    rows, known = portfolio.positions, volumes or {}
    return Held(
        tuple(row.symbol for row in rows),
        np.array([row.side * row.quantity * row.mark for row in rows], np.float64),
        portfolio.equity,
        np.array([known.get(row.symbol, np.nan) for row in rows], np.float64),
        returns,
        dict(missing or {}),
    )

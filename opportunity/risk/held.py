"""What is held, as plain arrays: the one input of every portfolio risk."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from opportunity.market.bars import FloatArray
from opportunity.risk.returns import Returns


@dataclass(frozen=True, slots=True, eq=False)  # arrays have no single truth value to compare by
class Held:
    """Positions at their marks, and what is known of their markets.

    Parameters
    ----------
    symbols : tuple of str
        One a position.
    notionals : ndarray of shape (n_positions,)
        Quantity times mark, negative for a short, quote currency.
    equity : float
        Of the account, quote currency.
    volumes : ndarray of shape (n_positions,)
        24 h volume, quote currency; NaN where unknown.
    returns : Returns, optional
        Simple returns of every symbol held, maybe of others; None where there are not enough.
    missing : dict
        Why a symbol has no returns, by symbol.

    Raises
    ------
    ValueError
        If the lengths differ, or a notional or the equity is not finite.
    """

    symbols: tuple[str, ...]
    notionals: FloatArray = field(repr=False)
    equity: float
    volumes: FloatArray = field(repr=False)
    returns: Returns | None = None
    missing: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(self.symbols)
        if self.notionals.shape != (n,) or self.volumes.shape != (n,):
            raise ValueError(
                f"notionals and volumes must be of shape ({n},), "
                f"were {self.notionals.shape} and {self.volumes.shape}"
            )
        if not (np.isfinite(self.notionals).all() and np.isfinite(self.equity)):
            raise ValueError("notionals and equity must be finite, were not all")

    @property
    def gross(self) -> float:
        """Notional of all positions."""
        return float(np.abs(self.notionals).sum())

    @property
    def net(self) -> float:
        """Longs minus shorts."""
        return float(self.notionals.sum())

    @property
    def leverage(self) -> float:
        """Gross by equity; infinite when something is held and the equity is gone."""
        if self.gross == 0.0:
            return 0.0
        return self.gross / self.equity if self.equity > 0.0 else float("inf")

    @property
    def known(self) -> bool:
        """Whether every position has returns; true when nothing is held."""
        if not self.symbols:
            return True
        return self.returns is not None and set(self.symbols) <= set(self.returns.symbols)

    def moves(self) -> FloatArray:
        """Return the simple returns of what is held, shape (n_rows, n_positions).

        Raises
        ------
        ValueError
            If they are not `known`.
        """
        if self.returns is None or not self.known:
            told = "; ".join(f"{s}: {why}" for s, why in self.missing.items()) or "no returns"
            raise ValueError(f"returns of every position must be known, were not: {told}")
        return self.returns.pick(self.symbols)

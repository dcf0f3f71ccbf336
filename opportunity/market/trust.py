"""How far the data of a stream can be trusted: what is wrong with it, and what that costs.

Of each stream one fact is kept for each of `FACTORS`, 0 where nothing is wrong. A fact makes a
factor in [0, 1]; the trust is their product. docs/trust.md has the reasons.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from opportunity.kernels import kernel
from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import TimeArray

FACTORS: Final = (
    "age",
    "gaps",
    "mismatch",
    "revisions",
    "volume",
    "price",
    "clock",
    "listing",
)
"""What trust is made of. The fact of each: bars overdue; share of the constituents missing lately
(1: missing right now); shares of the bars where stream and exchange differ, and that changed after
they had closed; bars without volume in a row; 1 for a price that is not confirmed; ms by which the
clocks differ; 1 for a market that has ended."""

N_FACTORS: Final = len(FACTORS)
AGE, GAPS, MISMATCH, REVISIONS, VOLUME, PRICE, CLOCK, LISTING = range(N_FACTORS)

MISSING_NOW: Final = 1.0
"""Fact of `gaps` while bars are being asked for. A share is smaller: a bar has a constituent."""

PUNCTUAL: Final = 1.0
"""Bars by which a stream may be overdue; one bar more, and nothing is left."""

STEEPNESS: Final = 5.0
"""What a share costs: a fifth of the bars wrong, and nothing is left."""

NEGLIGIBLE: Final = 0.005
"""Share of missing constituents that costs nothing: one minute in three hours."""

FLAT_BARS: Final = 3
FLAT: Final = 0.4
"""What this many bars in a row without volume leave: less than any entry asks for."""

SKEW_MS: Final = 1_000
FAR_SKEW_MS: Final = 5_000
SKEWED: Final = 0.8
"""What is left when the clocks differ by more than `SKEW_MS`; beyond `FAR_SKEW_MS` nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Faults:
    """What a feed knows to be wrong with its symbols now; arrays of shape (n_symbols,).

    Parameters
    ----------
    overdue : ndarray
        Base bars by which the newest final bar is overdue, >= 0; 0 while in time.
    missing : ndarray
        Share of the last 100 base bars that neither came nor were confirmed empty, [0, 1].
    pending : ndarray of bool
        Bars are missing right now and are being asked for.
    mismatch : ndarray
        Share of the compared bars among the last 100 where stream and REST differ, [0, 1].
    revised : ndarray
        Share of the last 100 bars that were changed after they were given, [0, 1].
    suspicious : ndarray of bool
        The newest price jumped, or disagrees with another source, and is not confirmed.
    ended : ndarray of bool
        Not traded any more, or halted.
    skew_ms : int
        The exchange's clock minus this machine's, ms; 0 where time is not wall time.
    """

    overdue: FloatArray
    missing: FloatArray
    pending: NDArray[np.bool_]
    mismatch: FloatArray
    revised: FloatArray
    suspicious: NDArray[np.bool_]
    ended: NDArray[np.bool_]
    skew_ms: int = 0

    def take(self, symbols: Sequence[str], known: Sequence[str]) -> "Faults":
        """Return the faults of some symbols; nothing is wrong with one that is not known.

        Parameters
        ----------
        symbols : sequence of str
            Whose, in this order.
        known : sequence of str
            What the rows stand for now.
        """
        where = {name: i for i, name in enumerate(known)}
        rows = np.array([where.get(name, -1) for name in symbols], np.int64)

        def of(values: NDArray[Any]) -> NDArray[Any]:
            nothing = np.zeros(rows.size, values.dtype)
            there = rows >= 0
            nothing[there] = values[rows[there]]
            return nothing

        return Faults(
            of(self.overdue),
            of(self.missing),
            of(self.pending),
            of(self.mismatch),
            of(self.revised),
            of(self.suspicious),
            of(self.ended),
            self.skew_ms,
        )


def of_the_past(faults: Faults | None) -> Faults | None:
    """Return faults as they were while history was made: what it lacks never existed.

    None, for a feed that knows no faults, stays None. Bars that fall due while a long history is
    read are missing now; that says nothing about the holes in it.
    """
    if faults is None:
        return None
    return replace(
        faults,
        pending=np.zeros_like(faults.pending),
        missing=np.zeros_like(np.asarray(faults.missing, np.float64)),
    )


def overdue(closed: TimeArray, lengths: NDArray[np.int64], time: TimeArray | int) -> FloatArray:
    """Return by how many bars each stream is overdue, >= 0; an empty one is not.

    Parameters
    ----------
    closed : ndarray of int64, shape (n_symbols, n_timeframes)
        Closing time of the newest bar, 0 where there is none.
    lengths : ndarray of int64, shape (n_timeframes,)
        Lengths of the bars, ms.
    time : int or ndarray of int64, shape (n_symbols, 1)
        As of when, ms UTC.
    """
    bars = (time - closed) / lengths - 1.0
    return np.where(closed > 0, np.maximum(bars, 0.0), 0.0)


def blame(
    facts: FloatArray,
    faults: Faults,
    base_ms: int,
    lengths: NDArray[np.int64],
    closed: TimeArray,
    reached: TimeArray,
) -> None:
    """Add what a feed knows of its symbols to the facts of their streams.

    Parameters
    ----------
    facts : ndarray of shape (n_symbols, n_timeframes, n_factors)
        Changed in place; those of one stream never become better.
    faults : Faults
        Of the same symbols.
    base_ms : int
        Length of the feed's bars.
    lengths : ndarray of int64, shape (n_timeframes,)
        Lengths of the streams' bars, ms.
    closed : ndarray of int64, shape (n_symbols, n_timeframes)
        Closing time of the newest bar of each stream, 0 where there is none.
    reached : ndarray of int64, shape (n_symbols,)
        Closing time of the newest base bar of each symbol.
    """
    late = np.asarray(faults.overdue, np.float64)
    # The feed's time now: streams know only of bars that came, and may all stand still together.
    now = np.where(late > 0, reached + (base_ms * (1.0 + late)), 0.0)
    age, gaps = facts[..., AGE], facts[..., GAPS]
    np.maximum(age, overdue(closed, lengths, now[:, None]), out=age)
    share = faults.missing[:, None] * np.minimum(1.0, base_ms / lengths)
    np.maximum(gaps, share, out=gaps)
    gaps[faults.pending] = MISSING_NOW
    for place, values in (
        (MISMATCH, faults.mismatch),
        (REVISIONS, faults.revised),
        (PRICE, faults.suspicious),
        (LISTING, faults.ended),
    ):
        facts[..., place] = np.maximum(facts[..., place], values[:, None])
    facts[..., CLOCK] = np.maximum(facts[..., CLOCK], abs(faults.skew_ms))


def weigh(facts: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the factors of facts, and the trust: the product of each stream's.

    Parameters
    ----------
    facts : ndarray of shape (..., n_factors)
        What is wrong, by `FACTORS`. NaN counts as the worst.

    Returns
    -------
    factors : ndarray of shape (..., n_factors)
        In [0, 1].
    trust : ndarray of shape (...)
        In [0, 1]; exactly 1 where nothing is wrong.

    Notes
    -----
    One compiled pass, about 10 ns a stream.
    """
    shape = facts.shape[:-1]
    rows = np.ascontiguousarray(facts, np.float64).reshape(-1, N_FACTORS)
    factors, trust = np.empty(rows.shape), np.empty(len(rows))
    weigh_rows(rows, factors, trust)
    return factors.reshape(*shape, N_FACTORS), trust.reshape(shape)


@kernel
def weigh_rows(facts: Any, factors: Any, trust: Any) -> None:
    """Fill the factors (n_rows, n_factors) and their products (n_rows,)."""
    for k in range(trust.size):
        for i in range(N_FACTORS):
            x = facts[k, i]
            f = 1.0
            if i == AGE:
                if not x <= PUNCTUAL:
                    f = PUNCTUAL + 1.0 - x
            elif i == GAPS:
                f = 1.0 - STEEPNESS * (x - NEGLIGIBLE)
                if x >= MISSING_NOW:
                    f = 0.0
            elif i in (MISMATCH, REVISIONS):
                f = 1.0 - STEEPNESS * x
            elif i == VOLUME:
                if not x < FLAT_BARS:
                    f = FLAT
            elif i == CLOCK:
                if not x <= SKEW_MS:
                    f = SKEWED if x <= FAR_SKEW_MS else 0.0
            elif x != 0.0:
                f = 0.0
            factors[k, i] = min(1.0, f) if f > 0.0 else 0.0
        product = 1.0
        for i in range(N_FACTORS):
            product *= factors[k, i]
        trust[k] = product

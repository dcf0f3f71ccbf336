"""The trust in the data of a symbol, and why it is low, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from opportunity.market.bars import FloatArray
from opportunity.market.trust import (
    AGE,
    CLOCK,
    GAPS,
    LISTING,
    MISMATCH,
    MISSING_NOW,
    PRICE,
    REVISIONS,
    VOLUME,
    weigh,
)

MIN_TRUST: Final = 0.5
"""Least trust of a symbol: below it more than half of what is known of its bars is in doubt."""


_WORDS: Final = {
    AGE: "the next of the {bars} is {fact:.1f} bars overdue",
    GAPS: "{share} of the {bars} missing lately",
    MISMATCH: "stream and exchange disagree on {share} of the bars",
    REVISIONS: "{share} of the bars changed after they had closed",
    VOLUME: "no volume in the last {fact:.0f} {bars}",
    PRICE: "the newest price is not confirmed",
    CLOCK: "the clocks differ by {seconds:.1f} s",
    LISTING: "not traded any more, or halted",
}


@dataclass(frozen=True, slots=True)
class TrustSummary:
    """The trust in a whole market; NaN while nothing is scored.

    Parameters
    ----------
    lowest, median : float
        Of the symbols that scored, [0, 1].
    n_vetoed, n_symbols : int
        Symbols that scored and are not ranked for lack of trust; all that scored.
    """

    lowest: float
    median: float
    n_vetoed: int
    n_symbols: int


def summarise(trust: FloatArray, least: float) -> TrustSummary:
    """Sum up the trust of symbols, NaN where nothing scored, of which `least` is asked."""
    known = trust[~np.isnan(trust)]
    if not known.size:
        return TrustSummary(float("nan"), float("nan"), 0, 0)
    vetoed = int((known < least).sum())
    return TrustSummary(float(known.min()), float(np.median(known)), vetoed, known.size)


def symbol_trust(trust: FloatArray, net: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the mean trust of each symbol over the timeframes that scored, by their weight.

    Parameters
    ----------
    trust, net : ndarray of shape (n_symbols, n_timeframes)
        Trust of the streams, and their scores: NaN where there is none.
    weights : ndarray of shape (n_timeframes,)
        Across timeframes, not normalised.

    Returns
    -------
    ndarray of shape (n_symbols,)
        [0, 1], NaN where nothing scored.
    """
    scored = np.where(np.isnan(net), 0.0, weights)
    total = scored.sum(axis=1)
    mean: FloatArray = (scored * trust).sum(axis=1) / np.where(total > 0, total, np.nan)
    return mean


def trust_note(facts: FloatArray, timeframe: str = "") -> str:
    """Say in one line what is wrong with a stream; empty where nothing is.

    Parameters
    ----------
    facts : ndarray of shape (n_factors,)
        What is wrong, by `FACTORS`.
    timeframe : str, optional
        Named with what is wrong with its bars alone.
    """
    return symbol_note(facts[None], (timeframe,), np.ones(1, np.bool_))


def symbol_note(facts: FloatArray, timeframes: Sequence[str], scored: NDArray[np.bool_]) -> str:
    """Say in one line what is wrong with the streams of a symbol: the worst of each kind.

    Parameters
    ----------
    facts : ndarray of shape (n_timeframes, n_factors)
    timeframes : sequence of str
    scored : ndarray of bool, shape (n_timeframes,)
        Which timeframes count.
    """
    if not scored.any():
        return ""
    factors, _ = weigh(facts[scored])
    lowest = factors.min(axis=0).tolist()
    worst = factors.argmin(axis=0).tolist()
    names = [name for name, counts in zip(timeframes, scored.tolist(), strict=True) if counts]
    return "; ".join(
        _phrase(i, float(facts[scored][worst[i], i]), names[worst[i]])
        for i, factor in enumerate(lowest) if factor < 1.0
    )


def _phrase(factor: int, fact: float, timeframe: str) -> str:
    if factor == GAPS and fact >= MISSING_NOW:
        return "bars are missing and being asked for"
    bars = f"{timeframe} bars" if timeframe else "bars"
    return _WORDS[factor].format(bars=bars, fact=fact, share=_percent(fact), seconds=fact / 1000)


def _percent(share: float) -> str:
    return f"{100 * share:.{0 if share >= 0.01 else 1}f} %"

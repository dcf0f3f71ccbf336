"""The fast half of a sweep's scoring: which decisions of a vector ask for an entry, nearly always.

The sums behind a score do not depend on one another's order by more than rounding, so they are
made in single precision over sixteen decisions at once: of each detector the confidence c, c h and
c h h are laid out beforehand, h being the gated score. A decision whose sums lie so near a
threshold that rounding could matter is left in `DOUBT`, for the exact arithmetic of the engine.

Bounds of the rounding, with u = 2**-24: every stored number is off by at most u of itself, a sum
of nine products by 12 u of its mass. So net is off by less than 25 u and the variance by less than
80 u, both of numbers in [-1, 1]; `NEAR` and `NEAR_VARIANCE` are more than twice that.
"""

from typing import Any, Final

import numpy as np

from opportunity.kernels import kernel
from opportunity.scoring.combination import BULLISH_FROM, PENALTY

LANES: Final = 16
"""Decisions side by side in a group."""

CONFIDENCE_PART, NET_PART, SQUARE_PART = 0, 9, 18
"""First columns of c, c h and c h h in a group."""

DOUBT: Final = 2
"""Code of a decision that is too near a threshold to be told without exact arithmetic."""

NEAR: Final = np.float32(4e-6)
NEAR_VARIANCE: Final = np.float32(2e-5)
SMALL_SPREAD: Final = np.float32(0.05)
NEAR_SMALL: Final = np.float32(4e-3)
NEAR_SPREAD: Final = np.float32(2e-4)
"""Bound on the error of a disagreement above `SMALL_SPREAD`; the one before: of any other."""

NEAR_SUM: Final = np.float32(1e-5)
NEAR_MEAN: Final = np.float32(1e-5)

TINY: Final = np.float32(1e-30)
ONE: Final = np.float32(1.0)
TWO: Final = np.float32(2.0)
ZERO: Final = np.float32(0.0)
RISING, FALLING, NOTHING, UNSURE = np.int32(1), np.int32(-1), np.int32(0), np.int32(DOUBT)
HALF: Final = np.float32(PENALTY)
SIDED: Final = np.float32(2.0 * BULLISH_FROM - 1.0)
"""Least |net| of a timeframe with a side."""


@kernel
def screen(groups: Any, w: Any, least: Any, widest: Any, needs: Any, codes: Any) -> None:
    """Code the decisions of one timeframe.

    Parameters
    ----------
    groups : float32 (n_groups, 27, 16)
        c, c h and c h h of each detector, 0 where unavailable.
    w : float32 (9,)
        Weights over the sum of those that exist.
    least, widest : float32
        Least |net|, and the most variance that any entry may have.
    needs : float32 (16 n_groups,)
        2 x least confidence / trust; inf where nothing can be entered.
    codes : int8 (16 n_groups,)
        Filled with +1, -1, 0 or `DOUBT`.

    Notes
    -----
    Choices instead of `min`, `max` and arithmetic with flags: the compiler makes vectors of them.
    No division by a spread: confidence = m (1 - d / 2) >= k is d <= 2 - 2 k / m, and so a bound on
    the variance, its sign kept.
    """
    w0, w1, w2, w3, w4, w5, w6, w7, w8 = w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8]
    low, high = least - NEAR, least + NEAR
    for g in range(groups.shape[0]):
        k = groups[g]
        for r in range(LANES):
            mass = (
                w0 * k[0, r] + w1 * k[1, r] + w2 * k[2, r] + w3 * k[3, r] + w4 * k[4, r]
                + w5 * k[5, r] + w6 * k[6, r] + w7 * k[7, r] + w8 * k[8, r]
            )
            first = (
                w0 * k[9, r] + w1 * k[10, r] + w2 * k[11, r] + w3 * k[12, r] + w4 * k[13, r]
                + w5 * k[14, r] + w6 * k[15, r] + w7 * k[16, r] + w8 * k[17, r]
            )
            second = (
                w0 * k[18, r] + w1 * k[19, r] + w2 * k[20, r] + w3 * k[21, r] + w4 * k[22, r]
                + w5 * k[23, r] + w6 * k[24, r] + w7 * k[25, r] + w8 * k[26, r]
            )
            per = ONE / (mass if mass > TINY else TINY)
            net = first * per
            variance = second * per - net * net
            room = TWO - needs[g * LANES + r] * per
            bound = room * abs(room)
            bound = bound if bound < widest else widest
            strength = abs(net)
            maybe = (strength >= low) & (variance <= bound + NEAR_VARIANCE)
            sure = (strength >= high) & (variance <= bound - NEAR_VARIANCE)
            side = RISING if net > ZERO else FALLING
            code = UNSURE if maybe else NOTHING
            codes[g * LANES + r] = side if sure else code


@kernel
def sums(groups: Any, w: Any, net: Any, confidence: Any, spread: Any) -> None:
    """Score the rows of one timeframe among several.

    Parameters
    ----------
    groups, w
        As in `screen`.
    net, confidence, spread : float32 (16 n_groups,)
        Filled; the spread is the disagreement.
    """
    w0, w1, w2, w3, w4, w5, w6, w7, w8 = w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8]
    for g in range(groups.shape[0]):
        k = groups[g]
        for r in range(LANES):
            mass = (
                w0 * k[0, r] + w1 * k[1, r] + w2 * k[2, r] + w3 * k[3, r] + w4 * k[4, r]
                + w5 * k[5, r] + w6 * k[6, r] + w7 * k[7, r] + w8 * k[8, r]
            )
            first = (
                w0 * k[9, r] + w1 * k[10, r] + w2 * k[11, r] + w3 * k[12, r] + w4 * k[13, r]
                + w5 * k[14, r] + w6 * k[15, r] + w7 * k[16, r] + w8 * k[17, r]
            )
            second = (
                w0 * k[18, r] + w1 * k[19, r] + w2 * k[20, r] + w3 * k[21, r] + w4 * k[22, r]
                + w5 * k[23, r] + w6 * k[24, r] + w7 * k[25, r] + w8 * k[26, r]
            )
            per = ONE / (mass if mass > TINY else TINY)
            mean = first * per
            variance = second * per - mean * mean
            away = np.sqrt(variance if variance > ZERO else ZERO)
            i = g * LANES + r
            net[i] = mean
            spread[i] = away
            confidence[i] = mass * (ONE - HALF * away)


@kernel
def clear(net: Any, confidence: Any, spread: Any, doubt: Any) -> None:
    """Set the means over timeframes to nothing."""
    net[:] = ZERO
    confidence[:] = ZERO
    spread[:] = ZERO
    doubt[:] = ZERO


@kernel
def gather(
    rows: Any, shares: Any, trusted: Any, parts: Any, means: Any, sided: Any
) -> None:
    """Add one timeframe to the means of the decisions that read it.

    Parameters
    ----------
    rows : int32 (n,)
        Which row each decision reads; any where the share is 0.
    shares, trusted : float32 (n,)
        Weight of the timeframe among those that scored, and that times the trust.
    parts : tuple of float32 arrays
        As `sums` fills them.
    means : tuple of float32 (n,)
        Net, confidence, spread and the bound of its error; added to.
    sided : tuple of float32 (n,)
        Sums of the shares by side and in all, and of those whose side is in doubt; added to.
    """
    nets, confidences, spreads = parts
    net, confidence, spread, slack = means
    lean, known, doubt = sided
    for i in range(rows.size):
        r = rows[i]
        share = shares[i]
        x = nets[r]
        s = spreads[r]
        net[i] += share * x
        confidence[i] += trusted[i] * confidences[r]
        spread[i] += share * s
        slack[i] += share * (NEAR_SMALL if s < SMALL_SPREAD else NEAR_SPREAD)
        sided_share = share if abs(x) >= SIDED else ZERO
        lean[i] += sided_share if x > ZERO else -sided_share
        known[i] += sided_share
        doubt[i] += share if abs(abs(x) - SIDED) <= NEAR else ZERO


@kernel
def judge_means(least: Any, asked: Any, widest: Any, means: Any, sided: Any, codes: Any) -> None:
    """Code decisions from the means over timeframes.

    Parameters
    ----------
    least, asked, widest : float32
        Least |net| along the side, least confidence, most disagreement.
    means, sided : tuples
        As `gather` fills them.
    codes : int8 (n,)
        Filled; where nothing scored, the least net is never reached.
    """
    net, confidence, spread, slack = means
    lean, known, doubt = sided
    for i in range(codes.size):
        side = RISING if lean[i] > ZERO else FALLING
        along = net[i] if lean[i] > ZERO else -net[i]
        away = slack[i]
        tied = (abs(lean[i]) <= NEAR_SUM) & (known[i] > ZERO)
        open_ = tied | (doubt[i] > ZERO)
        strong = net[i] * net[i] >= (least - NEAR_MEAN) * abs(least - NEAR_MEAN)
        maybe = (
            (confidence[i] >= asked - away - NEAR_MEAN) & (spread[i] <= widest + away)
        )
        sure = (
            (along >= least + NEAR_MEAN)
            & (confidence[i] >= asked + away + NEAR_MEAN)
            & (spread[i] <= widest - away) & (known[i] > ZERO)
        )
        leaning = (known[i] > ZERO) & (along >= least - NEAR_MEAN)
        code = UNSURE if ((open_ & strong) | leaning) & maybe else NOTHING
        code = side if sure else code
        codes[i] = UNSURE if open_ & (code != NOTHING) else code

"""What prints, books and transfers say of a bar: five inputs, each with a value and a freshness."""

from typing import Any, Final

import numpy as np

from opportunity.detectors.deviations import RANKS, push, rank, whole, window, z_score
from opportunity.detectors.evidence import WEAKEST as SILENT
from opportunity.detectors.whale_marks import (
    BURST,
    TOXIC,
    follow_spell,
    mark_prints,
    mark_transfer,
)
from opportunity.detectors.whales_inputs import COLUMNS
from opportunity.kernels import kernel

(
    BUY, SELL, LARGE_BUY, LARGE_SELL, LARGEST, PRICE, VPIN, OFI, OFI_DEEP, IMBALANCE,
    TRANSFER, TRANSFER_LEFT, PIN_SIDE, PIN_AMOUNT, PIN_QUALITY,
) = range(len(COLUMNS))  # fmt: skip

N_INPUTS: Final = 5
LARGE, AGGRESSOR, BOOK_FLOW, BOOK_DEPTH, CHAIN = range(N_INPUTS)
WEIGHTS: Final = (0.35, 0.25, 0.20, 0.10, 0.15)

ITEM_WEIGHT: Final = 0.5
"""Strength of one bar whose large prints are all on one side and a third of its volume.

Large prints come on most bars of a busy market; with 1 two of them would already saturate.
"""

N_ITEMS: Final = 12
"""Bars with large prints that count at a time; a thirteenth takes the place of the weakest."""

N_BARS: Final = 24
FULL_Z: Final = 3.0
BURST_Z: Final = 2.0
CALM_Z: Final = 1.0
SHOWN: Final = 0.5
"""Quality from which large prints are shown on a chart."""

PINNED: Final = 1.0 / 3.0
TOXIC_RANK: Final = 0.95
CALM_RANK: Final = 0.8
WEAKEST: Final = 1.0 / 16.0
"""Freshness below which an input is silent."""

SHARE_UNIT: Final = 1.0 / 32_767
DEPTH_UNIT: Final = 1.0 / 16

SPELL: Final = np.dtype([("active", "i1"), ("side", "i1"), ("serial", "i4")], align=True)
FLOW: Final = np.dtype(
    [
        ("seen", "i8"),  # a bit for each input that ever spoke; transfers come and go
        ("count", "i8"),  # bars with prints
        ("net", "f8"),  # of the last 24 of them: bought less sold, and both
        ("volume", "f8"),
        ("z", "f8"),  # of net / volume
        ("vpin_rank", "f8"),
        ("fade", "f8"),  # what a bar leaves of the strength of large prints
        ("items", "f8", (N_ITEMS,)),  # their strengths, by sign; 0 is a free place
        ("value", "f8", (N_INPUTS,)),  # [-1, 1]
        ("left", "f8", (N_INPUTS,)),  # freshness, [0, 1]
        ("burst", SPELL),
        ("toxic", SPELL),
        ("ring", "f4", (N_BARS, 2)),
        ("shares", window(500)),  # net / volume
        ("depths", window(200)),  # OFI
        ("vpins", RANKS),
    ],
    align=True,
)
"""State of one stream; all bytes zero when fresh."""


@kernel
def _fade(f: Any, i: Any) -> None:
    """Make an input that has nothing new a bar older."""
    left = 0.5 * f.left[i]
    f.left[i] = left if left >= WEAKEST else 0.0


@kernel
def _speak(f: Any, i: Any, value: Any, left: Any) -> None:
    f.value[i] = value
    f.left[i] = left
    f.seen |= 1 << i


@kernel
def _clip(x: Any) -> Any:
    return min(max(x, -1.0), 1.0)


@kernel
def fade_items(f: Any, half_life: Any) -> None:
    """Make the evidence of large prints a bar older, and drop what became too weak."""
    if f.fade == 0.0:
        f.fade = np.exp2(-1.0 / half_life)
    for i in range(N_ITEMS):
        p = f.items[i] * f.fade
        f.items[i] = p if abs(p) >= SILENT else 0.0


@kernel
def put_item(f: Any, p: Any) -> None:
    """Take evidence of strength |p| in place of the weakest, if it is not weaker itself."""
    weakest = 0
    least = np.inf
    for i in range(N_ITEMS):
        size = abs(f.items[i])
        weakest = i if size < least else weakest
        least = min(size, least)
    if abs(p) >= max(least, SILENT):
        f.items[weakest] = p


@kernel
def sum_items(f: Any) -> Any:
    """Return the noisy-or of the bullish evidence less that of the bearish.

    One kind of evidence with one half-life needs no more than its strength: a short form of
    `evidence.combine`, as which it gives the same number.
    """
    calm_up = 1.0
    calm_down = 1.0
    for i in range(N_ITEMS):
        calm_up *= 1.0 - max(f.items[i], 0.0)
        calm_down *= 1.0 - max(-f.items[i], 0.0)
    return calm_down - calm_up


@kernel
def _take_large(state: Any, params: Any, obs: Any, v: Any, left: Any, t: Any) -> None:
    """Make evidence of the bar's large prints."""
    f = state.flow
    if np.isnan(obs[LARGE_BUY]):
        _fade(f, LARGE)
        return
    large = obs[LARGE_BUY] + obs[LARGE_SELL]
    if large > 0.0:
        net = (obs[LARGE_BUY] - obs[LARGE_SELL]) / large
        share = large / max(v, obs[BUY] + obs[SELL])
        p = net * min(share / params.full_share, 1.0)
        put_item(f, ITEM_WEIGHT * p)
        if abs(p) >= SHOWN:
            side = 1 if net > 0.0 else -1
            most = max(obs[LARGE_BUY], obs[LARGE_SELL]) / large
            mark_prints(state, side, share * most, abs(p), obs[PRICE], t)
    _speak(f, LARGE, sum_items(f), left)


@kernel
def _take_aggressor(state: Any, obs: Any, left: Any, c: Any, t: Any) -> None:
    f = state.flow
    row = f.ring[f.count % N_BARS]
    net = np.float32(obs[BUY] - obs[SELL])
    volume = np.float32(obs[BUY] + obs[SELL])
    f.net += np.float64(net) - np.float64(row[0])
    f.volume += np.float64(volume) - np.float64(row[1])
    row[0] = net
    row[1] = volume
    f.count += 1
    if f.count % N_BARS == 0:  # what rounding left of a giant bar goes with it
        f.net = 0.0
        f.volume = 0.0
        for i in range(N_BARS):
            f.net += np.float64(f.ring[i, 0])
            f.volume += np.float64(f.ring[i, 1])
    share = whole(f.net / f.volume, SHARE_UNIT) if f.volume > 0.0 else 0
    f.z = z_score(f.shares, share)
    push(f.shares, share)
    if np.isnan(f.z):
        return
    _speak(f, AGGRESSOR, _clip(f.z / FULL_Z), left)
    side = 1 if f.z > 0.0 else -1
    quality = min(abs(f.z) / (2.0 * FULL_Z), 1.0)
    on = abs(f.z) >= BURST_Z
    off = f.z * f.burst.side < CALM_Z
    follow_spell(state, f.burst, BURST, side, on, off, abs(f.z), quality, c, t)


@kernel
def _take_vpin(state: Any, obs: Any, c: Any, t: Any) -> None:
    f = state.flow
    f.vpin_rank = np.nan
    if np.isnan(obs[VPIN]):
        return
    f.vpin_rank = rank(f.vpins, obs[VPIN])
    if not np.isnan(f.vpin_rank):
        on = f.vpin_rank >= TOXIC_RANK
        off = f.vpin_rank < CALM_RANK
        follow_spell(state, f.toxic, TOXIC, 0, on, off, obs[VPIN], f.vpin_rank, c, t)


@kernel
def take_prints(state: Any, params: Any, obs: Any, v: Any, c: Any, t: Any) -> None:
    """Take what was printed in the bar; prints that miss part of its volume count for less."""
    f = state.flow
    if np.isnan(obs[BUY]):
        f.vpin_rank = np.nan
        if f.left[LARGE] > 0.0:
            fade_items(f, params.half_life)
            f.value[LARGE] = sum_items(f)
        _fade(f, LARGE)
        _fade(f, AGGRESSOR)
        return
    fade_items(f, params.half_life)
    printed = obs[BUY] + obs[SELL]
    left = min(printed / v, 1.0) if v > 0.0 else 1.0
    _take_large(state, params, obs, v, left, t)
    _take_aggressor(state, obs, left, c, t)
    _take_vpin(state, obs, c, t)


@kernel
def take_books(state: Any, obs: Any) -> None:
    """Take what the books of the bar say; one bar without books halves what they said."""
    f = state.flow
    _fade(f, BOOK_FLOW)
    if not np.isnan(obs[OFI]):
        x = whole(0.5 * (obs[OFI] + obs[OFI_DEEP]), DEPTH_UNIT)
        z = z_score(f.depths, x)
        push(f.depths, x)
        if not np.isnan(z):
            _speak(f, BOOK_FLOW, _clip(z / FULL_Z), 1.0)
    if np.isnan(obs[IMBALANCE]):
        _fade(f, BOOK_DEPTH)
    else:
        _speak(f, BOOK_DEPTH, obs[IMBALANCE], 1.0)


@kernel
def take_transfers(state: Any, obs: Any, c: Any, t: Any) -> None:
    """Take the live transfers, and pin the largest that became known during the bar."""
    f = state.flow
    f.left[CHAIN] = 0.0
    if not np.isnan(obs[TRANSFER]):
        f.value[CHAIN] = obs[TRANSFER]
        f.left[CHAIN] = obs[TRANSFER_LEFT]
    if obs[PIN_QUALITY] >= PINNED:
        side = int(obs[PIN_SIDE])
        mark_transfer(state, side, obs[PIN_AMOUNT], obs[PIN_QUALITY], c, t)


@kernel
def weigh_inputs(state: Any) -> Any:
    """Return the weighted mean of the fresh inputs, and how many of the known ones are fresh.

    Returns
    -------
    score : float
        In [-1, 1].
    coverage : float
        Weight that is fresh over the weight of the inputs that ever spoke, [0, 1]; 0 when all
        are silent. A transfer is not missed when there is none.
    said : bool
        Whether any input is not exactly 0.
    """
    f = state.flow
    score = 0.0
    fresh = 0.0
    known = 0.0
    said = False
    for i in range(N_INPUTS):
        weight = WEIGHTS[i] * f.left[i]
        score += weight * f.value[i]
        fresh += weight
        said |= (weight > 0.0) & (f.value[i] != 0.0)
        known += weight if i == CHAIN else WEIGHTS[i] * ((f.seen >> i) & 1)
    if fresh <= 0.0:
        return 0.0, 0.0, False
    return score / fresh, fresh / known, said

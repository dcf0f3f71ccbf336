"""Evidence items: the short list of live patterns, zones and breaks behind a score.

Each item has a side, the weight of its kind, a quality in [0, 1] and a half-life in bars. Its
strength is `p = weight * quality * 2 ** (-age / half_life)`. Agreeing items add with
saturation, opposing ones cancel and cost confidence; both sides are treated alike, so exchanging
them negates the score bit for bit.

Source: the noisy-or of independent evidence (Pearl, *Probabilistic Reasoning in Intelligent
Systems*, 1988), once for each side.
"""

from typing import Any, Final

import numpy as np

from opportunity.kernels import kernel

WEAKEST: Final = 0.02
"""An item leaves the list when its strength falls below this."""

ITEM: Final = np.dtype(
    [
        # What every bar looks at comes first: it is one line of memory.
        ("side", "i1"),  # +1 bullish, -1 bearish
        ("alive", "i1"),
        ("kind", "i2"),
        ("age", "i4"),  # bars since it was placed
        ("p", "f8"),  # strength now
        ("left", "f8"),  # the product of `fade` over its age
        ("fade", "f8"),  # what a bar leaves of its strength, 2 ** (-1 / half-life)
        ("weight", "f8"),
        ("quality", "f8"),  # [0, 1]
        ("level", "f8"),  # price that invalidates it
        ("x", "f8"),  # for the detector's own use, as `top`
        ("top", "f8"),
        ("time", "i8"),
        ("born", "i4"),  # number of the bar on which it was placed
        ("serial", "i4"),  # the id that the item's events carry
    ],
    align=True,
)
"""One item; a state holds a fixed array of them, all bytes zero when fresh."""


@kernel
def _strength(item: Any) -> Any:
    return item.weight * item.quality * item.left


@kernel
def age_items(items: Any) -> None:
    """Make every living item one bar older and drop those that became too weak."""
    for i in range(items.size):
        item = items[i]
        item.age += 1
        item.left *= item.fade  # 0 for a dead item: asking first would cost more than it saves
        item.p = _strength(item)
        if (item.alive != 0) & (item.p < WEAKEST):
            drop(items, i)


@kernel
def place(
    items: Any,
    side: Any,
    weight: Any,
    quality: Any,
    half_life: Any,
    kind: Any,
    bar: Any,
    time: Any,
    serial: Any,
) -> Any:
    """Put a new item on the list; return its slot, or -1 if there was no room for it.

    With no free slot the weakest goes (of equals the oldest), which may be the new one itself.
    An item that starts below `WEAKEST` is not placed. `level`, `top` and `x` are NaN until the
    caller sets them. `half_life` is in bars; 0 does not decay.
    """
    p = weight * quality
    if p < WEAKEST:
        return -1
    slot = -1
    for i in range(items.size):
        if items[i].alive == 0:
            slot = i
            break
    if slot < 0:
        slot = 0
        for i in range(1, items.size):
            weaker = items[i].p < items[slot].p
            older = items[i].p == items[slot].p and items[i].born < items[slot].born
            if weaker or older:
                slot = i
        if p < items[slot].p:
            return -1
    item = items[slot]
    item.serial = serial
    item.kind = kind
    item.side = side
    item.alive = 1
    item.weight = weight
    item.quality = quality
    item.fade = np.exp2(-1.0 / half_life) if half_life > 0.0 else 1.0
    item.left = 1.0
    item.age = 0
    item.p = p
    item.level = np.nan
    item.top = np.nan
    item.born = bar
    item.time = time
    item.x = np.nan
    return slot


@kernel
def revalue(items: Any, i: Any, quality: Any) -> None:
    """Give an item another quality, keeping its age."""
    items[i].quality = quality
    items[i].p = _strength(items[i])
    if items[i].p < WEAKEST:
        drop(items, i)


@kernel
def drop(items: Any, i: Any) -> None:
    """Take an item off the list."""
    items[i].alive = 0
    items[i].left = 0.0
    items[i].p = 0.0


@kernel
def quieter(calm_up: Any, calm_down: Any, item: Any) -> Any:
    """Take an item into the chances that nothing argues up and that nothing argues down."""
    p = item.p  # 0 for a dead item, which leaves both as they are
    calm_up *= 1.0 - (p if item.side > 0 else 0.0)
    calm_down *= 1.0 - (p if item.side < 0 else 0.0)
    return calm_up, calm_down


@kernel
def weigh(calm_up: Any, calm_down: Any, c_max: Any) -> Any:
    """Return score and confidence of what `quieter` gathered; see `combine`."""
    up = 1.0 - calm_up
    down = 1.0 - calm_down
    more = max(up, down)
    if more <= 0.0:
        return 0.0, 0.0
    score = min(max(up - down, -1.0), 1.0)
    confidence = c_max * (1.0 - calm_up * calm_down) * (1.0 - 0.5 * (min(up, down) / more))
    return score, confidence


@kernel
def combine(items: Any, c_max: Any) -> Any:
    """Combine the living items into a score and a confidence.

    Parameters
    ----------
    items : array of ITEM
        Strengths `p` in [0, 1] as `age_items` and `place` left them.
    c_max : float
        The confidence that the method deserves at most, [0, 1].

    Returns
    -------
    score, confidence : float
        Score in [-1, 1]; confidence in [0, c_max]; both 0 without a living item.
    """
    calm_up = 1.0
    calm_down = 1.0
    for i in range(items.size):
        calm_up, calm_down = quieter(calm_up, calm_down, items[i])
    return weigh(calm_up, calm_down, c_max)

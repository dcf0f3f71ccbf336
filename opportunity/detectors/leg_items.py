"""The list of evidence of fibonacci: every leg owns two slots, its bounce and its extension.

Nothing is ever crowded out, and few slots are in use at a time: `live` has a bit for each that
is, so that a bar looks at no other.
"""

from typing import Any, Final

from opportunity.detectors.evidence import age_items, drop, place, quieter, weigh
from opportunity.detectors.legs import N_LEGS
from opportunity.kernels import kernel

N_ITEMS: Final = 2 * N_LEGS * 2


@kernel
def item_slot(j: Any, i: Any, which: Any) -> Any:
    """Return the item slot of leg `i` of scale `j`: `which` 0 its bounce, 1 its extension."""
    return (j * N_LEGS + i) * 2 + which


@kernel
def is_live(state: Any, slot: Any) -> Any:
    """Tell whether a slot holds evidence."""
    return (state.live >> slot) & 1 != 0


@kernel
def end_item(state: Any, slot: Any) -> None:
    """Empty a slot."""
    if is_live(state, slot):
        drop(state.items, slot)
        state.live ^= 1 << slot


@kernel
def put_item(
    state: Any, slot: Any, side: Any, weight: Any, quality: Any, half_life: Any, kind: Any,
    t: Any, serial: Any,
) -> None:  # fmt: skip
    """Replace what a slot holds by a new item; see `evidence.place`."""
    end_item(state, slot)
    own = state.items[slot : slot + 1]
    if place(own, side, weight, quality, half_life, kind, state.n - 1, t, serial) >= 0:
        state.live |= 1 << slot


@kernel
def age_live(state: Any) -> None:
    """Make every living item a bar older; see `evidence.age_items`."""
    for slot in range(N_ITEMS):
        if state.live >> slot == 0:
            return
        if is_live(state, slot):
            age_items(state.items[slot : slot + 1])
            if state.items[slot].alive == 0:
                state.live ^= 1 << slot


@kernel
def combine_live(state: Any, c_max: Any) -> Any:
    """Return score and confidence of the living items; see `evidence.combine`."""
    up = 1.0
    down = 1.0
    for slot in range(N_ITEMS):
        if state.live >> slot == 0:
            break
        if is_live(state, slot):
            up, down = quieter(up, down, state.items[slot])
    return weigh(up, down, c_max)

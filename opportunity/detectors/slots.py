"""The list of evidence of price action: slot 0 is the trend's, the others come and go.

Looking at all slots on every bar would cost more than most of what is in them, so the state
remembers in `used` how far the list is filled.
"""

from typing import Any, Final

from opportunity.detectors.evidence import age_items, combine, place
from opportunity.kernels import kernel

N_ITEMS: Final = 20
"""Live items, about 6 on an average bar."""


@kernel
def put(
    s: Any, side: Any, weight: Any, quality: Any, half_life: Any, kind: Any, n: Any, t: Any,
    serial: Any,
) -> Any:
    """Place an item as `evidence.place` does, but never in slot 0; return its slot or -1."""
    slot = place(s.items[1:], side, weight, quality, half_life, kind, n, t, serial)
    if slot < 0:
        return -1
    s.used = max(s.used, slot + 2)
    return slot + 1


@kernel
def age_slots(s: Any) -> None:
    """Make every item a bar older and forget the free slots at the end of the list."""
    used = max(s.used, 1)
    while used > 1 and s.items[used - 1].alive == 0:
        used -= 1
    s.used = used
    age_items(s.items[:used])


@kernel
def combine_slots(s: Any, c_max: Any) -> Any:
    """Return score and confidence of the list; see `evidence.combine`."""
    return combine(s.items[: s.used], c_max)

"""The states of an Elliott count: numbers, words, and what each of them means for price.

Points are written for a rise of their first leg: a falling count has its prices multiplied by
-1, so one text serves both sides. `LEANS` is the side of the score relative to that first leg.
"""

from typing import Final

from opportunity.detectors.events import Kind

(
    WAVE_3, WAVE_4, WAVE_5, IMPULSE, TRUNCATED, ENDING, LEADING,
    WAVE_B, WAVE_B_FLAT, WAVE_C, WAVE_C_FLAT, ZIGZAG, FLAT, EXPANDED, RUNNING,
    TRIANGLE, BARRIER, EXPANDING,
) = range(18)  # fmt: skip

FIVE: Final = ("0", "1", "2", "3", "4", "5")
THREE: Final = ("0", "A", "B", "C")
LEGS: Final = ("0", "a", "b", "c", "d", "e")

KINDS: Final = (
    Kind(
        "wave 3",
        "{side} wave 3, wave 2 took back {x:.2f} of wave 1, weight {quality:.2f} ({state})",
        FIVE[:3], badge="Elliott wave 3",
    ),
    Kind(
        "wave 4",
        "{side} count in wave 4, wave 3 {x:.2f} of wave 1, weight {quality:.2f} ({state})",
        FIVE[:4],
    ),
    Kind(
        "wave 5",
        "{side} wave 5, wave 4 took back {x:.2f} of wave 3, weight {quality:.2f} ({state})",
        FIVE[:5], badge="Elliott wave 5",
    ),
    Kind(
        "impulse",
        "{side} turn, five waves complete at {price:.8g}, weight {quality:.2f} ({state})",
        FIVE, badge="Elliott impulse",
    ),
    Kind(
        "truncated impulse",
        "{side} turn, fifth wave fell short at {price:.8g}, weight {quality:.2f} ({state})",
        FIVE, badge="Elliott truncation",
    ),
    Kind(
        "ending diagonal",
        "{side} turn, ending diagonal complete at {price:.8g}, weight {quality:.2f} ({state})",
        FIVE, badge="Ending diagonal",
    ),
    Kind(
        "leading diagonal",
        "{side} leading diagonal complete at {price:.8g}, weight {quality:.2f} ({state})",
        FIVE, badge="Leading diagonal",
    ),
    Kind(
        "wave B",
        "{side} correction in wave B, A {x:.2f} of the last wave, weight {quality:.2f} ({state})",
        THREE[:2],
    ),
    Kind(
        "wave B of a flat",
        "{side} correction in wave B beyond its start, weight {quality:.2f} ({state})",
        THREE[:2],
    ),
    Kind(
        "wave C", "{side} wave C of a zigzag, B {x:.2f} of A, weight {quality:.2f} ({state})",
        THREE[:3], badge="Elliott wave C",
    ),
    Kind(
        "wave C of a flat",
        "{side} wave C of a flat, B {x:.2f} of A, weight {quality:.2f} ({state})",
        THREE[:3], badge="Elliott wave C",
    ),
    Kind(
        "zigzag", "{side} turn, zigzag complete, C {x:.2f} of A, weight {quality:.2f} ({state})",
        THREE, badge="Zigzag",
    ),
    Kind(
        "flat",
        "{side} turn, regular flat complete, C {x:.2f} of A, weight {quality:.2f} ({state})",
        THREE, badge="Flat",
    ),
    Kind(
        "expanded flat",
        "{side} turn, expanded flat complete, C {x:.2f} of A, weight {quality:.2f} ({state})",
        THREE, badge="Flat",
    ),
    Kind(
        "running flat",
        "{side} turn, running flat complete, C {x:.2f} of A, weight {quality:.2f} ({state})",
        THREE, badge="Flat",
    ),
    Kind(
        "triangle",
        "{side} thrust from a triangle, e {x:.2f} of d, weight {quality:.2f} ({state})",
        LEGS, badge="Triangle",
    ),
    Kind(
        "barrier triangle",
        "{side} thrust from a barrier triangle, e {x:.2f} of d, weight {quality:.2f} ({state})",
        LEGS, badge="Triangle",
    ),
    Kind(
        "expanding triangle",
        "{side} thrust from an expanding triangle, e {x:.2f} of d, weight {quality:.2f} ({state})",
        LEGS, badge="Triangle",
    ),
)  # fmt: skip
"""Kinds in the order of the numbers above. `side` is that of the expected next move."""

MOTIVE, CORRECTIVE, THREE_CORNERED = range(3)
FAMILY: Final = (
    MOTIVE, MOTIVE, MOTIVE, MOTIVE, MOTIVE, MOTIVE, MOTIVE,
    CORRECTIVE, CORRECTIVE, CORRECTIVE, CORRECTIVE,
    CORRECTIVE, CORRECTIVE, CORRECTIVE, CORRECTIVE,
    THREE_CORNERED, THREE_CORNERED, THREE_CORNERED,
)  # fmt: skip
"""A count goes on as the same one when its family and its first pivot stay."""

N_KNOWN: Final = (3, 4, 5, 6, 6, 6, 6, 2, 2, 3, 3, 4, 4, 4, 4, 6, 6, 6)
"""Pivots that a count stands on; the newest is the last of them."""

LEANS: Final = (1, 1, 1, -1, -1, -1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1)

WORTH: Final = (
    0.6, 0.2, 0.5, 0.3, 0.3, 0.4, 0.2, 0.2, 0.2, 0.4, 0.4, 0.6, 0.6, 0.6, 0.6, 0.5, 0.5, 0.5,
)  # fmt: skip
"""What a count says at its best, before its weight; wave 3 rises to `BEYOND`."""

BEYOND: Final = 0.8

STOP_AT: Final = (0, 1, 1, 5, 5, 5, 0, 0, 0, 2, 2, 3, 3, 3, 3, 5, 5, 5)
"""The point beyond which a close ends the count."""

COMPLETE: Final = (
    False, False, False, True, True, True, True, False, False, False, False,
    True, True, True, True, True, True, True,
)  # fmt: skip
"""Nothing of the pattern is outstanding: what it says fades."""

HALF_LIFE: Final = 24.0

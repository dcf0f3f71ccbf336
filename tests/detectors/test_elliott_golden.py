"""Two charts drawn by hand on squared paper: one unit a bar, so that ATR is 1.

On such bars a pivot of the swing scale is known 3 bars after its extreme and one of the major
scale 6 bars after it; everything below was worked out from that with a pencil.
"""

from itertools import pairwise

import pytest
from builders import mirrored, path_bars

from opportunity.detectors.elliott import Elliott
from opportunity.market.bars import Bars

LEAD = 120
FIVE_THREE = (100, 80, 90, 84, 100, 94, 104, 96, 100, 92, 104)
"""Impulse from 80 to 104 (waves 10, 6, 16, 6, 10), zigzag back to 92 (8, 4, 8)."""
WEDGE = (100, 80, 92, 72, 86, 71, 81, 69, 90)
"""Ending diagonal from 92 down to 69 (waves 20, 14, 15, 10, 12)."""

IMPULSE_SWING = [
    (153, "wave 3", "forming", -1), (153, "wave C", "active", -1),
    (159, "wave 3", "expired", -1), (159, "wave C", "expired", -1),
    (159, "wave 3", "forming", 1), (159, "wave C", "active", 1),
    (163, "wave 3", "active", 1),  # 91, beyond wave 1
    (175, "wave 4", "active", 1), (175, "zigzag", "done", -1),  # C 1.6 of A
    (181, "wave 5", "active", 1), (181, "wave 3", "forming", 1),
    (185, "wave 3", "active", 1),
    (191, "impulse", "done", -1), (191, "wave 4", "active", 1),
    (193, "wave 4", "invalid", 1),  # 99, below 100
    (199, "wave B", "active", -1), (199, "wave 3", "forming", 1),
    (203, "wave 3", "expired", 1), (203, "wave 3", "forming", -1), (203, "wave C", "active", -1),
    (205, "wave 3", "active", -1),
    (211, "zigzag", "done", 1), (211, "wave 4", "active", -1),
    (213, "wave 4", "invalid", -1),
]  # fmt: skip
IMPULSE_MAJOR = [
    (156, "wave 3", "forming", -1), (156, "wave C", "active", -1),
    (162, "wave 3", "expired", -1), (162, "wave C", "expired", -1),
    (162, "wave 3", "forming", 1), (162, "wave C", "active", 1),
    (163, "wave 3", "active", 1),
    (178, "wave 4", "active", 1), (178, "zigzag", "done", -1),
    (184, "wave 5", "active", 1), (184, "wave 3", "forming", 1),
    (185, "wave 3", "active", 1),
    (194, "wave 3", "expired", 1), (194, "impulse", "done", -1),
    (214, "wave B", "active", -1), (214, "wave C of a flat", "active", 1),
]  # fmt: skip
WEDGE_SWING = [
    (155, "wave 3", "forming", -1), (155, "wave C", "active", -1),
    (165, "wave 3", "active", -1),
    (175, "zigzag", "done", 1), (175, "wave 4", "active", -1),
    (181, "wave 4", "invalid", -1),
    (189, "wave 3", "forming", -1), (189, "wave C", "active", -1),
    (201, "wave 3", "active", -1),
    (204, "wave 3", "expired", -1), (204, "zigzag", "done", 1),
    (204, "wave C of a flat", "active", 1),
    (214, "wave 3", "forming", -1), (214, "wave C", "active", -1),
    (214, "running flat", "done", -1),
    (222, "wave 3", "active", -1),
    (226, "wave 3", "expired", -1), (226, "ending diagonal", "done", 1),
    (226, "wave C of a flat", "active", 1), (226, "zigzag", "done", 1),
]  # fmt: skip
WEDGE_MAJOR = [
    (158, "wave 3", "forming", -1), (158, "wave C", "active", -1),
    (165, "wave 3", "active", -1),
    (178, "zigzag", "done", 1), (178, "wave 4", "active", -1),
    (181, "wave 4", "invalid", -1),
    (192, "wave 3", "forming", -1), (192, "wave C", "active", -1),
    (201, "wave 3", "active", -1),
    (207, "wave 3", "expired", -1), (207, "zigzag", "done", 1),
    (207, "wave C of a flat", "active", 1),
    (217, "wave 3", "forming", -1), (217, "wave C", "active", -1),
    (217, "running flat", "done", -1),
    (222, "wave 3", "active", -1),
    (229, "wave 3", "expired", -1), (229, "ending diagonal", "done", 1),
    (229, "wave C of a flat", "active", 1), (229, "zigzag", "done", 1),
]  # fmt: skip


def draw(corners: tuple[int, ...]) -> Bars:
    return path_bars(corners, steps=[abs(b - a) for a, b in pairwise(corners)], lead=LEAD)


@pytest.mark.parametrize("side", [1, -1], ids=["drawn", "mirrored"])
@pytest.mark.parametrize(
    ("corners", "scale", "expected"),
    [
        (FIVE_THREE, 3.0, IMPULSE_SWING),
        (FIVE_THREE, 6.0, IMPULSE_MAJOR),
        (WEDGE, 3.0, WEDGE_SWING),
        (WEDGE, 6.0, WEDGE_MAJOR),
    ],
    ids=["five-three swing", "five-three major", "wedge swing", "wedge major"],
)
def test_chart_gives_the_expected_labels_bar_by_bar(corners, scale, expected, side):
    bars = draw(corners) if side > 0 else mirrored(draw(corners))
    told = [
        (e.bar, e.kind, e.state, side * e.side)
        for e in Elliott().events(bars)
        if e.scale == scale
    ]
    assert told == expected


def test_five_three_keeps_one_number_from_wave_3_to_the_last_and_one_for_the_correction():
    events = [e for e in Elliott().events(draw(FIVE_THREE)) if e.scale == 3.0]
    ids = {(e.bar, e.kind): e.id for e in events}
    five = [(159, "wave 3"), (163, "wave 3"), (175, "wave 4"), (181, "wave 5"), (191, "impulse")]
    del ids[159, "wave 3"]  # two of them on this bar: one ends, one begins
    ids[five[0]] = next(e.id for e in events if e.bar == 159 and e.state == "forming")
    assert len({ids[key] for key in five}) == 1
    assert ids[199, "wave B"] == ids[203, "wave C"] == ids[211, "zigzag"]
    assert ids[199, "wave B"] != ids[five[0]]


def test_impulse_carries_labels_stop_and_forecast():
    events = [e for e in Elliott().events(draw(FIVE_THREE)) if e.scale == 3.0]
    by = {(e.bar, e.kind, e.state): e for e in events}
    done = by[191, "impulse", "done"]
    assert [(p, label) for _, p, label in done.points] == [
        (80, "0"), (90, "1"), (84, "2"), (100, "3"), (94, "4"), (104, "5"),
    ]  # fmt: skip
    assert (done.stop, done.entry) == (104, 101)
    assert done.targets == pytest.approx((94, 104 - 0.382 * 24, 104 - 0.5 * 24))
    third = by[163, "wave 3", "active"]
    assert (third.stop, third.entry) == (80, 91)
    assert third.targets == pytest.approx((94, 84 + 16.18, 84 + 26.18))
    fourth = by[175, "wave 4", "active"]
    assert (fourth.stop, fourth.entry) == (90, None)
    assert fourth.targets == pytest.approx((100 - 0.236 * 16, 100 - 0.382 * 16, 92))
    fifth = by[181, "wave 5", "active"]
    assert (fifth.stop, fifth.entry) == (90, 97)
    assert fifth.targets == pytest.approx((100.18, 104, 110.18))
    b = by[199, "wave B", "active"]
    assert (b.stop, b.entry) == (104, None)
    assert b.targets == pytest.approx((100, 96 + 0.618 * 8))
    c = by[203, "wave C", "active"]
    assert (c.stop, c.entry) == (100, 97)
    assert c.targets == pytest.approx((100 - 0.618 * 8, 92, 100 - 1.618 * 8))
    end = by[211, "zigzag", "done"]
    assert (end.stop, end.targets) == (92, (104.0,))


def test_score_between_pivots_is_the_one_worked_out_by_hand():
    found = Elliott().detect(draw(FIVE_THREE))
    # Bar 160, close 88. Swing scale: wave 3 and wave C up from 84, both with a perfect fit; the
    # leg has come 4 of the 10 after which C has said all.
    omega = 1 / 2.1
    swing = omega * (0.6 + 0.4 * (1 - 4 / 10))
    # Major scale, since bar 156: the same two down from 90, as a retracement 10 / 20.5 of the
    # fall from 100.5; the leg has come 6.
    b = 10 / 20.5
    third, c = (b - 0.236) / 0.264, (b - 0.382) / 0.118
    whole = 0.1 + third**2 + c**2
    major = -(third**2 * 0.6 + c**2 * 0.4 * (1 - 6 / 20.5)) / whole
    assert found.score[160] == pytest.approx(0.6 * swing + 0.4 * major)
    sure = 0.5 * (0.6 * 2 / 2.1 + 0.4 * (third**2 + c**2) / whole)
    assert found.confidence[160] == pytest.approx(sure)

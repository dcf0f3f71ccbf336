"""Drawn smart money objects, with noise, at random scale, trend and time stretch."""

from collections.abc import Sequence

import numpy as np
import pytest
from builders import mirrored, planted

from opportunity.detectors.events import Event
from opportunity.detectors.smc import Smc
from opportunity.market.bars import Bars

LEAD = 150
Corners = Sequence[tuple[float, float]]

BREAK: Corners = [(0, 0), (10, 8), (18, 3), (30, 12)]
NEARLY_BREAK: Corners = [(0, 0), (10, 8), (18, 3), (28, 6.8), (38, 2)]
TURN: Corners = [(0, 0), (10, -9), (18, -3), (28, -12), (40, 0)]  # down twice, then up through -3
SWEEP: Corners = [(0, 0), (10, 8), (18, 3), (26, 6.8), (27, 8.9), (28, 6.5), (34, 2)]
NEARLY_SWEEP: Corners = [(0, 0), (10, 8), (18, 3), (26, 5.8), (27, 6.9), (28, 5.5), (34, 2)]
GAP: Corners = [(0, 0), (6, 1), (7, 4.5), (12, 6.5)]
NO_GAP: Corners = [(0, 0), (6, 2), (18, 6)]
BLOCK: Corners = [(0, 0), (8, 6), (14, 2.5), (16, 9.5), (24, 11)]  # falls, then thrusts through 6
BAND: Corners = [(0, 0), (10, 8), (18, 3), (32, 13), (41, 6), (50, 13)]  # back to 0.7 of 3-13

PLANTED = {  # corners, kinds, scale, the corners between which the object is looked for
    "bos": (BREAK, ("bos", "choch"), 3.0, 2, 3),
    "choch": (TURN, ("choch",), 3.0, 3, 4),
    "sweep": (SWEEP, ("sweep",), None, 3, 5),
    "fvg": (GAP, ("fvg",), None, 1, 3),
    "order_block": (BLOCK, ("order_block",), None, 2, 4),
    "ote": (BAND, ("ote",), None, 3, 5),
}
SIDES = {"sweep": -1}
"""The side that each is drawn for, where it is not the bullish one."""


def draw(corners: Corners, noise: float, seed: int) -> tuple[Bars, float]:
    """Return a drawing, upside down for odd seeds, and its time stretch."""
    rng = np.random.default_rng(seed)
    stretch = float(rng.uniform(0.8, 1.3))
    bars = planted(
        corners, noise=noise, scale=float(2.0 ** rng.uniform(-4, 8)),
        trend=float(rng.uniform(-0.05, 0.05)), stretch=stretch, lead=LEAD, seed=seed,
    )  # fmt: skip
    return (mirrored(bars) if seed % 2 else bars), stretch


def hits(name: str, corners: Corners, noise: float, seed: int) -> list[Event]:
    """Objects of the planted kind on the bars of its part of the drawing."""
    _, kinds, scale, first, last = PLANTED[name]
    bars, stretch = draw(corners, noise, seed)
    begin, end = (
        LEAD + round(corners[min(k, len(corners) - 1)][0] * stretch) for k in (first, last)
    )
    return [
        e for e in Smc().events(bars)
        if e.kind in kinds and e.state == "active" and begin <= e.bar <= end + 1
        and (scale is None or e.scale == scale)
    ]  # fmt: skip


def wanted(name: str, seed: int) -> int:
    side = SIDES.get(name, 1)
    return -side if seed % 2 else side


def recall(name: str, noise: float, seeds: range) -> tuple[float, float]:
    """Share of drawings in which the object is found, and of these found first on its side."""
    found = right = 0
    for seed in seeds:
        seen = hits(name, PLANTED[name][0], noise, seed)
        sides = [e.side for e in seen]
        found += wanted(name, seed) in sides
        right += bool(sides) and sides[0] == wanted(name, seed)
    return found / len(seeds), right / max(found, 1)


@pytest.mark.parametrize("name", PLANTED)
@pytest.mark.parametrize(("noise", "least"), [(0.0, 0.9), (0.25, 0.75)])
def test_drawn_objects_are_found_with_the_right_side(name, noise, least):
    found, right = recall(name, noise, range(100))
    assert found >= least
    assert right >= 0.99


@pytest.mark.parametrize(
    ("name", "corners"), [("bos", NEARLY_BREAK), ("sweep", NEARLY_SWEEP), ("fvg", NO_GAP)]
)
def test_near_misses_are_not_found(name, corners):
    for seed in range(40):
        seen = [
            e for e in hits(name, corners, 0.0, seed)
            if e.kind != "sweep" or "swing pivot" in e.text  # other pools may lie there
        ]  # fmt: skip
        assert wanted(name, seed) not in [e.side for e in seen], seed

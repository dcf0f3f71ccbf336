"""Drawn breakouts and formations, with noise, at random scale, lead-in trend and time stretch."""

from collections.abc import Sequence

import numpy as np
import pytest
from builders import mirrored, planted

from opportunity.detectors import PriceAction
from opportunity.detectors.events import Event
from opportunity.market.bars import Bars

LEAD = 150
Corners = Sequence[tuple[float, float]]

RANGE: Corners = [(0, 0), (7, 3), (14, 0), (21, 3), (28, 0), (35, 6)]
TOUCHED_RANGE: Corners = [(0, 0), (7, 3), (14, 0), (21, 3), (28, 0), (35, 3.15), (42, 0)]
BOTTOMS: Corners = [(0, 0), (12, -10), (22, -4), (32, -10), (46, 4)]
UNEQUAL: Corners = [(0, 0), (12, -10), (22, -4), (32, -9.2), (46, 4)]
UNBROKEN: Corners = [(0, 0), (12, -10), (22, -4), (32, -10), (38, -4.2), (46, -12)]
SHOULDERS: Corners = [(0, 0), (10, -8), (20, -2), (32, -13), (44, -2), (54, -8), (70, 5)]
NO_HEAD: Corners = [(0, 0), (10, -8), (20, -2), (32, -8.8), (44, -2), (54, -8), (70, 5)]
SLOPING: Corners = [(0, 0), (10, -8), (20, -2), (32, -13), (44, -2), (54, -9.6), (70, 5)]

PLANTED = {  # the bullish drawing of each kind; it is decided on the way to its last corner
    "breakout": RANGE,
    "double": BOTTOMS,
    "head_shoulders": SHOULDERS,
}


def hits(kind: str, corners: Corners, noise: float, seed: int) -> list[Event]:
    """Breaks of the kind since the corner before its last; odd seeds are upside down."""
    rng = np.random.default_rng(seed)
    stretch = float(rng.uniform(0.8, 1.3))
    bars: Bars = planted(
        corners, noise=noise, scale=float(2.0 ** rng.uniform(-4, 8)),
        trend=float(rng.uniform(-0.05, 0.05)), stretch=stretch, lead=LEAD, seed=seed,
    )  # fmt: skip
    drawn = PLANTED[kind]
    begin = LEAD + round(drawn[-2][0] * stretch)
    return [
        e for e in PriceAction().events(mirrored(bars) if seed % 2 else bars)
        if e.kind == kind and e.state == "active" and e.bar >= begin
    ]  # fmt: skip


def wanted(seed: int) -> int:
    return -1 if seed % 2 else 1


def recall(kind: str, noise: float, seeds: range) -> tuple[float, float]:
    """Share of drawings in which the kind is found, and of these found first on its side."""
    found = right = 0
    for seed in seeds:
        sides = [e.side for e in hits(kind, PLANTED[kind], noise, seed)]
        found += wanted(seed) in sides
        right += bool(sides) and sides[0] == wanted(seed)
    return found / len(seeds), right / max(found, 1)


@pytest.mark.parametrize("kind", PLANTED)
@pytest.mark.parametrize(("noise", "least"), [(0.0, 0.9), (0.25, 0.75)])
def test_drawn_breaks_are_found_with_the_right_side(kind, noise, least):
    found, right = recall(kind, noise, range(200))
    assert found >= least
    assert right >= 0.99


@pytest.mark.parametrize(
    ("kind", "corners"),
    [
        ("breakout", TOUCHED_RANGE),  # closes 0.15 ATR beyond the range
        ("double", UNEQUAL),  # bottoms 0.8 ATR apart
        ("double", UNBROKEN),  # turns below the neckline
        ("head_shoulders", NO_HEAD),  # 0.8 ATR beyond the shoulders
        ("head_shoulders", SLOPING),  # shoulders 1.6 ATR apart
    ],
)
def test_near_misses_are_not_found(kind, corners):
    for seed in range(60):
        sides = [e.side for e in hits(kind, corners, 0.0, seed)]
        assert wanted(seed) not in sides, seed

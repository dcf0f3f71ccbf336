"""Drawn retracements with noise, at random scale, lead-in trend and time stretch."""

import numpy as np
import pytest
from builders import mirrored, planted

from opportunity.detectors.events import Event
from opportunity.detectors.fibonacci import Fibonacci
from opportunity.market.bars import Bars

LEAD = 150
LEG = 20.0
FALL = 10
"""Bars and ATR of the move into A, which ends whatever trend led there."""


def draw(depth: float, noise: float, seed: int) -> tuple[Bars, int, int, int]:
    """A leg of 20 ATR that comes back by `depth`, then turns; upside down for odd seeds.

    Returns the bars, the bars of B and C, and the side of the leg.
    """
    rng = np.random.default_rng(seed)
    b = FALL + 20
    c = b + max(4, round(depth * LEG))
    top = LEG - FALL
    low = top - depth * LEG
    stretch = float(rng.uniform(0.7, 1.4))
    bars = planted(
        [(0, 0), (FALL, -FALL), (b, top), (c, low), (c + 10, low + 9)], noise=noise,
        scale=float(2.0 ** rng.uniform(-4, 8)), trend=float(rng.uniform(-0.3, 0.3)),
        stretch=stretch, lead=LEAD, seed=seed,
    )  # fmt: skip
    side = -1 if seed % 2 else 1
    return (
        mirrored(bars) if side < 0 else bars,
        LEAD + round(b * stretch), LEAD + round(c * stretch), side,
    )  # fmt: skip


def reactions(
    depth: float, noise: float, seed: int, late: int = 3
) -> tuple[list[Event], list[Event], int]:
    """Confirmed bounces until `late` bars after C: all, and those of the drawn leg; its side.

    They count from halfway between B and C, before the drawn leg can bounce. Just after B another
    reaction may be due: where the lead falls, the drawn leg itself retraces about half of it.
    """
    bars, b, c, side = draw(depth, noise, seed)
    seen = [
        e for e in Fibonacci().events(bars)
        if e.kind == "bounce" and e.state == "active" and (b + c) // 2 < e.bar <= c + late
    ]  # fmt: skip
    near = {int(t) for t in bars.time[b - 3 : b + 4]}
    return seen, [e for e in seen if e.side == side and e.points[1][0] in near], side


def recall(noise: float, seeds: range) -> tuple[float, float, float]:
    """Share found, share of these whose first bounce has the leg's side, median error of depth."""
    found = right = 0
    errors = []
    for seed in seeds:
        depth = float(np.random.default_rng(1000 + seed).uniform(0.5, 0.618))
        seen, own, side = reactions(depth, noise, seed)
        found += bool(own)
        right += bool(own) and seen[0].side == side
        if own:
            start, tip, low = (price for _, price, _ in own[-1].points)
            errors.append(abs((tip - low) / (tip - start) - depth))
    return found / len(seeds), right / max(found, 1), float(np.median(errors))


@pytest.mark.parametrize(("noise", "least", "off"), [(0.0, 0.9, 0.01), (0.25, 0.75, 0.03)])
def test_drawn_bounces_are_found_with_the_right_side(noise, least, off):
    found, right, error = recall(noise, range(120))
    assert found >= least
    assert right >= 0.99
    assert error <= off


@pytest.mark.parametrize("depth", [0.15, 1.05])
def test_retracements_too_small_or_too_large_are_no_bounce(depth):
    for seed in range(60):
        assert reactions(depth, 0.0, seed, late=20)[1] == [], seed

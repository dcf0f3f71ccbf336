"""Two charts drawn by hand: straight legs of one unit a bar, so that ATR is 1 and bars count."""

from itertools import pairwise

import pytest
from builders import path_bars

from opportunity.detectors.harmonic import Harmonic
from opportunity.market.bars import Bars

LEAD = 120
LAGS = ((1.5, 2), (3.0, 3), (6.0, 6))
"""A turn is known at a scale of k ATR this many bars after it."""

Row = tuple[int, str, int, str, float]


def drawn(*prices: float) -> Bars:
    """Legs of one unit a bar between the prices; the first price is at bar 120."""
    steps = [round(abs(b - a)) for a, b in pairwise(prices)]
    return path_bars(prices, steps=steps, lead=LEAD)


def rows(bars: Bars) -> list[Row]:
    return [(e.bar, e.kind, e.side, e.state, e.scale) for e in Harmonic().events(bars)]


def at_all_scales(bar: int, kind: str, side: int, state: str) -> list[Row]:
    return [(bar, kind, side, state, scale) for scale, _ in LAGS]


def known_after(turn: int, *kinds: tuple[str, int]) -> list[Row]:
    return [(turn + lag, k, side, "forming", scale) for scale, lag in LAGS for k, side in kinds]


def test_gartley_that_reaches_both_targets():
    # X 100 at bar 180, A 150 at 230, B 119 at 261, C 138 at 280, D 111 at 307, then 140 at 336.
    # b = 31/50 = 0.62, c = 19/31 = 0.613: Gartley (D 110.7 +- 2), and Crab far below (69.1).
    bars = drawn(160, 100, 150, 119, 138, 111, 140)
    expected = [
        # Two AB=CD of older turns: 160.5 (a wick of the lead), 100, 150; and 100, 150, 119.
        *known_after(230, ("ab_cd", 1)),
        *known_after(261, ("ab_cd", -1)),
        *known_after(280, ("gartley", 1), ("crab", 1), ("ab_cd", 1)),
        *at_all_scales(300, "ab_cd", -1, "invalid"),  # 118 is below its C of 119
        *at_all_scales(306, "gartley", 1, "active"),  # 112 is the first price below 112.7
        # 112 is the first close one ATR above 111. One D speaks once, by its largest scale; the
        # Crab of the same turns has no D any more.
        (308, "gartley", 1, "done", 6.0),
        (308, "gartley", 1, "expired", 1.5),
        (308, "crab", 1, "expired", 1.5),
        (308, "gartley", 1, "expired", 3.0),
        (308, "crab", 1, "expired", 3.0),
        (308, "crab", 1, "expired", 6.0),
        # D is a low: what it makes of A B C D as X A B C, bearish.
        *known_after(307, ("shark", -1), ("cypher", -1)),
        (322, "gartley", 1, "touched", 6.0),  # 111 + 0.382 * 39 = 125.9
        (332, "gartley", 1, "touched", 6.0),  # 111 + 0.618 * 39 = 135.1
        *at_all_scales(335, "ab_cd", 1, "invalid"),  # 139 is above its C of 138; 107 never came
    ]
    assert rows(bars) == expected


def test_gartley_that_reaches_both_targets_in_numbers():
    bars = drawn(160, 100, 150, 119, 138, 111, 140)
    found = Harmonic().detect(bars)
    done = next(e for e in found.events if e.state == "done")
    points = [(180, 100.0, "X"), (230, 150.0, "A"), (261, 119.0, "B"), (280, 138.0, "C"),
              (307, 111.0, "D")]  # fmt: skip
    assert done.points == tuple((int(bars.time[n]), p, letter) for n, p, letter in points)
    assert done.zone == pytest.approx((112.7, 108.7))
    assert done.entry == 112.0
    assert done.stop == pytest.approx(99.75, abs=0.001)
    assert done.targets == pytest.approx((125.898, 135.102))
    # b 0.62 of 0.618 +- 0.04; c 0.613 of 0.382 to 0.886; D 0.78 of 0.786 +- 0.04; 1.414 BC agrees
    quality = 0.35 * 0.95 + 0.15 * (1 - 0.5 * (0.634 - 19 / 31) / 0.252) + 0.3 * 0.85 + 0.2 * 2 / 3
    assert done.quality == pytest.approx(quality, abs=1e-9)
    score = {308: 0.8 * quality, 320: 0.8 * quality * 2 ** (-12 / 48),
             322: 0.4 * quality * 2 ** (-14 / 48), 332: 0.0}  # fmt: skip
    for bar, value in score.items():
        assert found.score[bar] == pytest.approx(value, abs=1e-9), bar
    assert found.confidence[308] == pytest.approx(0.6 * 0.8 * quality)
    early = 0.35 * 0.95 + 0.15 * (1 - 0.5 * (0.634 - 19 / 31) / 0.252) + 0.3 * 0.35 + 0.2 * 2 / 3
    assert found.score[306] == pytest.approx(0.3 * early, abs=1e-9)  # D is 112 so far: 0.76
    assert (found.score[99:306] == 0).all()


def test_bearish_crab_after_a_failed_gartley():
    # X 150 at bar 180, A 110 at 220, B 135 at 245, C 118 at 262, D 176 at 320, then 140 at 356.
    # b = 25/40 = 0.625, c = 17/25 = 0.68: Gartley (D 141.44 +- 1.6), Crab (D 174.72 +- 1.6),
    # AB=CD (D 143 +- 1.25).
    bars = drawn(90, 150, 110, 135, 118, 176, 140)
    expected = [
        *known_after(220, ("ab_cd", -1)),  # 89.5 150 110: D 170.5 +- 3.025
        *known_after(245, ("ab_cd", 1)),
        *known_after(262, ("gartley", -1), ("crab", -1), ("ab_cd", -1)),
        *at_all_scales(280, "ab_cd", 1, "invalid"),  # 136 is above its C of 135
        *at_all_scales(284, "gartley", -1, "active"),  # 140 is the first price above 139.84
        *at_all_scales(286, "ab_cd", -1, "active"),  # 142, above 141.75
        *at_all_scales(288, "gartley", -1, "invalid"),  # 144, past 143.04
        *at_all_scales(289, "ab_cd", -1, "invalid"),  # 145, past 144.25
        *at_all_scales(312, "ab_cd", -1, "active"),  # 168, above 167.475
        *at_all_scales(318, "crab", -1, "active"),  # 174, above 173.12
        *at_all_scales(318, "ab_cd", -1, "invalid"),  # and past 173.525
        (321, "crab", -1, "done", 6.0),  # 175 is one ATR below 176
        (321, "crab", -1, "expired", 1.5),
        (321, "crab", -1, "expired", 3.0),
        (346, "crab", -1, "touched", 6.0),  # 176 - 0.382 * 66 = 150.8
    ]
    assert rows(bars) == expected
    done = next(e for e in Harmonic().events(bars) if e.state == "done")
    assert done.text == "Bearish Crab, D at 1.650 of XA, done at 176"
    assert done.zone == pytest.approx((176.32, 173.12))
    assert done.stop == pytest.approx(110 + 2 * 40 + 0.25, abs=0.001)
    quality = (
        0.35 * (1 - 0.5 * 0.007 / 0.236)  # b 0.625 of 0.618, the far end 0.236 away
        + 0.15 * (1 - 0.5 * 0.046 / 0.252)
        + 0.3 * (1 - 0.032 / 0.04)  # D at 1.65
        + 0.2 * 1 / 3  # nothing agrees: 3.24 to 3.43 BC, 2.2 to 2.3 AB
    ) * 0.85  # CD takes 58 bars, AB 25
    assert done.quality == pytest.approx(quality, abs=1e-9)

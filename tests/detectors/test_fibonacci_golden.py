"""Two charts drawn by hand: straight legs of one unit a bar, so that ATR is 1 and bars count.

Lags: a turn is known at a scale of k ATR k bars after it, a new leg 4 bars after its start (at
the major scale with its turn, after 6). The lead spans 99.5 to 100.5, which is where A lies.
"""

from itertools import pairwise

import numpy as np
import pytest
from builders import path_bars

from opportunity.detectors.fibonacci import Fibonacci
from opportunity.market.bars import Bars

LEAD = 120
BOTH = (6.0, 3.0)
"""The major scale speaks first."""

Row = tuple[int, str, int, str, float]


def drawn(*prices: float) -> Bars:
    """Legs of one unit a bar between the prices; the first price is at bar 120."""
    steps = [round(abs(b - a)) for a, b in pairwise(prices)]
    return path_bars(prices, steps=steps, lead=LEAD)


def rows(bars: Bars) -> list[Row]:
    return [(e.bar, e.kind, e.side, e.state, e.scale) for e in Fibonacci().events(bars)]


def at_both(bar: int, *marks: tuple[str, int, str]) -> list[Row]:
    return [(bar, *what, scale) for scale in BOTH for what in marks]


def test_rise_that_bounces_near_0618_and_goes_on():
    # A 99.5, B 120 at bar 140 (20.5 long), C 108 at 152 (0.585), then 121 at 165.
    expected = [
        (124, "leg", 1, "forming", 3.0),  # 104 - 99.5 is over 4 ATR; 103 was not
        (126, "leg", 1, "forming", 6.0),  # 106 - 99.5 is over 6 ATR
        (143, "leg", 1, "active", 3.0),
        (144, "leg", -1, "forming", 3.0),
        *at_both(145, ("levels", 1, "active")),  # 115 is below 120 - 0.236 * 20.5 = 115.16
        (146, "leg", 1, "active", 6.0),
        (146, "leg", -1, "forming", 6.0),
        *at_both(148, ("bounce", 1, "forming")),  # 112 is below 120 - 0.382 * 20.5 = 112.17
        *at_both(153, ("bounce", 1, "active")),  # the first bar that closes up, from 108
        # The fall 120 to 108 is a leg too: 12 long, back by 0.236 at 110.83, 0.382 at 112.58.
        (155, "levels", -1, "active", 6.0),
        (155, "leg", -1, "active", 3.0),
        (155, "levels", -1, "active", 3.0),
        (156, "leg", 1, "forming", 3.0),
        *at_both(157, ("bounce", -1, "forming")),  # 113
        (158, "leg", -1, "active", 6.0),
        (158, "leg", 1, "forming", 6.0),
        *at_both(163, ("bounce", -1, "invalid")),  # 119: past 108 + 0.886 * 12 + 0.25 = 118.88
        *at_both(165, ("bounce", 1, "done"), ("targets", 1, "active"), ("leg", -1, "invalid")),
    ]
    assert rows(drawn(100, 120, 108, 121)) == expected


def test_rise_that_bounces_near_0618_in_numbers():
    bars = drawn(100, 120, 108, 121)
    found = Fibonacci().detect(bars)
    bounce = next(e for e in found.events if e.kind == "bounce" and e.state == "active")
    assert [price for _, price, _ in bounce.points] == [99.5, 120.0, 108.0]
    assert bounce.entry == 109.0
    assert bounce.stop == pytest.approx(120 - 0.886 * 20.5 - 0.25, abs=0.001)
    assert bounce.targets == pytest.approx((120, 108 + 1.272 * 20.5, 108 + 1.618 * 20.5))
    quality = 0.7 * (0.8 + 0.2 * (12 / 20.5 - 0.5) / 0.118)
    assert bounce.quality == pytest.approx(quality)
    assert (found.score[99:148] == 0).all()
    near = 0.15 * (0.6 + 0.2 * (8 / 20.5 - 0.382) / 0.118)
    assert found.score[148] == pytest.approx(near)  # one leg speaks once, though at two scales
    assert found.score[153] == pytest.approx(0.65 * quality)
    assert found.confidence[153] == pytest.approx(0.45 * 0.65 * quality)
    assert (found.score[148:165] > 0).all()
    assert found.score[157] < found.score[156] * 2 ** (-1 / 48)  # the bearish one takes some away
    assert found.score[165] == 0


def test_fall_that_bounces_and_turns_at_its_1272_extension():
    # A 100.5, B 76 at bar 144 (24.5 long), C 88 at 156 (0.49), 57 at 187, 58 at 188, 56 at 190.
    expected = [
        (124, "leg", -1, "forming", 3.0),
        (126, "leg", -1, "forming", 6.0),
        (147, "leg", -1, "active", 3.0),
        (148, "leg", 1, "forming", 3.0),
        (150, "leg", -1, "active", 6.0),
        (150, "levels", -1, "active", 6.0),  # 82 is above 76 + 0.236 * 24.5 = 81.78
        (150, "leg", 1, "forming", 6.0),
        (150, "levels", -1, "active", 3.0),
        *at_both(154, ("bounce", -1, "forming")),  # 86 is above 76 + 0.382 * 24.5 = 85.36
        *at_both(157, ("bounce", -1, "active")),  # the first bar that closes down, from 88
        (159, "levels", 1, "active", 6.0),  # the rise 76 to 88: 12 long, 0.236 at 85.17
        (159, "leg", 1, "active", 3.0),
        (159, "levels", 1, "active", 3.0),
        (160, "leg", -1, "forming", 3.0),
        *at_both(161, ("bounce", 1, "forming")),  # 83 is below 83.42
        (162, "leg", 1, "active", 6.0),
        (162, "leg", -1, "forming", 6.0),
        *at_both(167, ("bounce", 1, "invalid")),  # 77: past 88 - 0.886 * 12 - 0.25 = 77.12
        *at_both(169, ("bounce", -1, "done"), ("targets", -1, "active"), ("leg", 1, "invalid")),
        *at_both(188, ("extension", 1, "active")),  # from 57; 88 - 1.272 * 24.5 = 56.84
        # The swing scale saw the same leg and is silenced at once; 56 is the first close below 57.
        (188, "extension", 1, "expired", 3.0),
        (190, "extension", 1, "invalid", 6.0),
    ]
    bars = drawn(100, 76, 88, 57, 58, 56)
    assert rows(bars) == expected
    found = Fibonacci().detect(bars)
    turn = next(e for e in found.events if e.kind == "extension")
    assert (turn.entry, turn.stop, turn.targets[0]) == (58.0, 57.0, 76.0)
    assert "1.272" in turn.text
    targets = next(e for e in found.events if e.kind == "targets")
    beyond = 88 - 24.5 * np.array([1, 1.272, 1.618, 2.618])
    assert [price for _, price, _ in targets.points] == pytest.approx(beyond)
    assert (found.score[154:169] < 0).all()
    assert (found.score[169:188] == 0).all()
    assert found.score[188] == pytest.approx(0.25 * 0.7)
    assert found.score[189] == pytest.approx(0.25 * 0.7 * 2 ** (-1 / 8))
    assert found.score[190] == 0

"""Points are given by hand as prices of a rise; `side` -1 is the same count falling."""

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
import pytest

from opportunity.detectors.elliott_rules import (
    POINTS,
    TRUNCATION_COST,
    band,
    fit,
    fit_diagonal,
    is_diagonal,
    is_truncated,
    obeys,
    take,
    wave,
)
from opportunity.detectors.swings import N_PIVOTS, SWINGS

IDEAL = (10.0, 6.18, 16.18, 6.18, 10.0)
BARS = (10, 8, 16, 14, 10)  # waves 2 and 4 differ in time by more than 1.67
WEDGE = (20.0, 14.0, 15.0, 10.0, 12.0)
TICK = 0.1  # 0.01 of wave 1 of IDEAL


def points(waves: Sequence[float], bars: Sequence[int] = BARS) -> np.record:
    """Points from the lengths of waves that rise and fall in turn."""
    p = np.zeros(1, POINTS)
    steps = [w if i % 2 == 0 else -w for i, w in enumerate(waves)]
    n = len(waves) + 1
    p["n"], p["side"] = n, 1
    p["price"][0, :n] = list(accumulate(steps, initial=0.0))
    p["bar"][0, :n] = list(accumulate(bars[: n - 1], initial=0))
    return p[0]


def test_band_is_one_inside_the_core_and_falls_to_the_bounds():
    assert [band(x, 0.2, 0.5, 0.6, 0.9) for x in (0.5, 0.55, 0.6)] == [1, 1, 1]
    assert band(0.35, 0.2, 0.5, 0.6, 0.9) == pytest.approx(0.5)
    assert band(0.75, 0.2, 0.5, 0.6, 0.9) == pytest.approx(0.5)
    assert [band(x, 0.2, 0.5, 0.6, 0.9) for x in (0.1, 0.2, 0.9, 2.0)] == [0, 0, 0, 0]


@pytest.mark.parametrize("known", [3, 4, 5, 6])
def test_ideal_impulse_keeps_every_rule_and_guideline(known):
    p = points(IDEAL[: known - 1])
    assert obeys(p)
    value = fit(p, 100.0)  # an ATR so large that the channel holds
    assert value == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize(
    ("waves", "known"),
    [
        ((10, 10, 20), 3),  # wave 2 to the start of wave 1
        ((10, 6, 6, 2), 4),  # wave 3 only to the end of wave 1
        ((10, 6, 16, 10, 14), 5),  # wave 4 to the end of wave 1
    ],
)
def test_rule_at_its_limit_and_just_inside(waves, known):
    assert not obeys(points(waves[: known - 1]))
    last = known - 2
    inside = list(waves[: known - 1])
    inside[last] += TICK if last % 2 == 0 else -TICK
    assert obeys(points(inside))
    outside = list(waves[: known - 1])
    outside[last] -= TICK if last % 2 == 0 else -TICK
    assert not obeys(points(outside))


def test_third_wave_is_never_the_shortest():
    first, third = 10.0, 9.0
    waves = (first, 3.0, third, 4.0)
    assert obeys(points((*waves, third - 0.01 * TICK)))
    assert not obeys(points((*waves, third + 0.01 * TICK)))
    assert obeys(points((third - TICK, 3.0, third, 4.0, 20.0)))  # longer than the first is enough


def test_truncated_fifth_is_allowed_within_limits_and_costs():
    base = (10.0, 6.0, 16.0, 8.0)
    full, short = points((*base, 8.0 + TICK)), points((*base, 8.0 - TICK))
    assert obeys(full)
    assert obeys(short)
    assert is_truncated(short)
    assert not is_truncated(full)
    assert fit(short, 1.0) == pytest.approx(TRUNCATION_COST * fit(full, 1.0), rel=0.02)
    deep = (10.0, 2.0, 16.0, 11.0)  # room for a fifth that fails by 0.25 of wave 3
    assert obeys(points((*deep, 7.0)))  # short by 4 of 16
    assert not obeys(points((*deep, 7.0 - TICK)))
    assert obeys(points((10.0, 6.0, 16.0, 8.0, 0.382 * 16.0)))
    assert not obeys(points((10.0, 6.0, 16.0, 8.0, 0.382 * 16.0 - TICK)))


def test_guidelines_lower_the_fit_one_by_one():
    best = fit(points(IDEAL), 1.0)
    worse = [
        (10.0, 8.5, 18.0, 7.0, 10.0),  # deep wave 2
        (10.0, 6.18, 35.0, 12.0, 10.0),  # third far beyond 2.618
        (10.0, 6.18, 16.18, 1.7, 10.0),  # shallow wave 4
        (10.0, 6.18, 16.18, 6.18, 17.0),  # long fifth
    ]
    assert all(fit(points(w), 1.0) < best - 0.05 for w in worse)


def test_alternation_in_depth_or_in_time():
    same = (10.0, 4.0, 20.0, 8.0, 10.0)
    level = fit(points(same, (10, 8, 16, 8, 10)), 1.0)
    slow = fit(points(same, (10, 8, 16, 14, 10)), 1.0)
    deep = fit(points((10.0, 6.0, 20.0, 8.0, 10.0), (10, 8, 16, 8, 10)), 1.0)
    assert slow - level == pytest.approx(0.10, abs=0.05)
    assert deep > level


def test_channel_counts_the_distance_of_wave_4_from_the_parallel():
    # p1 (10, 10), p3 (34, 20): slope 10 / 24; p4 24 bars after p2 lies on the line if 10 higher.
    on, off = (10.0, 5.0, 15.0, 5.0), (10.0, 5.0, 15.0, 4.0)
    bars = (10, 12, 12, 12)
    assert fit(points(on, bars), 1.0) * 0.85 == pytest.approx(
        0.2 + 0.25 * band(1.5, 0.9, 1.618, 2.618, 4.25) + 0.2 + 0.1 * (0.5 - 1 / 3) / 0.2 + 0.1
    )
    lines = [fit(points(off, bars), a) for a in (100.0, 1.0, 0.5, 0.1)]
    assert lines[0] - lines[1] == pytest.approx(0.05 * 0.5 / 0.85, rel=0.02)
    assert lines[2] == lines[3]


def test_short_third_measures_the_fifth_against_waves_1_to_3():
    # w3 / w1 = 1.2: w5 = 0.382 of p0..p3 (18) is as good as 0.618 of wave 1
    ideal = fit(points((10.0, 4.0, 12.0, 4.0, 0.382 * 18)), 1.0)
    other = fit(points((10.0, 4.0, 12.0, 4.0, 0.618 * 18)), 1.0)
    between = fit(points((10.0, 4.0, 12.0, 4.0, 14.0)), 1.0)
    assert ideal == pytest.approx(other, abs=1e-9)
    assert between < other - 0.05


def test_waves_should_take_like_times():
    even = fit(points(IDEAL, (10, 8, 16, 14, 10)), 1e-6)  # far from any channel
    rushed = fit(points(IDEAL, (10, 8, 60, 14, 10)), 1e-6)
    assert even - rushed == pytest.approx(0.05 * (1 - 3 * 10 / 60))


def test_diagonal_at_each_of_its_limits():
    assert is_diagonal(points(WEDGE))
    assert not obeys(points(WEDGE))
    wrong = [
        (20.0, 9.9, 15.0, 10.0, 12.0),  # wave 2 under half of wave 1
        (20.0, 17.8, 19.0, 10.0, 12.0),  # wave 2 over 0.886
        (20.0, 14.0, 15.0, 13.4, 14.9),  # wave 4 over 0.886 of wave 3
        (20.0, 14.0, 13.9, 10.0, 12.0),  # third short of the first
        (20.0, 14.0, 15.0, 10.0, 9.9),  # fifth short of the third
        (20.0, 14.0, 15.0, 10.0, 15.1),  # fifth longer than the third: no wedge
        (20.0, 8.0, 30.0, 12.0, 20.0),  # an impulse: no overlap
    ]
    for waves in wrong:
        assert not is_diagonal(points(waves)), waves
    assert is_diagonal(points((10.0, 6.0, 12.0, 9.0, 14.0)))  # expanding
    assert not is_diagonal(points((10.0, 6.0, 12.0, 5.9, 14.0)))  # wave 4 short of wave 2


def test_diagonal_fits_best_at_a_steady_wedge():
    ideal = fit_diagonal(points((20.0, 14.0, 15.0, 10.5, 11.0), (10, 9, 10, 9, 10)))
    edge = fit_diagonal(points((20.0, 17.6, 19.5, 17.0, 19.4), (10, 9, 10, 9, 10)))
    assert ideal == pytest.approx(1.0)
    assert 0 < edge < 0.5


@pytest.mark.parametrize("side", [1, -1])
def test_points_are_taken_as_a_rise_from_either_side(side):
    swings = np.zeros(1, SWINGS)
    prices = side * np.cumsum([5.0, *(w if i % 2 == 0 else -w for i, w in enumerate(IDEAL))])
    for i, price in enumerate(prices):
        place = swings["pivots"][0, (i + 9) % N_PIVOTS]
        place["price"], place["bar"] = price, 7 * i
        place["side"] = -side if i % 2 == 0 else side
    swings["count"] = 9 + len(prices)
    p = np.zeros(1, POINTS)[0]
    take(p, swings[0], 0, 6)
    assert (p["n"], p["side"]) == (6, side)
    np.testing.assert_array_equal(p["price"][:6], side * prices)
    assert obeys(p)
    assert [wave(p, i) for i in range(1, 6)] == pytest.approx(IDEAL)
    take(p, swings[0], 1, 3)
    np.testing.assert_array_equal(p["bar"][:3], [14, 21, 28])
    assert p["side"] == side

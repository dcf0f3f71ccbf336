import numpy as np
import pytest

from opportunity.detectors.harmonic_patterns import (
    AB_CD,
    ALTERNATE_BAT,
    BAT,
    BUTTERFLY,
    CRAB,
    CYPHER,
    DEEP_CRAB,
    FIVE_O,
    GARTLEY,
    N_PATTERNS,
    SHAPES,
    SHARK,
    closeness,
    confluence,
    fits,
    project,
    share_of_end,
    worth_of_end,
    worth_of_turns,
)

# As published (see docs/detectors/harmonic.md), written down again: b, then c (Cypher: XC / XA).
WINDOWS = {
    GARTLEY: ((0.578, 0.658), (0.382, 0.886)),
    BAT: ((0.382, 0.55), (0.382, 0.886)),
    ALTERNATE_BAT: ((0.342, 0.422), (0.382, 0.886)),
    BUTTERFLY: ((0.746, 0.826), (0.382, 0.886)),
    CRAB: ((0.382, 0.658), (0.382, 0.886)),
    DEEP_CRAB: ((0.846, 0.98), (0.382, 0.886)),
    SHARK: ((0.382, 0.786), (1.13, 1.618)),
    CYPHER: ((0.382, 0.618), (1.232, 1.454)),
    FIVE_O: ((1.13, 1.618), (1.618, 2.24)),
}
every = pytest.mark.parametrize("pattern", WINDOWS)


def fits_pair(pattern: int, b: float, third: float) -> bool:
    """Ask with the third ratio in its place and nonsense in the place that is not read."""
    return fits(pattern, b, np.nan, third) if pattern == CYPHER else fits(pattern, b, third, np.nan)


@every
def test_windows_hold_their_ends_and_nothing_beyond(pattern):
    (b0, b1), (c0, c1) = WINDOWS[pattern]
    middle_b, middle_c, hair = (b0 + b1) / 2, (c0 + c1) / 2, 1e-9
    for b in (b0 + hair, b1 - hair):
        assert fits_pair(pattern, b, middle_c)
    for b in (b0 - hair, b1 + hair):
        assert not fits_pair(pattern, b, middle_c)
    for c in (c0 + hair, c1 - hair):
        assert fits_pair(pattern, middle_b, c)
    for c in (c0 - hair, c1 + hair):
        assert not fits_pair(pattern, middle_b, c)


def test_ab_cd_asks_for_c_only():
    for c, right in ((0.3819, False), (0.3821, True), (0.8859, True), (0.8861, False)):
        assert fits(AB_CD, np.nan, c, np.nan) == right


@every
def test_ideals_lie_inside_their_windows_and_are_worth_most(pattern):
    shape = SHAPES[pattern]
    (b0, b1), (c0, c1) = WINDOWS[pattern]
    assert b0 <= shape["b_ideal"] <= b1
    assert c0 <= shape["c_ideal"] <= c1
    best = worth_of_turns(pattern, shape["b_ideal"], shape["c_ideal"], shape["c_ideal"], 3)
    assert best == pytest.approx(0.7)
    rng = np.random.default_rng(pattern)
    for b, c in zip(rng.uniform(b0, b1, 50), rng.uniform(c0, c1, 50), strict=True):
        assert 0 <= worth_of_turns(pattern, b, c, c, 1) <= best


@pytest.mark.parametrize(
    ("pattern", "b", "c", "d"),
    [
        # D is written as a price where X = 0 and A = 100, by hand
        (GARTLEY, 0.618, 0.634, 21.4), (BAT, 0.5, 0.634, 11.4), (ALTERNATE_BAT, 0.382, 0.80, -13.0),
        (BUTTERFLY, 0.786, 0.634, -27.2), (CRAB, 0.618, 0.634, -61.8),
        (DEEP_CRAB, 0.886, 0.634, -61.8), (CYPHER, 0.5, 1.686, 0.214 * 134.3),
        (FIVE_O, 1.374, 1.929, -37.4 + 0.5 * 1.929 * 137.4), (AB_CD, 0.7, 0.618, 3.26),
    ],
)  # fmt: skip
def test_d_is_projected_where_the_ratio_says(pattern, b, c, d):
    xa, ab, bc = 100.0, 100.0 * b, 100.0 * b * c
    top = 100.0 - ab + bc
    near, far, slack = project(pattern, xa, ab, bc, 1.0, 0.04)
    wide = {AB_CD: 0.05 * ab, FIVE_O: 0.05 * bc}.get(pattern, 4.0)
    assert slack == pytest.approx(wide)
    assert top - d - near == pytest.approx(slack)
    assert far - near <= 2 * slack + (0.068 * bc if pattern == FIVE_O else 0) + 1e-9


def test_zone_of_five_o_reaches_from_045_to_0618_of_bc():
    near, far, _ = project(FIVE_O, 10.0, 100.0, 200.0, 1.0, 0.04)
    assert (near, far) == pytest.approx((90.0, 123.6))


def test_zone_of_shark_holds_both_of_its_ends():
    near, far, _ = project(SHARK, 100.0, 39.0, 39.0 * 1.2, 1.0, 0.04)
    above = 39.0 - 39.0 * 1.2
    assert near == pytest.approx(0.846 * 100 - above)
    assert far == pytest.approx(2.24 * 39.0 * 1.2 + 4.0)  # cut by the BC projection
    assert far < 1.17 * 100 - above


def test_zone_is_never_narrower_than_a_quarter_atr_each_way():
    near, far, slack = project(GARTLEY, 2.0, 1.236, 0.7, 1.0, 0.04)
    assert slack == 0.25
    assert far - near == pytest.approx(0.5)


def test_zone_without_room_for_the_projection_of_bc_is_empty():
    near, far, _ = project(ALTERNATE_BAT, 100.0, 38.2, 38.2 * 0.5, 1.0, 0.04)
    assert near > far


@pytest.mark.parametrize(
    ("zone", "count"), [((9.9, 10.1), 2), ((16.0, 16.3), 3), ((15.3, 15.5), 1), ((14.0, 14.2), 2)]
)
def test_confluence_counts_what_agrees(zone, count):
    # AB = 10 (1.0, 1.27, 1.618 of it), BC = 10 (1.13 to 3.618)
    assert confluence(*zone, 10.0, 10.0) == count


def test_closeness_falls_from_one_to_nothing():
    assert closeness(0.5, 0.5, 0.1) == 1.0
    assert closeness(0.55, 0.5, 0.1) == pytest.approx(0.5)
    assert closeness(0.45, 0.5, 0.1) == pytest.approx(0.5)
    assert closeness(0.7, 0.5, 0.1) == 0.0


def test_edge_of_a_point_is_worth_nothing_and_that_of_a_range_a_half():
    def b_part(pattern: int, b: float) -> float:
        rest = worth_of_turns(pattern, np.inf, 0.634, 0.0, 1)
        return (worth_of_turns(pattern, b, 0.634, 0.0, 1) - rest) / 0.35

    assert b_part(GARTLEY, 0.618) == pytest.approx(1.0)
    assert b_part(GARTLEY, 0.658) == pytest.approx(0.0)
    assert b_part(CRAB, 0.382) == pytest.approx(0.5)
    assert b_part(BAT, 0.382) == pytest.approx(0.5)


def test_place_of_d_is_worth_most_at_the_ideal():
    assert worth_of_end(GARTLEY, 0.786, 0.04) == pytest.approx(0.3)
    assert worth_of_end(GARTLEY, 0.806, 0.04) == pytest.approx(0.15)
    assert worth_of_end(GARTLEY, 0.83, 0.04) == 0
    for ratio in (0.886, 1.13):
        assert worth_of_end(SHARK, ratio, 0.04) == pytest.approx(0.3)
    assert worth_of_end(SHARK, 1.008, 0.04) == pytest.approx(0.15)
    assert worth_of_end(AB_CD, 1.0, 0.05) == pytest.approx(share_of_end(AB_CD))


@pytest.mark.parametrize("pattern", range(N_PATTERNS))
def test_shares_of_the_quality_add_up_to_one(pattern):
    shape = SHAPES[pattern]
    turns = worth_of_turns(pattern, shape["b_ideal"], shape["c_ideal"], shape["c_ideal"], 3)
    assert turns + worth_of_end(pattern, shape["d"][0], 0.04) == pytest.approx(1.0)


def test_stops_lie_beyond_the_zone_of_d():
    for shape in SHAPES:
        assert shape["stop"] > shape["d"][1]

import numpy as np
import pytest

from opportunity.detectors.elliott_counts import (
    BOOK,
    COUNT,
    FADE,
    add_up,
    advance,
    is_broken,
    is_same,
    remove,
    run_length,
    weigh_counts,
    widen,
)
from opportunity.detectors.elliott_kinds import (
    HALF_LIFE,
    IMPULSE,
    WAVE_3,
    WAVE_4,
    WAVE_5,
    WAVE_B,
    WAVE_B_FLAT,
    WAVE_C,
    ZIGZAG,
)
from opportunity.detectors.events import ACTIVE, FORMING
from opportunity.detectors.swings import SWINGS


def book(*g: float) -> np.record:
    b = np.zeros(1, BOOK)[0]
    b["used"] = len(g)
    b["counts"]["g"][: len(g)] = g
    b["counts"]["side"] = 1
    b["counts"]["worth"] = 0.5
    return b


def count(**fields: float) -> np.record:
    c = np.zeros(1, COUNT)[0]
    for name, value in fields.items():
        c[name] = value
    return c


def swings(*prices: float, run: float) -> np.record:
    """Pivots at these prices and the extreme of the leg that runs from the last one."""
    s = np.zeros(1, SWINGS)[0]
    s["count"] = len(prices)
    s["pivots"]["price"][: len(prices)] = prices
    s["direction"] = 1 if run > prices[-1] else -1
    s["high" if run > prices[-1] else "low"] = run
    return s


@pytest.mark.parametrize("g", [(0.5,), (1.0, 1.0), (1.0, 1.0, 1.0, 1.0, 1.0), (0.9, 0.1)])
def test_weights_are_shared_by_the_square_and_leave_room_for_doubt(g):
    b = book(*g)
    weigh_counts(b, 0.1)
    whole = 0.1 + sum(x * x for x in g)
    np.testing.assert_allclose(b["counts"]["omega"][: len(g)], [x * x / whole for x in g])
    assert b["counts"]["omega"].sum() < 1


def test_one_weak_count_never_gets_all_the_weight():
    b = book(0.2)
    weigh_counts(b, 0.1)
    assert b["counts"]["omega"][0] == pytest.approx(0.04 / 0.14)


@pytest.mark.parametrize("side", [1, -1])
def test_only_a_close_beyond_the_stop_breaks_a_count(side):
    c = count(side=side, stop=100.0)
    assert not is_broken(c, 100.0)
    assert not is_broken(c, 100.0 + side)
    assert is_broken(c, 100.0 - side * 2.0**-10)
    c["slack"] = 3.0
    assert not is_broken(c, 100.0 - side * 3.0)
    assert is_broken(c, 100.0 - side * 3.5)


def test_wave_3_is_worth_more_beyond_wave_1():
    c = count(kind=WAVE_3, worth=0.6, edge=5.0, state=FORMING, told=1)
    assert advance(c, 5.0)
    assert (c["worth"], c["state"]) == (0.6, FORMING)
    assert advance(c, 5.5)
    assert (c["worth"], c["state"], c["told"]) == (0.8, ACTIVE, 0)
    c["told"] = 1
    assert advance(c, 9.0)
    assert c["told"] == 1  # said once


def test_fifth_longer_than_a_short_third_breaks_the_count():
    c = count(kind=WAVE_5, worth=0.5, edge=5.0)
    assert advance(c, 5.0)
    assert not advance(c, 5.25)


def test_half_of_what_a_complete_pattern_says_is_left_after_its_half_life():
    left = FADE**HALF_LIFE
    assert left == pytest.approx(0.5)


@pytest.mark.parametrize("side", [1, -1])
def test_running_leg_is_measured_from_the_newest_pivot(side):
    assert run_length(swings(5.0, 10.0, run=10.0 + side * 4)) == 4.0


def test_score_falls_with_the_way_already_gone():
    b = book(1.0)
    weigh_counts(b, 0.1)
    b["counts"]["fall"] = 0.1
    near, _ = add_up(b, swings(0.0, run=2.0), 0.5)
    far, _ = add_up(b, swings(0.0, run=8.0), 0.5)
    past, sure = add_up(b, swings(0.0, run=12.0), 0.5)
    assert near == pytest.approx(0.5 * 0.8 / 1.1)
    assert far == pytest.approx(0.5 * 0.2 / 1.1)
    assert (past, sure) == (0.0, 0.0)


def test_counts_that_disagree_cost_confidence():
    b = book(1.0, 1.0)
    weigh_counts(b, 0.1)
    score, sure = add_up(b, swings(0.0, run=1.0), 0.5)
    assert sure == pytest.approx(0.5 * 2 / 2.1)
    b["counts"]["side"][1] = -1
    b["counts"]["worth"][1] = 0.25
    score, less = add_up(b, swings(0.0, run=1.0), 0.5)
    assert score == pytest.approx(0.25 / 2.1)
    assert less == pytest.approx(sure * 0.25 / 0.75)


def test_removal_keeps_the_order():
    b = book(0.9, 0.8, 0.7)
    remove(b, 0)
    assert b["used"] == 2
    np.testing.assert_array_equal(b["counts"]["g"][:2], [0.8, 0.7])


def test_wave_b_may_become_that_of_a_flat():
    c = count(kind=WAVE_B, side=-1, stop=20.0, told=1)
    s = swings(20.0, 10.0, run=21.0)
    assert is_broken(c, 21.0)
    widen(c, s)
    assert (c["kind"], c["told"]) == (WAVE_B_FLAT, 0)
    assert c["slack"] == pytest.approx(3.82)
    assert not is_broken(c, 21.0)
    assert is_broken(c, 23.9)


def test_a_count_goes_on_when_family_and_start_stay():
    assert is_same(count(kind=WAVE_4, first=7), count(kind=IMPULSE, first=7))
    assert is_same(count(kind=WAVE_B, first=7), count(kind=ZIGZAG, first=7))
    assert not is_same(count(kind=WAVE_4, first=7), count(kind=WAVE_4, first=9))
    assert not is_same(count(kind=WAVE_3, first=7), count(kind=WAVE_C, first=7))

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opportunity.risk.stops import require_stop_side, stop_loss

price = st.floats(1, 1e5)


def test_a_long_takes_the_tighter_of_atr_and_structure():
    found = stop_loss(100, 1, 4.0, [90, 97, 103])
    assert (found.stop, found.basis, found.by_atr, found.by_structure) == (97, "structure", 94, 97)
    assert stop_loss(100, 1, 1.0, [90, 97, 103]).stop == 98.5


def test_a_short_is_mirrored():
    found = stop_loss(100, -1, 4.0, [97, 103, 110])
    assert (found.stop, found.basis) == (103, "structure")
    assert (found.by_atr, found.by_structure) == (106, 103)
    assert stop_loss(100, -1, 1.0, [103]).stop == 101.5


def test_equally_near_ones_are_by_atr():
    assert stop_loss(100, 1, 2.0, [97]).basis == "atr"


def test_one_of_the_two_is_enough():
    assert stop_loss(100, 1, None, [90]).stop == 90
    assert stop_loss(100, 1, 2.0).stop == 97
    assert stop_loss(100, 1, 2.0, [101, 110]).by_structure is None


def test_an_atr_stop_below_nothing_is_none():
    assert stop_loss(100, 1, 80.0, [70]).stop == 70
    with pytest.raises(ValueError, match="must give a stop above 0 and below the entry"):
        stop_loss(100, 1, 80.0, [120])
    with pytest.raises(ValueError, match="above the entry"):
        stop_loss(100, -1)


@given(price, st.floats(0.01, 1e4), st.lists(price, max_size=5), st.sampled_from((1, -1)))
def test_the_stop_is_on_its_side_and_nearest(entry, atr, levels, side):
    try:
        found = stop_loss(entry, side, atr, levels)
    except ValueError:
        return
    require_stop_side(entry, found.stop, side)
    assert found.stop > 0
    given_ = [p for p in (found.by_atr, found.by_structure) if p is not None]
    assert abs(entry - found.stop) == min(abs(entry - p) for p in given_)


@pytest.mark.parametrize(
    ("values", "text"),
    [((0, 1, 1.0), "entry"), ((math.nan, 1, 1.0), "entry"), ((100, 0, 1.0), "side"),
     ((100, 1, -1.0), "atr"), ((100, 1, math.inf), "atr"), ((100, 1, None, [-5]), "level")],
)  # fmt: skip
def test_numbers_out_of_range_are_refused(values, text):
    with pytest.raises(ValueError, match=f"{text} must be"):
        stop_loss(*values)


@pytest.mark.parametrize(("side", "stop", "text"), [(1, 101, "long must be below"),
                                                    (-1, 99, "short must be above"),
                                                    (1, 100, "below")])  # fmt: skip
def test_a_stop_on_the_wrong_side_is_refused(side, stop, text):
    with pytest.raises(ValueError, match=text):
        require_stop_side(100, stop, side)

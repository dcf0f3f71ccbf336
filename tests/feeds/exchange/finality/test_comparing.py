import pytest
from scripted_venue import bar

from opportunity.feeds.exchange.finality.comparing import (
    change,
    change_bp,
    material,
    same,
    volume_change,
)


def test_equal_and_nearly_equal_bars_are_the_same():
    assert same(bar(100.0), bar(100.0))
    assert same((1.0, 2.0, 0.5, 1.5, 3.0), (1.0 + 1e-12, 2.0, 0.5, 1.5, 3.0 + 1e-7))
    assert same((1.0, 2.0, 0.5, 1.5, 0.0), (1.0, 2.0, 0.5, 1.5, 0.0))


@pytest.mark.parametrize("place", range(5))
def test_a_change_of_any_number_counts(place):
    values = [1.0, 2.0, 0.5, 1.5, 3.0]
    values[place] *= 1.00001
    assert not same((1.0, 2.0, 0.5, 1.5, 3.0), tuple(values))


def test_changes_are_measured():
    before, after = (100.0, 101.0, 99.0, 100.0, 4.0), (100.0, 102.01, 99.0, 100.5, 5.0)
    assert change(before, after) == pytest.approx(0.01)
    assert change_bp(before, after) == pytest.approx(100.0)
    assert volume_change(before, after) == volume_change(after, before) == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ((100.0, 101.0, 99.0, 100.04, 10.0), False),  # 4 bp
        ((100.0, 101.0, 99.0, 100.06, 10.0), True),  # 6 bp
        ((100.0, 101.0, 99.0, 100.0, 10.05), False),
        ((100.0, 101.0, 99.0, 100.0, 10.2), True),
        ((100.0, 101.0, 99.0, 100.0, 0.0), True),
    ],
)
def test_small_changes_are_not_material(after, expected):
    assert material((100.0, 101.0, 99.0, 100.0, 10.0), after) is expected

import math

import pytest

from opportunity.trading.levels import levels


def test_a_long_and_a_short_are_mirror_images():
    long, short = levels(1, 100.0, 2.0), levels(-1, 100.0, 2.0)
    assert (long.entry, long.stop, long.targets) == (100, 97, (103, 106, 109))
    assert (short.entry, short.stop, short.targets) == (100, 103, (97, 94, 91))
    assert long.risk == short.risk == 3


@pytest.mark.parametrize(
    ("side", "entry", "atr"),
    [(0, 100, 2), (1, math.nan, 2), (1, 100, math.nan), (1, 100, 0), (1, 0, 2), (-1, 100, 30),
     (1, 100, 70)],
)
def test_no_levels_where_none_exist(side, entry, atr):
    assert levels(side, entry, atr) is None


def test_unknown_direction_raises():
    with pytest.raises(ValueError, match="direction must be -1, 0 or 1, was 2"):
        levels(2, 100, 1)

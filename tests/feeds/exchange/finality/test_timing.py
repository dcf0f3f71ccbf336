import pytest

from opportunity.feeds.exchange.finality.timing import Timing
from opportunity.market.timeframe import DAY_MS, WEEK_MS

MONDAY = 4 * DAY_MS


def test_times_of_a_grid():
    timing = Timing("1m", 2_000, 3_000)
    assert (timing.length, timing.offset) == (60_000, 0)
    assert timing.floor(119_999) == 60_000
    assert timing.askable(60_000) == 122_000


def test_weeks_open_on_monday():
    timing = Timing("1w", 0, 0)
    assert (timing.length, timing.offset) == (WEEK_MS, MONDAY)
    assert timing.floor(MONDAY + WEEK_MS - 1) == MONDAY


@pytest.mark.parametrize(("grace", "hold", "name"), [(-1, 0, "grace_ms"), (0, -1, "hold_ms")])
def test_negative_patience_is_refused(grace, hold, name):
    with pytest.raises(ValueError, match=f"{name} must be >= 0, was -1"):
        Timing("1m", grace, hold)

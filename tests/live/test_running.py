import numpy as np
import pytest

from opportunity.feeds.base import Closed, Forming
from opportunity.live.running import newer, unfinished
from opportunity.market.bars import Bar
from opportunity.market.timeframe import HOUR_MS, MINUTE_MS

OPEN = 1_700_000_000_000 // HOUR_MS * HOUR_MS
PART = Bar(OPEN, 10.0, 12.0, 9.0, 11.0, 5.0)
RUNNING = (OPEN + MINUTE_MS, 11.0, 13.0, 10.5, 12.5, 2.0)


def test_running_bar_is_joined_with_what_has_closed() -> None:
    assert unfinished(PART, RUNNING, OPEN, "1h") == (OPEN, 10.0, 13.0, 9.0, 12.5, 7.0)


@pytest.mark.parametrize("newest", [OPEN + MINUTE_MS, OPEN + 5 * MINUTE_MS])
def test_running_bar_that_has_closed_is_not_counted_twice(newest) -> None:
    assert unfinished(PART, RUNNING, newest, "1h") == PART


def test_running_bar_counts_while_its_own_symbol_is_behind() -> None:
    """Others may be minutes ahead: what matters is what this symbol's bar is made of."""
    assert unfinished(PART, RUNNING, OPEN, "1h").volume == 7.0


def test_running_bar_alone_begins_the_longer_one() -> None:
    assert unfinished(None, RUNNING, OPEN, "1h") == (OPEN, *RUNNING[1:])
    later = (OPEN + HOUR_MS, *RUNNING[1:])
    assert unfinished(PART, later, OPEN, "1h").time == OPEN + HOUR_MS
    assert unfinished(None, None, OPEN, "1h") is None


def test_late_bar_does_not_put_the_price_back() -> None:
    rows, times = np.array([0, 1]), np.full(2, OPEN)
    late = Closed(OPEN + MINUTE_MS, rows, times, np.ones((2, 5)), np.ones(2, bool))
    known = {"A": (OPEN + MINUTE_MS, 2.0, 2.0, 2.0, 2.0, 2.0)}
    assert newer(late, ("A", "B"), known) == {"B": (OPEN, 1.0, 1.0, 1.0, 1.0, 1.0)}
    same = Forming(OPEN + 90_000, rows[:1], times[:1] + MINUTE_MS, np.full((1, 5), 3.0))
    assert newer(same, ("A", "B"), known)["A"][1] == 3.0

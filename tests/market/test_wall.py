"""The time on the wall."""

import time

from opportunity.market.wall import wall_ms


def test_wall_ms_is_the_time_of_this_machine() -> None:
    before = time.time_ns() // 1_000_000
    assert before <= wall_ms() <= time.time_ns() // 1_000_000

import time

from app.wall import wall_ms


def test_wall_time_is_in_milliseconds():
    assert abs(wall_ms() / 1e3 - time.time_ns() / 1e9) < 5

"""The time on the wall, for what people read; never for waiting or measuring."""

import time


def wall_ms() -> int:
    """Return the wall time of this machine in ms UTC."""
    return time.time_ns() // 1_000_000

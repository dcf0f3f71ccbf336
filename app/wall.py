"""The wall clock of this machine, for commands."""

import time


def wall_ms() -> int:
    """Return the wall time in ms UTC."""
    return time.time_ns() // 1_000_000

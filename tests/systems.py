"""A server's objects as the System page reads them, without a server."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from opportunity.contracts import DETECTOR_NAMES

HOUR = 3_600_000
NOW = 1_800_000_000_000 // HOUR * HOUR


class Bus:
    """A line to other processes on which something waits."""

    n_waiting = 6


def snapshot() -> SimpleNamespace:
    """Three symbols on two timeframes: one has no bars, one is late in the first."""
    closed = np.array([[NOW, NOW], [NOW - 900_000, NOW], [0, 0]])
    trust = np.array([[1.0, 1.0], [0.5, 0.25], [np.nan, np.nan]])
    scores = np.full((3, 2, len(DETECTOR_NAMES)), 0.5)
    return SimpleNamespace(
        time=NOW, timeframes=("5m", "1h"), symbols=("A/B", "C/B", "D/B"), closed=closed,
        trust=trust, scores=scores,
    )


class Server:
    """What is asked of `Services`; jobs by their states."""

    version, source, feed_name, base = "0.1.0", "simulated", "simulated", "5m"
    session = bus = None
    uptime_s = 61.4

    def __init__(self, *jobs: str) -> None:
        self.agent = SimpleNamespace(
            last_error="", storage_error="", running=True, enabled=True, n_scans=9, time=NOW,
            last_scan_ms=1.5, scan_interval_ms=30_000, n_unstored=2,
        )
        self.settings = SimpleNamespace(database="sqlite:///x.sqlite", login_required=False)
        self.feed = SimpleNamespace(clock=SimpleNamespace(speed=60.0))
        self.symbols, self.timeframes = ("A/B", "C/B", "D/B"), ("5m", "1h")
        self.websocket_stats = {
            "connections": 3, "elsewhere": 2, "subscriptions": 1, "messages_sent": 40,
        }
        self.hub = SimpleNamespace(waiting=(4, 1))
        states = [SimpleNamespace(state=state) for state in jobs]
        self.backtests = SimpleNamespace(jobs=SimpleNamespace(all=lambda: states))
        self.line: Any = None
        self.scored: Any = snapshot()

    def feed_status(self) -> Any:
        return self.line

    def snapshot(self) -> Any:
        return self.scored

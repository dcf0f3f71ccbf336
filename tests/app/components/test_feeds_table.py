"""What comes in: the line, the streams, the sources."""

import numpy as np
import systems

from app.components.feeds_table import feeds_state, source_rows, stream_rows
from opportunity.feeds.status import FeedStatus
from opportunity.measured import Measured


def test_a_market_without_a_line_says_so() -> None:
    measured = Measured(lambda: 5.0)
    state = feeds_state(systems.Server(), measured)
    assert state["line"] is None
    assert state["age_s"] is None
    assert state["bar_s"] == 5.0  # 5m at 60 times the wall clock
    measured.count("bars")
    assert feeds_state(systems.Server(), measured)["age_s"] == 0.0


def test_a_line_is_told_whole() -> None:
    server = systems.Server()
    server.line = FeedStatus("limited", "asked to wait", 7, 9, 1, 2, 3, 40.0, -5)
    line = feeds_state(server, Measured())["line"]
    assert line == {
        "state": "limited", "text": "asked to wait", "since": 7, "retry_at": 9, "reconnects": 1,
        "corrections": 2, "refused": 3, "delay_ms": 40.0, "skew_ms": -5,
    }


def test_streams_by_timeframe_count_the_late_ones() -> None:
    server = systems.Server()
    first, second = stream_rows(server)
    assert (first["timeframe"], first["streams"], first["of"], first["late"]) == ("5m", 2, 3, 1)
    assert first["age_ms"] == 0
    assert (second["late"], second["trust"]) == (0, 0.25)
    server.scored.closed[:] = 0
    assert stream_rows(server)[0]["newest"] is None
    server.scored = None
    assert stream_rows(server) == []


def test_detectors_say_what_they_read_and_providers_what_failed() -> None:
    server, measured = systems.Server(), Measured()
    measured.count("provider_errors", 3, "desk")
    rows = source_rows(server, measured)
    assert len(rows) == 10
    assert rows[0]["reads"] == ["bars"]
    assert rows[-1] == {"name": "desk", "reads": [], "there": False, "errors": 3, "share": None}
    server.scored.scores[..., 0] = np.nan
    assert source_rows(server, measured)[0]["share"] == 0.0
    server.scored = None
    assert source_rows(server, measured)[0]["share"] is None

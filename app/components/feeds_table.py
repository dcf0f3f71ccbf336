"""What comes in: the line to the market, its streams by timeframe, and what detectors read."""

from typing import Any, ClassVar, Final

import numpy as np

from app.components.asking import Asking, asking_module, asking_style
from opportunity.contracts import DETECTOR_NAMES
from opportunity.detectors import DETECTORS
from opportunity.market.timeframe import length_ms
from opportunity.measured import MEASURED, Measured
from opportunity.scoring.presence import existing

LATE: Final = 2.0
"""Bars of its timeframe after whose end a newest close is called late."""


class FeedsTable(Asking):
    """The line, the streams and the sources, with state, delay and age."""

    _esm = asking_module("feeds_table")
    _stylesheets: ClassVar[list[str]] = [asking_style("feeds_table")]


def feeds_state(services: Any, measured: Measured = MEASURED) -> dict[str, Any]:
    """Return what comes in, as of now."""
    line = services.feed_status()
    return {
        "feed": services.feed_name, "source": services.source,
        "simulated": "simulated" in services.source,
        "age_s": measured.age_s("bars"),
        "bar_s": length_ms(services.base) / 1e3 / services.feed.clock.speed,
        "line": None if line is None else {
            "state": line.state, "text": line.text, "since": line.since,
            "retry_at": line.retry_at, "reconnects": line.n_reconnects,
            "corrections": line.n_corrections, "refused": line.n_refused,
            "delay_ms": line.delay_ms, "skew_ms": line.skew_ms,
        },
        "streams": stream_rows(services), "sources": source_rows(services, measured),
    }  # fmt: skip


def stream_rows(services: Any) -> list[dict[str, Any]]:
    """Return by timeframe: streams, the newest close, how many are late, the lowest trust."""
    snapshot = services.snapshot()
    if snapshot is None:
        return []
    rows = []
    for i, frame in enumerate(snapshot.timeframes):
        closed, trust = snapshot.closed[:, i], snapshot.trust[:, i]
        there = closed > 0
        late = there & (snapshot.time - closed >= LATE * length_ms(frame))
        known = trust[there & np.isfinite(trust)]
        rows.append({
            "timeframe": frame, "streams": int(there.sum()), "of": closed.size,
            "newest": int(closed.max()) if there.any() else None, "late": int(late.sum()),
            "age_ms": int(snapshot.time - closed.max()) if there.any() else None,
            "trust": float(known.min()) if known.size else None,
        })  # fmt: skip
    return rows


def source_rows(services: Any, measured: Measured = MEASURED) -> list[dict[str, Any]]:
    """Return by detector: what it reads and whether that is there; then who did not answer."""
    snapshot = services.snapshot()
    here = existing(None if snapshot is None else snapshot.scores)
    rows = [
        {
            "name": detector.title,
            "reads": sorted(kind.__name__.lower() for kind in detector.needs) or ["bars"],
            "there": bool(here[i]),
            "share": None if snapshot is None
            else float(np.isfinite(snapshot.scores[..., i]).mean()),
        }
        for i, detector in enumerate(DETECTORS[: len(DETECTOR_NAMES)])
    ]  # fmt: skip
    counts = measured.counts()
    failed = {label: n for (name, label), n in counts.items() if name == "provider_errors"}
    return [*rows, *(
        {"name": label, "reads": [], "there": False, "errors": int(n), "share": None}
        for label, n in sorted(failed.items())
    )]  # fmt: skip

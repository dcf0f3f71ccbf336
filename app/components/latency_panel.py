"""How late loops are, how long work takes, and what waits: of the last minute and the start."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from app.components.asking import Asking, asking_module, asking_style
from opportunity.measured import BOUNDS_S, Durations

KINDS: Final = ("loop_lag", "scan", "commit", "detector")
"""Of what is measured, in the order in which it is shown."""

LIMITS_S: Final[Mapping[tuple[str, str], float]] = {
    ("loop_lag", "server"): 0.1, ("loop_lag", "agent"): 0.02,
    ("scan", ""): 0.5, ("commit", ""): 0.5,
}  # fmt: skip
"""Of the worst in the last minute, seconds: above it the panel says so."""

Key = tuple[str, str]


class LatencyPanel(Asking):
    """Durations and queues."""

    _esm = asking_module("latency_panel")
    _stylesheets: ClassVar[list[str]] = [asking_style("latency_panel")]


def latency_state(
    services: Any, waiting_notices: int, now: Mapping[Key, Durations],
    before: Mapping[Key, Durations],
) -> dict[str, Any]:
    """Return durations by kind and label, and the queues.

    Parameters
    ----------
    services : Services
    waiting_notices : int
        Notices that wait to be sent.
    now, before : mapping
        `Measured.durations` of now and of a minute ago; empty: nothing was measured then.
    """
    return {
        "rows": [
            row(key, now[key], before.get(key))
            for kind in KINDS for key in sorted(now) if key[0] == kind
        ],
        "queues": queues(services, waiting_notices),
    }  # fmt: skip


def row(key: Key, now: Durations, before: Durations | None) -> dict[str, Any]:
    """Return one line: how often and how long in the last minute, and since the start; ms."""
    recent = now if before is None else since(now, before)
    limit = LIMITS_S.get(key)
    worst = quantile_ms(recent, 1.0)
    return {
        "kind": key[0], "label": key[1], "n": recent.n, "half": quantile_ms(recent, 0.5),
        "most": quantile_ms(recent, 0.99), "worst": worst,
        "ever": quantile_ms(now, 0.99), "ever_worst": quantile_ms(now, 1.0), "total": now.n,
        "limit": None if limit is None else limit * 1e3,
        "over": limit is not None and worst is not None and worst > limit * 1e3,
        "over_ever": recent.n > 0 and quantile_ms(recent, 1.0) is None,
    }  # fmt: skip


def since(now: Durations, before: Durations) -> Durations:
    """Return what was measured after `before`."""
    counts = tuple(max(0, a - b) for a, b in zip(now.counts, before.counts, strict=True))
    return Durations(counts, max(0.0, now.total_s - before.total_s))


def quantile_ms(of: Durations, share: float) -> float | None:
    """Return the upper bound of the bin in which a share of the durations ends, ms.

    None without any, and where it is in the last bin, which has no end.
    """
    wanted, n = share * of.n, 0
    if not of.n:
        return None
    for bound, count in zip(BOUNDS_S, of.counts, strict=False):
        n += count
        if n >= wanted and n > 0:
            return bound * 1e3
    return None


def queues(services: Any, waiting_notices: int) -> list[dict[str, Any]]:
    """Return what waits and where: name, number, and from where on it is too much."""
    states, events = services.hub.waiting
    found = [
        {"name": "states", "n": states, "most": 5_000},
        {"name": "events", "n": events, "most": 500},
        {"name": "postings", "n": services.agent.n_unstored, "most": 20},
        {"name": "notices", "n": waiting_notices, "most": 100},
        {"name": "jobs", "n": sum(j.state == "queued" for j in services.backtests.jobs.all()),
         "most": 20},
    ]  # fmt: skip
    if services.bus is not None:
        found.append({"name": "bus", "n": services.bus.n_waiting, "most": 5_000})
    return found

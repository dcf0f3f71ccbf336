"""The server at a glance: what runs, of which version, since when, and whether all is well."""

import platform
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, ClassVar, Final

from app.components.asking import Asking, asking_module, asking_style
from app.components.language import phrase
from app.observing.ready import CUT

PARTS: Final = ("panel", "bokeh", "tornado", "numpy", "numba", "sqlalchemy")
"""Packages whose versions are told."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at files and the database found, on a thread.

    Parameters
    ----------
    error : str
        Why the database does not answer; empty while it does.
    took_ms : float
        How long it took to answer.
    notices : int
        Notices that wait to be sent.
    size, free : int or None
        Bytes of the database's file with its log, and free beside it; None for a server.
    resident : int or None
        Bytes of memory that the process holds; None where nobody says.
    """

    error: str = ""
    took_ms: float = 0.0
    notices: int = 0
    size: int | None = None
    free: int | None = None
    resident: int | None = None


class SystemState(Asking):
    """Tiles: whether all is well, and what it stands on."""

    _esm = asking_module("system_state")
    _stylesheets: ClassVar[list[str]] = [asking_style("system_state")]


def system_state(services: Any, looked: Looked) -> dict[str, Any]:
    """Return the tiles; times are ms of the wall or of the market, as named."""
    agent, settings = services.agent, services.settings
    stats = services.websocket_stats
    return {
        "troubles": troubles(services, looked),
        "source": services.source, "feed": services.feed_name,
        "simulated": "simulated" in services.source,
        "version": services.version, "parts": parts(), "uptime_s": round(services.uptime_s),
        "symbols": len(services.symbols), "timeframes": list(services.timeframes),
        "market_time": agent.time or None, "speed": services.feed.clock.speed,
        "enabled": agent.enabled, "running": agent.running, "scans": agent.n_scans,
        "scan_ms": agent.last_scan_ms, "heartbeat_ms": agent.scan_interval_ms,
        "connections": stats["connections"] + stats.get("elsewhere", 0),
        "subscriptions": stats["subscriptions"], "sent": stats["messages_sent"],
        "database": "postgresql" if settings.database.startswith("postgres") else "sqlite",
        "database_ms": None if looked.error else looked.took_ms,
        "size": looked.size, "free": looked.free, "resident": looked.resident,
        "recording": services.session is not None,
        "login": settings.login_required,
        "jobs": jobs(services),
    }  # fmt: skip


def troubles(services: Any, looked: Looked) -> list[dict[str, Any]]:
    """Return what is wrong now, as phrases; empty while all is well."""
    agent, line = services.agent, services.feed_status()
    found = []
    if agent.last_error:
        found.append(phrase("The agent reports an error: {why}", why=agent.last_error))
    elif services.snapshot() is None:
        found.append(phrase("The agent is still reading history."))
    elif not agent.running:
        found.append(phrase("The agent does not run."))
    if line is not None and line.state in CUT:
        found.append(phrase("The line to the market is cut: {why}", why=line.text))
    if looked.error:
        found.append(phrase("The database does not answer: {why}", why=looked.error))
    if agent.storage_error:
        found.append(phrase("The account cannot be stored: {why}", why=agent.storage_error))
    return found


def jobs(services: Any) -> dict[str, int]:
    """Return how many jobs there are: queued, running and kept."""
    states = [job.state for job in services.backtests.jobs.all()]
    return {
        "queued": states.count("queued"),
        "running": states.count("running") + states.count("cancelling"), "kept": len(states),
    }  # fmt: skip


@cache
def parts() -> dict[str, str]:
    """Return the versions of what the program stands on, Python's first."""
    found = {"python": platform.python_version()}
    for name in PARTS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found

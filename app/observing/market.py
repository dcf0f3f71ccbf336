"""Numbers of agent, feed and account, read from the running objects when somebody asks."""

from collections.abc import Iterator
from typing import Any, Final, get_args

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from app.observing.families import PREFIX, counter, gauge, gauges
from opportunity.feeds.status import FeedStatus, LineState
from opportunity.live.portfolio import PortfolioState
from opportunity.market.timeframe import length_ms
from opportunity.measured import MEASURED

OPEN: Final = ("open", "half_open")
"""States of a breaker that lets nothing through, or not all."""


def agent_families(services: Any) -> Iterator[Metric]:
    """Yield how the agent does."""
    agent = services.agent
    about = GaugeMetricFamily(
        PREFIX + "build_info", "Version and source of the market data.",
        labels=["version", "source"],
    )  # fmt: skip
    about.add_metric([services.version, services.source], 1)
    yield about
    yield from gauge("uptime_seconds", "Time since the server began.", services.uptime_s)
    yield from gauge("agent_enabled", "Whether the agent publishes signals.", agent.enabled)
    yield from gauge("agent_running", "Whether the agent's loop turns.", agent.running)
    yield from gauge(
        "agent_failing", "Whether the agent reports an error.", bool(agent.last_error)
    )
    yield from gauge("symbols", "Symbols that are watched.", len(services.symbols))
    evaluation = services.evaluation()
    passing = 0 if evaluation is None else len(evaluation)
    yield from gauge("active_signals", "Symbols that pass the shared rules.", passing)
    took = agent.last_scan_ms
    yield from gauge(
        "scan_last_duration_seconds", "Duration of the last scan.",
        None if took is None else took / 1e3,
    )  # fmt: skip
    yield from counter("scans", "Scans since the start.", agent.n_scans)


def feed_families(services: Any) -> Iterator[Metric]:
    """Yield how the line to the market does."""
    yield from gauge(
        "feed_age_seconds", "Time since bars closed last; absent before the first.",
        MEASURED.age_s("bars"),
    )  # fmt: skip
    speed = services.feed.clock.speed
    yield from gauge(
        "feed_bar_seconds", "Real time between two closes of the base timeframe.",
        length_ms(services.base) / 1e3 / speed,
    )  # fmt: skip
    line: FeedStatus | None = services.feed_status()
    if line is None:
        return
    states = [(state, line.state == state) for state in get_args(LineState)]
    yield gauges("feed_state", "1 for the state that the line is in.", "state", states)
    yield from counter("feed_reconnects", "Lines that were opened anew.", line.n_reconnects)
    yield from counter("feed_corrections", "Bars that were corrected.", line.n_corrections)
    yield from counter("feed_refused", "Rows that were not believed.", line.n_refused)
    yield from gauge(
        "feed_delay_seconds", "From the close of a batch to its release, median.",
        None if line.delay_ms is None else line.delay_ms / 1e3,
    )  # fmt: skip
    yield from gauge(
        "feed_clock_skew_seconds", "The exchange's clock minus ours.",
        None if line.skew_ms is None else line.skew_ms / 1e3,
    )  # fmt: skip


def account_families(services: Any) -> Iterator[Metric]:
    """Yield the paper account; nothing before it is known."""
    state: PortfolioState | None = services.hub.latest("portfolio")
    if state is None:
        return
    yield from gauge("equity", "Cash and positions of the paper account, quote.", state.equity)
    yield from gauge("drawdown_ratio", "Loss from the peak, fraction.", state.drawdown)
    yield from gauge("day_pnl", "Gain since midnight UTC, quote currency.", state.day_pnl)
    yield from gauge("leverage_ratio", "Notional by equity.", state.leverage)
    yield from gauge("positions", "Positions that are open.", len(state.positions))
    yield from gauge("orders_waiting", "Orders that wait.", len(state.waiting))
    yield from gauge("can_trade", "Whether entries are let through.", state.can_trade)
    yield gauges(
        "breaker_open", "1 for a breaker that holds entries back.", "breaker",
        [(line.name, line.state in OPEN) for line in state.breakers],
    )  # fmt: skip
    trips = CounterMetricFamily(
        PREFIX + "breaker_trips", "How often each tripped.", labels=["breaker"]
    )
    for line in state.breakers:
        trips.add_metric([line.name], line.n_trips)
    yield trips


def storage_families(services: Any, error: str, n_notices: int) -> Iterator[Metric]:
    """Yield how storing goes.

    Parameters
    ----------
    services : Services
    error : str
        Of a look at the database, empty while it answers.
    n_notices : int
        Notices that wait to be sent.
    """
    agent = services.agent
    yield from gauge(
        "storage_failing", "Whether nothing can be stored now.",
        bool(error or agent.storage_error),
    )  # fmt: skip
    yield from gauge(
        "bookkeeper_waiting", "Batches of the account that wait to be stored.", agent.n_unstored
    )
    yield from gauge("notices_waiting", "Notices that wait to be sent.", n_notices)

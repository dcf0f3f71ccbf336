"""Agent, feed and account as numbers."""

from types import SimpleNamespace

import pytest

from app.observing.market import (
    account_families,
    agent_families,
    feed_families,
    storage_families,
)
from opportunity.feeds.status import FeedStatus
from opportunity.live.portfolio import BreakerLine


def values(families) -> dict:
    return {
        (s.name, *s.labels.values()): s.value for family in families for s in family.samples
    }


@pytest.fixture
def services() -> SimpleNamespace:
    agent = SimpleNamespace(
        enabled=True, running=True, last_error="", last_scan_ms=None, n_scans=4,
        storage_error="", n_unstored=2,
    )  # fmt: skip
    return SimpleNamespace(
        agent=agent, version="1", source="simulated", uptime_s=3.5, symbols=("A/B",),
        evaluation=lambda: None, base="1m", feed=SimpleNamespace(clock=SimpleNamespace(speed=60.0)),
        feed_status=lambda: None, hub=SimpleNamespace(latest=lambda topic: None),
    )  # fmt: skip


def test_agent(services) -> None:
    found = values(agent_families(services))
    assert found["opportunity_agent_enabled",] == 1
    assert found["opportunity_agent_failing",] == 0
    assert found["opportunity_active_signals",] == 0
    assert found["opportunity_scans_total",] == 4
    assert found["opportunity_build_info", "1", "simulated"] == 1
    assert ("opportunity_scan_last_duration_seconds",) not in found
    services.agent.last_scan_ms, services.agent.last_error = 12.5, "gone"
    found = values(agent_families(services))
    assert found["opportunity_scan_last_duration_seconds",] == 0.0125
    assert found["opportunity_agent_failing",] == 1


def test_feed_without_and_with_a_line(services) -> None:
    found = values(feed_families(services))
    assert found["opportunity_feed_bar_seconds",] == 1.0
    assert not any("feed_state" in name for name, *_ in found)
    services.feed_status = lambda: FeedStatus(
        "banned", "until noon", 1, n_reconnects=3, delay_ms=250.0, skew_ms=-1_500
    )
    found = values(feed_families(services))
    assert found["opportunity_feed_state", "banned"] == 1
    assert found["opportunity_feed_state", "live"] == 0
    assert found["opportunity_feed_reconnects_total",] == 3
    assert found["opportunity_feed_delay_seconds",] == 0.25
    assert found["opportunity_feed_clock_skew_seconds",] == -1.5


def test_account_is_absent_before_it_is_known(services) -> None:
    assert list(account_families(services)) == []
    state = SimpleNamespace(
        equity=9_000.0, drawdown=0.1, day_pnl=-5.0, leverage=1.5, positions=(1, 2), waiting=(),
        can_trade=False,
        breakers=(
            BreakerLine("drawdown", "open", 0, 5, 2, ""), BreakerLine("day", "closed", 0, 0, 0, ""),
        ),
    )  # fmt: skip
    services.hub = SimpleNamespace(latest=lambda topic: state if topic == "portfolio" else None)
    found = values(account_families(services))
    assert found["opportunity_equity",] == 9_000
    assert found["opportunity_positions",] == 2
    assert found["opportunity_can_trade",] == 0
    assert found["opportunity_breaker_open", "drawdown"] == 1
    assert found["opportunity_breaker_open", "day"] == 0
    assert found["opportunity_breaker_trips_total", "drawdown"] == 2


@pytest.mark.parametrize(("error", "agents", "failing"), [("", "", 0), ("x", "", 1), ("", "y", 1)])
def test_storage(services, error, agents, failing) -> None:
    services.agent.storage_error = agents
    found = values(storage_families(services, error, 7))
    assert found["opportunity_storage_failing",] == failing
    assert found["opportunity_bookkeeper_waiting",] == 2
    assert found["opportunity_notices_waiting",] == 7

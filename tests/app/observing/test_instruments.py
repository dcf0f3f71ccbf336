"""Counts of requests, bounded whatever is sent."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from app.observing.instruments import (
    BOUNDS_S,
    MOST_CODES,
    MOST_COUNTED,
    MOST_ROUTES,
    Instruments,
)


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def value(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(f"opportunity_{name}", labels)


def n_series(registry: CollectorRegistry) -> int:
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return sum(len(family.samples) for family in families)


def test_answers_are_counted_by_method_route_and_class(registry) -> None:
    seen = Instruments(registry)
    for status in (200, 204, 304, 404, 429, 500):
        seen.answered("GET", "/api/x", status, 0.01)
    seen.answered("BREW", "/api/x", 405, 0.01)
    of = {"method": "GET", "route": "/api/x"}
    assert value(registry, "http_requests_total", status="2xx", **of) == 2
    assert value(registry, "http_requests_total", status="4xx", **of) == 2
    assert value(
        registry, "http_requests_total", method="other", route="/api/x", status="4xx"
    ) == 1
    assert value(registry, "http_request_duration_seconds_count", route="/api/x") == 7
    assert value(registry, "http_request_duration_seconds_bucket", route="/api/x", le="0.025") == 7
    assert value(registry, "http_request_duration_seconds_bucket", route="/api/x", le="0.005") == 0


def test_an_upgrade_has_no_duration(registry) -> None:
    Instruments(registry).answered("GET", "/ws/realtime", 101, 3_600.0)
    assert value(registry, "http_request_duration_seconds_count", route="/ws/realtime") is None


def test_problems_and_logins_are_counted(registry) -> None:
    seen = Instruments(registry)
    seen.refused("wrong_host", 403)
    seen.login_refused()
    assert value(registry, "refusals_total", code="wrong_host", status="403") == 1
    assert value(registry, "logins_refused_total") == 1


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 3_000))
def test_nothing_grows_without_bound(n: int) -> None:
    registry = CollectorRegistry()
    seen = Instruments(registry)
    for i in range(n):
        seen.answered(f"M{i % 9}" if i % 2 else "GET", f"/{i}", 100 * (i % 5 + 1), 0.1)
        seen.refused(f"code{i}", 400)
    bound = MOST_COUNTED + 10 + (MOST_ROUTES + 1) * (len(BOUNDS_S) + 3) + MOST_CODES + 10
    assert n_series(registry) <= bound < 1_700
    requests = [f for f in registry.collect() if f.name == "opportunity_http_requests"]
    assert sum(s.value for s in requests[0].samples if s.name.endswith("_total")) == n

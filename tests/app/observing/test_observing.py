"""All numbers of a server together: complete, bounded, of now."""

import asyncio
import json
import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from spent import cpu_under

from app.api import resources
from app.observing.observing import Observing
from opportunity.contracts import DETECTOR_NAMES
from opportunity.measured import MEASURED

DEPLOY = Path(__file__).parents[3] / "docs" / "deploy"

ELSEWHERE = {
    "opportunity_feed_state", "opportunity_feed_reconnects_total", "opportunity_bus_up",
    "opportunity_bus_waiting", "opportunity_bus_lag_seconds", "opportunity_bus_published_total",
    "opportunity_feed_clock_skew_seconds", "opportunity_feed_age_seconds",
    "opportunity_equity", "opportunity_drawdown_ratio", "opportunity_positions",
    "opportunity_orders_waiting", "opportunity_breaker_open",
    "opportunity_provider_errors_total", "opportunity_cache_hits_total",
    "opportunity_cache_misses_total", "opportunity_http_hot_answers_total",
    "opportunity_detector_duration_seconds_bucket", "opportunity_scan_duration_seconds_bucket",
    "opportunity_commit_duration_seconds_bucket",
}  # fmt: skip
"""Told only by an exchange, a bus, an account or an agent at work; market and serving test them."""


async def text_of(world) -> str:
    status, text, _ = await world.call("GET", "/metrics")
    assert status == 200
    return text


async def test_every_number_that_is_looked_at_is_there(world) -> None:
    await world.call("GET", "/api/nothing")
    async with asyncio.timeout(30):
        while 'loop="server"' not in (text := await text_of(world)):  # noqa: ASYNC110 - a timer
            await asyncio.sleep(0.05)
    names = {s.name for f in text_string_to_metric_families(text) for s in f.samples}
    for file in ("alerts.yml", "dashboard.json"):
        read = (DEPLOY / file).read_text()
        wanted = set(re.findall(r"\b(?:opportunity|process)_[a-z_]+\b", read))
        wanted = {name for name in wanted if not name.endswith("_")}
        assert wanted - names - ELSEWHERE - {"opportunity_pages"} == set(), file
        assert len(wanted) > 20


async def test_there_are_never_too_many_series(world) -> None:
    for i in range(50):
        await world.http.request(f"M{i}", f"{world.url}/api/{i}")
    seen = Observing.of(world.application).instruments
    for template, handler in resources():  # whatever could ever happen
        for method in (*handler.methods(), "BREW"):
            for status in (101, 200, 304, 404, 500):
                seen.answered(method, template, status, 0.1)
    for i in range(500):
        seen.refused(f"code{i}", 400 + i % 100)
    for name in DETECTOR_NAMES:
        MEASURED.took("detector", 0.001, name)
    for name in ("scan", "commit"):
        MEASURED.took(name, 0.001)
    text = await text_of(world)
    n = sum(len(f.samples) for f in text_string_to_metric_families(text))
    assert 300 < n < 2_000
    assert "/api/17" not in text


async def test_text_is_quickly_made(world) -> None:
    await text_of(world)
    with cpu_under(0.1):  # the loop is held by most of it
        await Observing.of(world.application).text()


async def test_agents_loop_is_measured_once_it_runs(world) -> None:
    import threading

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def n_lags() -> int:
        found = MEASURED.durations().get(("loop_lag", "agent"))
        return 0 if found is None else found.n

    before = n_lags()
    world.services.agent.loop = loop
    async with asyncio.timeout(30):
        while n_lags() <= before:  # noqa: ASYNC110 - a timer on another thread
            await asyncio.sleep(0.05)
    loop.call_soon_threadsafe(loop.stop)
    await asyncio.to_thread(thread.join)
    loop.close()


async def test_a_failing_database_is_seen(world) -> None:
    from opportunity.errors import OpportunityError

    def look() -> int:
        raise OpportunityError("at postgresql://user:SECRET@db")

    observing = Observing.of(world.application)
    observing.storage._look = look
    assert await observing.not_ready() == ["the database does not answer"]
    text = await text_of(world)
    assert "opportunity_storage_failing 1.0" in text
    assert "SECRET" not in text


def test_dashboard_is_what_grafana_reads() -> None:
    board = json.loads((DEPLOY / "dashboard.json").read_text())
    panels = board["panels"]
    assert len({p["id"] for p in panels}) == len(panels) > 20
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        if panel["type"] != "row":
            assert panel["title"]
            assert all(t["expr"] and t["legendFormat"] for t in panel["targets"])
    cells = [
        (x, y)
        for p in panels
        for x in range(p["gridPos"]["x"], p["gridPos"]["x"] + p["gridPos"]["w"])
        for y in range(p["gridPos"]["y"], p["gridPos"]["y"] + p["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells))  # no panel lies on another


@pytest.mark.parametrize("name", ["tracing", "_agents"])
async def test_nothing_is_made_that_is_not_asked_for(world, name) -> None:
    assert getattr(Observing.of(world.application), name) is None


async def test_the_docs_name_every_number_and_no_other(world) -> None:
    text = (DEPLOY.parent / "monitoring.md").read_text()
    table = text.partition("<!-- metrics: begin -->")[2].partition("<!-- metrics: end -->")[0]
    told = re.findall(r"`(opportunity_\w+)`", table)
    assert len(set(told)) == len(told)
    families = {f.name for f in text_string_to_metric_families(await text_of(world))}
    ours = {name for name in families if name.startswith("opportunity_")}
    assert ours <= set(told)
    elsewhere = {re.sub(r"_(total|bucket)$", "", name) for name in ELSEWHERE}
    assert set(told) - ours - elsewhere <= {
        "opportunity_feed_corrections", "opportunity_feed_refused",
        "opportunity_feed_delay_seconds", "opportunity_day_pnl", "opportunity_leverage_ratio",
        "opportunity_can_trade", "opportunity_breaker_trips",
    }

"""Spans, received by a collector on loopback over HTTP."""

import asyncio
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from app.observing.observing import Observing
from app.observing.requests import SETTING
from app.tracing import Tracing
from opportunity.config import Settings, SettingsError
from opportunity.measured import MEASURED
from tests.app.api.conftest import world as world

SECRET = "CANARY-77aa"


class Collector:
    """Takes OTLP over HTTP."""

    def __init__(self) -> None:
        self.bodies: list[tuple[str, bytes]] = []
        mine = self.bodies

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                mine.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self._thread = threading.Thread(target=self.server.serve_forever)
        self._thread.start()

    def spans(self) -> list:
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
            ExportTraceServiceRequest,
        )

        found = []
        for path, body in self.bodies:
            assert path == "/v1/traces"
            assert SECRET.encode() not in body
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                names = {a.key: a.value.string_value for a in resource.resource.attributes}
                assert names["service.name"] == "opportunity"
                found += [span for scope in resource.scope_spans for span in scope.spans]
        return found

    def close(self) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


@pytest.fixture
def collector():
    pytest.importorskip("opentelemetry.sdk")
    made = Collector()
    yield made
    made.close()


def attributes(span) -> dict:
    return {
        a.key: a.value.string_value or a.value.int_value for a in span.attributes
    }


async def test_requests_scans_and_commits_become_spans(world, collector) -> None:
    observing = world.application.settings[SETTING]
    observing.tracing = Tracing(collector.url, "1.2.3")
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    _, _, headers = await world.call(
        "GET", f"/api/nothing?x={SECRET}", headers={"traceparent": parent}
    )
    await world.call("GET", "/health/live", headers={"Authorization": f"Bearer {SECRET}"})
    await asyncio.to_thread(MEASURED.took, "commit", 0.25)
    MEASURED.took("scan", 0.5)
    MEASURED.took("detector", 0.1, "smc")
    await observing.tracing.close()
    spans = {span.name: span for span in collector.spans()}
    assert len(spans) == len(collector.spans())
    assert "detector" not in spans
    lost = next(s for s in spans.values() if attributes(s).get("http.response.status_code") == 404)
    assert attributes(lost)["opportunity.request_id"] == headers["X-Request-Id"]
    assert lost.trace_id.hex() == "0af7651916cd43dd8448eb211c80319c"
    assert lost.parent_span_id.hex() == "b7ad6b7169203331"
    live = spans["GET /health/live"]
    assert attributes(live)["http.route"] == "/health/live"
    assert not live.parent_span_id
    assert live.trace_id != lost.trace_id
    for name, seconds in (("commit", 0.25), ("scan", 0.5)):
        took = spans[name].end_time_unix_nano - spans[name].start_time_unix_nano
        assert abs(took - seconds * 1e9) < 1e6
    observing.tracing = None
    MEASURED.took("scan", 0.5)  # nobody listens any more


async def test_a_collector_that_is_gone_costs_nothing(world) -> None:
    observing = world.application.settings[SETTING]
    observing.tracing = Tracing("http://127.0.0.1:9", "1")
    status, _, _ = await world.call("GET", "/health/live")
    assert status == 200
    async with asyncio.timeout(20):
        await observing.tracing.close()
    observing.tracing = None


def test_off_is_nothing_at_all() -> None:
    assert Tracing.of(Settings(), "1") is None
    code = (
        "import sys; import app.tracing, app.observing.requests;"
        "sys.exit(any(n.startswith('opentelemetry') for n in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


async def test_the_server_makes_it_from_its_settings(world, collector) -> None:
    world.services.settings = Settings(otlp_url=collector.url + "/")
    made = Observing(world.services, world.realtime, world.application.settings[SETTING].paths)
    made.tracing.begin("GET", {}).end("/x", 503, "id")
    await made.close()
    assert [span.name for span in collector.spans()] == ["GET /x"]


@pytest.mark.parametrize("url", [f"user:{SECRET}@host", "ftp://x", "4318"])
def test_an_address_that_is_none_is_an_error_without_it(url: str) -> None:
    with pytest.raises(SettingsError, match="must be an address") as error:
        Tracing.of(Settings(otlp_url=url), "1")
    assert SECRET not in str(error.value)

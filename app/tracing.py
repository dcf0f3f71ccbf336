"""OpenTelemetry, where an address of a collector is set: spans of requests, scans and commits.

Without one nothing of it is imported and nothing is done. What is sent: method, route, status and
request id of each answer; how long scans and commits took. No path, no query, no body, no name.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from opportunity.config import Settings, SettingsError
from opportunity.measured import MEASURED

TOLD: Final = frozenset({"scan", "commit"})
"""Durations that become spans; detectors are too many."""

CLOSE_S: Final = 3.0
"""How long spans that wait may take to be sent at the end."""

PATH: Final = "/v1/traces"


class Span:
    """A request that is being answered; what happens meanwhile is inside of it."""

    def __init__(self, span: Any, token: Any) -> None:
        self._span, self._token = span, token

    def end(self, route: str, status: int, request_id: str) -> None:
        """Name the span after its route and end it."""
        from opentelemetry import context
        from opentelemetry.trace import Status, StatusCode

        span = self._span
        span.update_name(f"{span.attributes['http.request.method']} {route}")
        span.set_attribute("http.route", route)
        span.set_attribute("http.response.status_code", status)
        span.set_attribute("opportunity.request_id", request_id)
        if status >= 500:
            span.set_status(Status(StatusCode.ERROR))
        span.end()
        try:
            self._token.var.reset(self._token)
        except ValueError:  # it ended in another task than it began in, e.g. when a line broke
            context.attach(context.Context())


class Tracing:
    """Spans of one process, sent in the background and dropped where the collector is too slow.

    Parameters
    ----------
    url : str
        Of a collector that takes OTLP over HTTP, e.g. ``http://127.0.0.1:4318``.
    version : str
        Of the program.
    """

    def __init__(self, url: str, version: str) -> None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        about = {"service.name": "opportunity", "service.version": version}
        self._provider = TracerProvider(resource=Resource.create(about), shutdown_on_exit=False)
        exporter = OTLPSpanExporter(endpoint=_endpoint(url), timeout=CLOSE_S)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("opportunity", version)
        self._leave = MEASURED.listen(self._took)

    @classmethod
    def of(cls, settings: Settings, version: str) -> "Tracing | None":
        """Return the spans of a server; None where no collector is set.

        Raises
        ------
        SettingsError
            If the address is none, or OpenTelemetry is not installed.
        """
        if not settings.otlp_url:
            return None
        if urlsplit(settings.otlp_url).scheme not in ("http", "https"):
            raise SettingsError("otlp_url must be an address such as http://127.0.0.1:4318")
        try:
            return cls(settings.otlp_url, version)
        except ImportError as error:
            raise SettingsError(
                "otlp_url needs OpenTelemetry: pip install 'opportunity[tracing]'"
            ) from error

    def begin(self, method: str, headers: Mapping[str, str]) -> Span:
        """Begin the span of a request, as part of the trace that its sender names."""
        from opentelemetry import context
        from opentelemetry.trace import SpanKind, set_span_in_context
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        carrier = {name.lower(): value for name, value in headers.items()}
        parent = TraceContextTextMapPropagator().extract(carrier)
        span = self._tracer.start_span(
            method, parent, SpanKind.SERVER, {"http.request.method": method}
        )
        return Span(span, context.attach(set_span_in_context(span)))

    async def close(self) -> None:
        """Send what waits, for at most some seconds."""
        self._leave()
        await asyncio.to_thread(self._provider.force_flush, int(CLOSE_S * 1e3))
        await asyncio.to_thread(self._provider.shutdown)

    def _took(self, name: str, label: str, seconds: float) -> None:
        """Make a span of what has just ended, on the thread that did it."""
        if name in TOLD:
            end = time.time_ns()
            self._tracer.start_span(name, start_time=end - int(seconds * 1e9)).end(end)


def _endpoint(url: str) -> str:
    bare = url.rstrip("/")
    return bare if bare.endswith(PATH) else bare + PATH

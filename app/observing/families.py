"""Families of metrics out of plain values, and out of what the process has measured."""

from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Final

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from opportunity.measured import BOUNDS_S, Measured

PREFIX: Final = "opportunity_"

DURATIONS: Final = {
    "scan": ("scan_duration_seconds", "Ranking all symbols and handing the result on.", ""),
    "detector": (
        "detector_duration_seconds", "One detector over the streams of a timeframe that closed.",
        "detector",
    ),
    "commit": ("commit_duration_seconds", "Writing a batch of the account's postings.", ""),
    "loop_lag": (
        "loop_lag_seconds", "How late a loop calls what is due, looked at ten times a second.",
        "loop",
    ),
}  # fmt: skip
"""Names in `MEASURED` -> family, its text, and the name of its label."""

COUNTS: Final = {
    "bars": ("bars", "Closed bars of the base timeframe that were scored.", ""),
    "decisions": ("decisions", "Candidates that were decided on.", ""),
    "commit_failures": ("commit_failures", "Attempts to write that failed.", ""),
    "provider_errors": (
        "provider_errors", "Polls of a source beside the feed that failed.", "provider",
    ),
    "hot_answers": (
        "http_hot_answers", "Requests that were answered with bytes kept from before.", "route",
    ),
    "cache_hits": ("cache_hits", "Answers out of what was there already.", "cache"),
    "cache_misses": ("cache_misses", "Answers that had to be worked out.", "cache"),
}  # fmt: skip
"""The same for counts."""


def gauge(name: str, text: str, value: float | None) -> Iterator[Metric]:
    """Yield a gauge; nothing where there is no value: absence is not 0."""
    if value is not None:
        yield GaugeMetricFamily(PREFIX + name, text, value=float(value))


def gauges(name: str, text: str, label: str, values: Iterable[tuple[str, float]]) -> Metric:
    """Return a gauge with one label."""
    family = GaugeMetricFamily(PREFIX + name, text, labels=[label])
    for of, value in values:
        family.add_metric([of], float(value))
    return family


def counter(name: str, text: str, value: float | None) -> Iterator[Metric]:
    """Yield a counter; nothing where there is no value."""
    if value is not None:
        yield CounterMetricFamily(PREFIX + name, text, value=float(value))


def measured_families(measured: Measured) -> Iterator[Metric]:
    """Yield what the process has measured; of a count without label also while it is 0."""
    durations, counts = measured.durations(), measured.counts()
    for kind, (name, text, label) in DURATIONS.items():
        names = [label] if label else []
        histogram = HistogramMetricFamily(PREFIX + name, text, labels=names)
        for (of, value), found in sorted(durations.items()):
            if of == kind:
                ends = [*(repr(bound) for bound in BOUNDS_S), "+Inf"]
                bins = list(zip(ends, accumulate(found.counts), strict=True))
                histogram.add_metric([value] if label else [], bins, found.total_s)
        yield histogram
    for kind, (name, text, label) in COUNTS.items():
        family = CounterMetricFamily(PREFIX + name, text, labels=[label] if label else [])
        if not label:
            family.add_metric([], counts.get((kind, ""), 0.0))
        for (of, value), n in sorted(counts.items()):
            if of == kind and label:
                family.add_metric([value], n)
        yield family

"""What is counted of requests, as Prometheus instruments of one server."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.metrics import disable_created_metrics

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER: Final = "other"

MOST_COUNTED: Final = 500
"""Combinations of method, route and status that are told apart."""

MOST_ROUTES: Final = 110
MOST_CODES: Final = 120

BOUNDS_S: Final = (0.005, 0.025, 0.1, 0.5, 2.5)
"""Bins of an answer's time, seconds; few, since there is one row of them for each route."""

disable_created_metrics()


class Instruments:
    """Counters of one server; everything is bounded, whatever callers send.

    Parameters
    ----------
    registry : CollectorRegistry
        Where they are registered.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "opportunity_http_requests", "Requests that were answered.",
            ["method", "route", "status"], registry=registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "opportunity_http_request_duration_seconds",
            "From the first byte of a request to the end of its answer.",
            ["route"], buckets=BOUNDS_S, registry=registry,
        )  # fmt: skip
        self._refusals = Counter(
            "opportunity_refusals", "Requests that ended in a problem, by its code.",
            ["code", "status"], registry=registry,
        )  # fmt: skip
        self._logins = Counter(
            "opportunity_logins_refused",
            "Requests with a wrong login or token, and those that were not let try.",
            registry=registry,
        )  # fmt: skip
        self._counted: dict[tuple[str, str, str], Counter] = {}
        self._routes: dict[str, Histogram] = {}
        self._codes: dict[tuple[str, str], Counter] = {}

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answer.

        Parameters
        ----------
        method : str
        route : str
            Template of its path, e.g. ``/api/shadows/{name}``.
        status : int
            HTTP status.
        seconds : float
            What it took; not used of WebSockets, which are answered at their start.
        """
        key = (method if method in METHODS else OTHER, route, f"{status // 100}xx")
        counter = self._counted.get(key)
        if counter is None:
            if len(self._counted) >= MOST_COUNTED:
                key = (OTHER, OTHER, key[2])
            counter = self._counted.setdefault(key, self._requests.labels(*key))
        counter.inc()
        if status == 101:
            return
        histogram = self._routes.get(route)
        if histogram is None:
            name = route if len(self._routes) < MOST_ROUTES else OTHER
            histogram = self._routes.setdefault(name, self._seconds.labels(name))
        histogram.observe(seconds)

    def refused(self, code: str, status: int) -> None:
        """Count a problem by its code, e.g. ``wrong_host``."""
        key = (code, str(status))
        counter = self._codes.get(key)
        if counter is None:
            if len(self._codes) >= MOST_CODES:
                key = (OTHER, key[1][:1] + "xx")
            counter = self._codes.setdefault(key, self._refusals.labels(*key))
        counter.inc()

    def login_refused(self) -> None:
        """Count somebody who was not let in."""
        self._logins.inc()

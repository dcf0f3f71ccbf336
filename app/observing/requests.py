"""What happens around every request: its name in all log lines, its span, its line and numbers.

`began` is called by a handler before it does anything, `known` once the caller is known; `ended`
is the application's `log_function`, which Tornado calls after each answer, a page's too. Light:
a process that only passes requests on may import it.
"""

from typing import Any, Final

import structlog

logger = structlog.get_logger(__name__)

SETTING: Final = "observing"
"""Of the application: its `Observing`."""

SLOW_S: Final = 1.0
"""An answer that took longer is worth a line at level info."""

SHOWN: Final = ("Authorization", "Sec-WebSocket-Protocol")
"""Headers by which somebody says who they are; who says nothing was not refused a login."""

LOGINS: Final = frozenset({"/login", "/api/auth/login", "/api/auth/refresh"})


def began(handler: Any) -> None:
    """Name the request in every line that is logged while it is worked on, and begin its span."""
    structlog.contextvars.bind_contextvars(request_id=handler.request_id)
    tracing = getattr(handler.application.settings.get(SETTING), "tracing", None)
    if tracing is not None:
        handler._span = tracing.begin(str(handler.request.method), handler.request.headers)


def known(handler: Any) -> None:
    """Name the caller, too."""
    if handler.caller.name:
        structlog.contextvars.bind_contextvars(user=handler.caller.name)


def ended(handler: Any) -> None:
    """Count an answer, log it and end its span; the `log_function` of the application."""
    observing = handler.application.settings.get(SETTING)
    request, status = handler.request, handler.get_status()
    seconds = request.request_time()
    route = "other" if observing is None else observing.paths.of(handler)
    if observing is not None:
        code = getattr(handler, "problem_code", None)
        observing.instruments.answered(str(request.method), route, status, seconds)
        if code is not None:
            observing.instruments.refused(code, status)
        tried = route in LOGINS or any(name in request.headers for name in SHOWN)
        if tried and (status == 401 or (status in (403, 429) and route in LOGINS)):
            observing.instruments.login_refused()
    span = getattr(handler, "_span", None)
    if span is not None:
        span.end(route, status, handler.request_id)
    log = logger.info if seconds > SLOW_S and status != 101 else logger.debug
    log(
        "request", method=request.method, path=request.path[:200], status=status,
        ms=round(seconds * 1e3, 1), remote=_address(handler),
    )  # fmt: skip


def _address(handler: Any) -> str:
    """Return where a request came from, behind a proxy that we trust the address that it names."""
    arrival = getattr(handler, "arrival", None)
    return str(handler.request.remote_ip if arrival is None else arrival.address)

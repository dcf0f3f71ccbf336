"""Logging: one line an event to standard error, as key=value or as JSON, without secrets.

Inside a request every line has its `request_id`, and `user` once the caller is known.
"""

import json
import logging
import sys
from typing import Any, Final, Literal

import stamina.instrumentation
import structlog

from app.observing.problems import Keeper, keep
from app.observing.redaction import clean, redact
from app.observing.redaction import discreet as discreet
from app.terminal import visible

Format = Literal["text", "json"]

_ORDER: Final = ["timestamp", "level", "event"]
_stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)


def configure_logs(level: str, format: Format = "text") -> None:
    """Send structlog and the libraries' loggers to standard error from `level` on."""
    number = logging.getLevelNamesMapping()[level]
    ends: list[Any] = (
        [_as_json]
        if format == "json"
        else [structlog.processors.LogfmtRenderer(key_order=_ORDER, bool_as_flag=False), _visible]
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            _stamp,
            structlog.processors.format_exc_info,
            redact,
            keep,
            *ends,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    # a retry that helps is nobody's business, and one that does not is logged by who gave up
    stamina.instrumentation.set_on_retry_hooks(())
    logging.basicConfig(level=max(number, logging.WARNING), stream=sys.stderr)
    for handler in logging.getLogger().handlers:
        handler.setFormatter(
            _Structured() if format == "json" else _Plain(logging.BASIC_FORMAT)
        )
    if not any(isinstance(one, Keeper) for one in logging.getLogger().handlers):
        logging.getLogger().addHandler(Keeper(logging.WARNING))
    adopt_libraries()


def adopt_libraries() -> None:
    """Have those libraries speak as all others that print by themselves once they are imported."""
    for name in ("bokeh", "panel"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.NOTSET)


class _Plain(logging.Formatter):
    """Lines of libraries, as discreet as ours."""

    def format(self, record: logging.LogRecord) -> str:
        return clean(super().format(record))


class _Structured(logging.Formatter):
    """Lines of libraries, as JSON like ours, with the request they belong to."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "level": record.levelname.lower(), "event": record.getMessage(), "logger": record.name,
            **structlog.contextvars.get_contextvars(),
        }  # fmt: skip
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return _as_json(None, "", redact(None, "", _stamp(None, "", line)))


def _as_json(logger: object, method: str, event: Any) -> str:
    """Write a line as JSON; line ends and what a terminal would obey are escaped in it."""
    first = {name: event[name] for name in _ORDER if name in event}
    return json.dumps(first | dict(event), ensure_ascii=True, default=str)


def _visible(logger: object, method: str, line: Any) -> str:
    """Escape what a terminal would obey, e.g. in the name of a file that somebody dropped."""
    return visible(str(line))

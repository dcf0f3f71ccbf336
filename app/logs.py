"""Logging: one line an event, key=value, to standard error."""

import logging
import re
import sys
from typing import Any, Final

import stamina.instrumentation
import structlog

from app.terminal import visible

_SECRET: Final = re.compile(
    r"""(\b[a-z][a-z0-9+.-]*://)(?:[^\s/@"']*@)?([^\s?#"']*)[?#]?[^\s"']*""", re.I
)


def configure_logs(level: str) -> None:
    """Send structlog and the libraries' loggers to standard error from `level` on."""
    number = logging.getLevelNamesMapping()[level]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(
                key_order=["timestamp", "level", "event"], bool_as_flag=False
            ),
            _visible,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    # a retry that helps is nobody's business, and one that does not is logged by who gave up
    stamina.instrumentation.set_on_retry_hooks(())
    logging.basicConfig(level=max(number, logging.WARNING), stream=sys.stderr)
    for handler in logging.getLogger().handlers:
        handler.setFormatter(_Plain(logging.BASIC_FORMAT))


class _Plain(logging.Formatter):
    """Lines of libraries, as discreet as ours."""

    def format(self, record: logging.LogRecord) -> str:
        return discreet(super().format(record))


def _visible(logger: object, method: str, line: Any) -> str:
    """Escape what a terminal would obey, e.g. in the name of a file that somebody dropped."""
    return visible(discreet(str(line)))


def discreet(text: str) -> str:
    """Return a text whose addresses hold no user, password, query or fragment: those are secrets.

    Libraries put addresses into their errors, and some exchanges put tokens into addresses.
    """
    return _SECRET.sub(r"\1\2", text)

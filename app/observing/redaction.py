"""Takes secrets out of what is logged: by the name of a value, and by what secrets look like."""

import math
import re
from collections.abc import Mapping
from typing import Any, Final

HIDDEN: Final = "[redacted]"

MOST_DEEP: Final = 6
MOST_ITEMS: Final = 200
MOST_CHARS: Final = 20_000
"""Of one text; what is beyond is cut, so that no line grows without bound."""

_NAMES: Final = re.compile(
    r"passw|secret|token(?!s\b|_type)|authori[sz]ation|cookie|api_?key|private_?key|signing|"
    r"credential|ticket|xsrf|_url$|^url$|^dsn$",
    re.IGNORECASE,
)
_ADDRESS: Final = re.compile(
    r"""(\b[a-z][a-z0-9+.-]*://)(?:[^\s/@"']*@)?([^\s?#"']*)[?#]?[^\s"']*""", re.IGNORECASE
)
_SHAPES: Final = (
    re.compile(r"\beyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?"),  # a JWT
    re.compile(r"\bopp_[\w-]{4,}"),  # an API key of ours
    re.compile(r"\$argon2\w*\$[^\s\"']+"),
)
_SAID: Final = re.compile(
    r"""(?P<name>\b(?:bearer|basic)\s+
    |\bopportunity\.(?:ticket|bearer)\.
    |\b[\w-]*(?:passw(?:or)?d|secret|token|api_?key|ticket|authorization|cookie)["']?\s*[=:]\s*
      (?:(?:bearer|basic)\s+)?["']?)
    (?P<value>[^\s"',;&]+)""",
    re.IGNORECASE | re.VERBOSE,
)


def discreet(text: str) -> str:
    """Return a text whose addresses hold no user, password, query or fragment: those are secrets.

    Libraries put addresses into their errors, and some exchanges put tokens into addresses.
    """
    return _ADDRESS.sub(r"\1\2", text)


def clean(text: str) -> str:
    """Return a text without addresses' secrets, tokens, keys and what is called a password."""
    if len(text) > MOST_CHARS:
        text = text[:MOST_CHARS] + "..."
    text = discreet(text)
    for shape in _SHAPES:
        text = shape.sub(HIDDEN, text)
    return _SAID.sub(rf"\g<name>{HIDDEN}", text)


def redacted(value: Any, deep: int = 0) -> Any:
    """Return a value as it may be logged: texts cleaned, values of telling names hidden."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no such numbers
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return clean(value)
    if deep >= MOST_DEEP:
        return "..."
    if isinstance(value, Mapping):
        pairs = list(value.items())[:MOST_ITEMS]
        return {clean(str(name)): of_name(str(name), one, deep + 1) for name, one in pairs}
    if isinstance(value, list | tuple | set | frozenset):
        return [redacted(one, deep + 1) for one in list(value)[:MOST_ITEMS]]
    return clean(str(value))


def of_name(name: str, value: Any, deep: int = 0) -> Any:
    """Return a value of a name, e.g. of a header, as it may be logged."""
    if isinstance(value, str) and value and _NAMES.search(name):
        # An address may be known but for what is secret in it.
        return clean(value) if name.lower().endswith("url") and "://" in value else HIDDEN
    told = redacted(value, deep)
    return HIDDEN if isinstance(told, str) and told and _NAMES.search(name) else told


def redact(logger: object, method: str, event: Mapping[str, Any]) -> Mapping[str, Any]:
    """Clean all that one line says; a processor of structlog."""
    return {name: of_name(name, value) for name, value in event.items()}

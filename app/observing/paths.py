"""Which route a request went to, out of a fixed list: what callers send never makes a label."""

import re
from collections.abc import Iterable
from typing import Any, Final

from app.api.operations import pattern_of
from app.observing.instruments import OTHER

PAGES: Final = frozenset({
    "/", "/portfolio", "/risk", "/research", "/context", "/journal", "/system", "/login", "/logout",
})  # fmt: skip
"""Pages; one that is not here is counted as `other`."""


class Paths:
    """Knows the template of a handler's path.

    Parameters
    ----------
    resources : iterable of (str, type)
        Templates of paths and the handlers behind them.
    """

    def __init__(self, resources: Iterable[tuple[str, type]]) -> None:
        self._templates: dict[type, list[tuple[re.Pattern[str], str]]] = {}
        for path, handler in resources:
            known = self._templates.setdefault(handler, [])
            known.append((re.compile(pattern_of(path) + r"\Z"), path))

    def of(self, handler: Any) -> str:
        """Return the route of a handler's request, e.g. ``/api/shadows/{name}``."""
        path = handler.request.path
        known = self._templates.get(type(handler))
        if known is not None:
            if len(known) == 1:
                return known[0][1]
            return next((template for pattern, template in known if pattern.match(path)), OTHER)
        if path in PAGES:
            return str(path)
        if path.startswith("/static/"):
            return "/static"
        last = path.rpartition("/")[2]
        return f"/{last}" if last in ("ws", "autoload.js") else OTHER

"""The hub's news for one document: collected at once, handed over one picture at a time."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import panel as pn
from bokeh.document import Document

from opportunity.bus.memory import Hub

PICTURE_MS: Final = 250
"""Least time between two pictures of prices and ranking."""

SOON_MS: Final = 10
"""Delay of what people wait for, such as a change of the weights."""

News = dict[str, dict[str, Any]]
Events = list[tuple[str, Any]]


class Pace:
    """One subscription of the hub, and never more than one callback waiting in the document.

    Parameters
    ----------
    doc : Document
        Where the pictures go.
    show : callable
        `show(news, events)`, called inside the document: the newest state by topic and key, and
        the events in order.
    seen : callable
        Whether the page is visible now; a hidden one is told of events only.
    """

    def __init__(
        self, doc: Document, show: Callable[[News, Events], None], seen: Callable[[], bool]
    ) -> None:
        self._doc, self._show, self._seen = doc, show, seen
        self._news: News = {}
        self._events: Events = []
        self._timer: Any = None
        self._leave: Callable[[], None] | None = None
        self.closed = False

    def follow(self, hub: Hub) -> None:
        """Subscribe."""
        if not self.closed and self._leave is None:
            self._leave = hub.subscribe(self._receive)

    def close(self) -> None:
        """Leave the hub and forget what is pending."""
        self.closed = True
        if self._leave is not None:
            self._leave()
        self._news.clear()
        self._events.clear()

    def wake(self, delay_ms: int = SOON_MS) -> None:
        """Hand over what is pending after a delay."""
        if self.closed or not self._wanted():
            return
        if self._timer is not None:
            if delay_ms >= PICTURE_MS:
                return
            self._doc.remove_timeout_callback(self._timer)
        self._timer = self._doc.add_timeout_callback(self.flush, delay_ms)

    def flush(self) -> None:
        """Hand over what is pending, as one message to the browser."""
        self._timer = None
        if self.closed or not self._wanted():
            return
        news, self._news = self._news, {}
        events, self._events = self._events, []
        with pn.io.hold(self._doc):
            self._show(news, events)

    def _receive(
        self, states: Mapping[tuple[str, str], Any], events: Sequence[tuple[str, Any]]
    ) -> None:
        """Collect a batch of the hub; runs outside the document, so it touches no component."""
        for (topic, key), payload in states.items():
            self._news.setdefault(topic, {})[key] = payload
        self._events.extend(events)
        self.wake(SOON_MS if events else PICTURE_MS)

    def _wanted(self) -> bool:
        """Tell whether somebody looks: a page that was left lingers for a while in the server."""
        context: Any = self._doc.session_context
        if context is not None and context.session.connection_count == 0:
            self._events.clear()
            return False
        return self._seen() or bool(self._events)

"""The paper account at a glance on the Live page; its day's risk is measured aside, and seldom."""

from typing import TYPE_CHECKING, Any, Final

import structlog
from bokeh.document import without_document_lock

from app.components.paper_tiles import DayRisk, PaperTiles, tiles_state
from app.pages.head import Head
from app.pages.pace import Events, News
from opportunity.errors import OpportunityError
from opportunity.live.portfolio import PortfolioState

if TYPE_CHECKING:
    from app.services import Services

logger = structlog.get_logger(__name__)

MEASURE_S: Final = 30.0
"""Least time between two measurements of the day's risk."""

LEVEL: Final = 0.95
DAYS: Final = 1.0


class LiveTiles:
    """Five figures of the account that follow it.

    Parameters
    ----------
    services : Services
        The server's side.
    head : Head
        Of the page.
    """

    def __init__(self, services: "Services", head: Head) -> None:
        self._services, self._head = services, head
        self.view = PaperTiles()
        self._risk: DayRisk | None = None
        self._measured_at = float("-inf")
        self._closed = self._busy = False

    def open(self) -> None:
        """Show the account; called once the browser shows the page."""
        self._draw()

    def close(self) -> None:
        """Measure nothing more."""
        self._closed = True

    def heard(self, news: News, events: Events) -> None:
        """Follow the account."""
        turned = any(topic == "config" for topic, _ in events)
        if turned or "portfolio" in news:
            self._draw()

    def _draw(self) -> None:
        paper = self._services.paper
        state = paper.state()
        if state is not None and not state.positions:
            self._risk = DayRisk(0.0)
        self.view.draw(tiles_state(state, paper.limits(), self._risk))
        self._measure(state)

    def _measure(self, state: PortfolioState | None) -> None:
        now = self._services.uptime_s
        if state is None or not state.positions or self._busy or self._closed:
            return
        if now - self._measured_at < MEASURE_S:
            return
        self._busy, self._measured_at = True, now
        work: Any = self._look
        self._head.doc.add_next_tick_callback(without_document_lock(work))

    async def _look(self) -> None:
        risk: DayRisk | None = None
        state = self._services.paper.state()
        try:
            if state is not None and state.positions:
                found = await self._services.risk.tails(state, LEVEL, DAYS)
                tail = found.tails["historical"]
                risk = DayRisk(tail.var / state.equity, tail.note)
        except (OpportunityError, ValueError, OSError) as error:
            logger.warning("risk of the day not measured", error=str(error))
        if not self._closed:
            self._head.doc.add_next_tick_callback(lambda: self._arrived(risk))

    def _arrived(self, risk: DayRisk | None) -> None:
        self._busy = False
        if risk is not None:
            self._risk = risk
        if not self._closed:
            self._draw()

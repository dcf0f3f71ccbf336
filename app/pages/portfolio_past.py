"""History and curve of the Portfolio page, read without holding up the page."""

from typing import TYPE_CHECKING, Any, Final

import structlog
from bokeh.document import Document, without_document_lock

from app.components.account import AccountHistory, EquityChart
from app.components.account_state import SHOWN_POINTS, SHOWN_ROWS, curve_state, history_state
from app.components.island import dumps
from opportunity.storage.failures import DatabaseError

if TYPE_CHECKING:
    from app.services import Services

logger = structlog.get_logger(__name__)

LOAD_S: Final = 3.0
"""Least time between two loads."""


class Past:
    """Loads what the account did, not twice at once nor too often.

    Parameters
    ----------
    services : Services
    doc : Document
        The page's document.
    history, chart : components
        Where it is shown.
    """

    def __init__(
        self, services: "Services", doc: Document, history: AccountHistory, chart: EquityChart
    ) -> None:
        self._services, self._doc, self._history, self._chart = services, doc, history, chart
        self._loading = self._closed = self._asked = self._whole = False
        self._loaded_at = float("-inf")

    def close(self) -> None:
        """Load nothing more."""
        self._closed = True

    def load(self, history: bool = False) -> None:
        """Ask for the curve, and for trades and fills where they are other ones."""
        self._asked, self._whole = True, self._whole or history
        self.again()

    def again(self) -> None:
        """Load what was asked for too early."""
        recent = self._services.uptime_s - self._loaded_at < LOAD_S
        if not self._asked or self._loading or self._closed or recent:
            return
        self._loading, self._asked = True, False
        self._loaded_at = self._services.uptime_s
        fetch: Any = self._fetch
        self._doc.add_next_tick_callback(without_document_lock(fetch))

    async def _fetch(self) -> None:
        paper, whole = self._services.paper, self._whole
        self._whole = False
        history = curve = None
        why = ""
        state = paper.state()
        try:
            found = await paper.equity(most=SHOWN_POINTS)
            if state is not None:
                curve = dumps(curve_state(found, state.begun, state.start_cash))
            if whole:
                trades, fills = await paper.trades(SHOWN_ROWS), await paper.fills(SHOWN_ROWS)
                history = dumps(history_state(trades.rows, fills.rows))
        except DatabaseError as error:
            why = str(error)
            logger.warning("history not read", error=why)
            self._asked, self._whole = True, self._whole or whole
        if not self._closed:
            self._doc.add_next_tick_callback(lambda: self._arrived(curve, history, why))

    def _arrived(self, curve: str | None, history: str | None, why: str) -> None:
        self._loading = False
        if self._closed:
            return
        self._history.problem = why
        if curve is not None:
            self._chart.points = curve
        if history is not None:
            self._history.state = history
        self.again()

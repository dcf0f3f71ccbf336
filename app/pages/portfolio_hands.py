"""Commands by hand from the Portfolio page, carried out without holding up the page."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import structlog
from bokeh.document import Document, without_document_lock

from app.auth.pages import act, caller
from app.components.account import Commanding, Text
from app.components.language import phrase
from app.pages.risk_hands import RiskHands
from opportunity.errors import OpportunityError
from opportunity.market.symbols import parse_symbol

if TYPE_CHECKING:
    from app.services import Services

logger = structlog.get_logger(__name__)

MOST_WHY: Final = 200


class Hands:
    """Carries out what buttons of the page ask for, and tells them what became of it.

    Parameters
    ----------
    services : Services
    doc : Document
        The page's document.
    """

    def __init__(self, services: "Services", doc: Document) -> None:
        self._services, self._doc, self._closed = services, doc, False
        self._who = caller(doc)

    def close(self) -> None:
        """Tell nothing more; what was asked is still done."""
        self._closed = True

    def ask(self, part: Commanding, asked: Mapping[str, Any]) -> None:
        """Carry out a press; `part.answered` is called inside the document afterwards."""
        work: Any = partial(self._carry_out, part, dict(asked))
        self._doc.add_next_tick_callback(without_document_lock(work))

    async def _carry_out(self, part: Commanding, asked: dict[str, Any]) -> None:
        text: Text = ""
        error: Text = ""
        try:
            text = await self._do(asked)
        except (OpportunityError, ValueError, TypeError, KeyError) as failure:
            error = phrase("Not done: {why}", why=str(failure))
            logger.info("command refused", what=str(asked.get("type"))[:32], error=str(failure))
        if not self._closed:
            self._doc.add_next_tick_callback(lambda: part.answered(text, error))

    async def _do(self, asked: Mapping[str, Any]) -> Text:
        paper, why = self._services.paper, str(asked.get("why", ""))[:MOST_WHY]
        by = act(self._services, self._who)
        match asked.get("type"):
            case "close":
                symbol = parse_symbol(str(asked["symbol"]))
                await paper.close(symbol, by, why)
                return phrase("{symbol} is left at its next open.", symbol=symbol)
            case "flatten":
                n = len(await paper.flatten(by, why))
                if n == 1:
                    return phrase("1 position left at the next open.")
                return phrase("{n} positions left at the next open.", n=n)
            case "reset":
                await paper.reset(float(asked["cash"]), by, why)
                return phrase("The paper account has begun anew.")
            case "reset_breaker":
                return await RiskHands(self._services, self._who).reset_breaker(asked)
        raise ValueError("command must be close, flatten, reset or reset_breaker")

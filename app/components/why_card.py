"""The card that says why: contributions as a waterfall, with words."""

from typing import Any, ClassVar

import param

from app.components.island import Island, dumps, module, style


class WhyCard(Island):
    """Show the contributions to one score, and on its other side what is known besides bars.

    Examples
    --------
    >>> card = WhyCard()
    >>> card.draw(why_state(score(bars).explain(), "BTC/USDT"))  # doctest: +SKIP
    """

    state = param.String("{}", doc="What is drawn, JSON of `waterfall.why_state`.")
    context = param.String("{}", doc="What is known besides bars, JSON of `context_state`.")

    _fill = "stretch_both"
    _esm = module("why_card")
    _stylesheets: ClassVar[list[str]] = [style("why_card")]

    def draw(self, state: dict[str, Any] | None) -> None:
        """Draw a state; None clears the card."""
        self.state = dumps(state or {})

    def tell(self, state: dict[str, Any]) -> None:
        """Show a context; an empty one says that nothing is known."""
        self.context = dumps(state)

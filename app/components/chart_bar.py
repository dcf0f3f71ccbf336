"""The bar above the chart: symbol, price, timeframe, overlays."""

from collections.abc import Sequence
from typing import ClassVar

import param

from app.components.island import Island, dumps, module, style
from app.components.overlays import DEFAULT_LAYERS, LAYERS


class ChartBar(Island):
    """Say what the chart shows and let the user choose timeframe and overlays.

    Attributes
    ----------
    joined : bool
        The browser hears the price by its own line: only what it does not hear is sent.
    """

    quote = param.String("{}", doc="Symbol, price and change of the day, JSON.")
    frames = param.String("[]", doc="Timeframes to choose from, JSON.")
    timeframe = param.String("1h", doc="Chosen timeframe.")
    layers = param.String("[]", doc="Overlays as [key, label, hint], JSON.")
    shown = param.String("[]", doc="Keys of the overlays that are drawn, JSON.")

    _fill = "stretch_width"
    _esm = module("chart_bar")
    _stylesheets: ClassVar[list[str]] = [style("chart_bar")]

    joined = False
    _told = ""

    def draw(self, symbol: str, price: float | None, change: float | None) -> None:
        """Show a symbol's price (quote currency) and change of the day (fraction)."""
        if self.joined and symbol == self._told and price is not None:
            return
        self._told = symbol
        self.quote = dumps({"symbol": symbol, "price": price, "change": change})


def layers_in(asked: Sequence[bytes] | None) -> list[str]:
    """Return the overlays that an address asks for, e.g. ``[b"sar.levels"]``, in their order.

    Unknown names are passed over; without an argument it is `DEFAULT_LAYERS`.
    """
    if not asked:
        return list(DEFAULT_LAYERS)
    wanted = set(asked[0].decode("ascii", errors="ignore").split("."))
    return [key for key in LAYERS if key in wanted]

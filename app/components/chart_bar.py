"""The bar above the chart: symbol, price, timeframe, overlays."""

from typing import ClassVar

import param

from app.components.island import Island, dumps, module, style


class ChartBar(Island):
    """Say what the chart shows and let the user choose timeframe and overlays."""

    quote = param.String("{}", doc="Symbol, price and change of the day, JSON.")
    frames = param.String("[]", doc="Timeframes to choose from, JSON.")
    timeframe = param.String("1h", doc="Chosen timeframe.")
    layers = param.String("[]", doc="Overlays as [key, label, hint], JSON.")
    shown = param.String("[]", doc="Keys of the overlays that are drawn, JSON.")

    _fill = "stretch_width"
    _esm = module("chart_bar")
    _stylesheets: ClassVar[list[str]] = [style("chart_bar")]

    def draw(self, symbol: str, price: float | None, change: float | None) -> None:
        """Show a symbol's price (quote currency) and change of the day (fraction)."""
        self.quote = dumps({"symbol": symbol, "price": price, "change": change})

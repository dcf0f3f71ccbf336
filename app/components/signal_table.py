"""The scanner's table: ranked, live in place, filtered and sorted in the browser."""

from typing import Any, ClassVar

import param

from app.components.island import Island, dumps, module, style


class SignalTable(Island):
    """Show the rows of an evaluation.

    The browser keeps scroll, selection and sort while rows and prices change; arrow keys move
    the selection.

    Examples
    --------
    >>> table = SignalTable()
    >>> table.draw(table_state(services.evaluation()))  # doctest: +SKIP
    """

    rows = param.String("{}", doc="State of the table, JSON of `rows.table_state`.")
    prices = param.String("{}", doc="Newest price by symbol, JSON.")
    selected = param.String("", doc="Chosen symbol.")
    timeframe = param.String("1h", doc="Chosen timeframe.")
    query = param.String("", doc="Part of a symbol to look for.")
    side: Any = param.Selector(
        default="all", objects=["all", "bullish", "bearish"], doc="Direction to show."
    )
    min_confidence = param.Number(0.0, bounds=(0, 1), doc="Least confidence to show.")

    _fill = "stretch_both"
    _esm = module("signal_table")
    _stylesheets: ClassVar[list[str]] = [style("signal_table")]

    def draw(self, state: dict[str, Any]) -> None:
        """Replace the rows; the browser changes only what differs."""
        self.rows = dumps(state)

    def quote(self, prices: dict[str, float]) -> None:
        """Replace the newest prices."""
        self.prices = dumps(prices)

"""The scanner's table: ranked, live in place, filtered, sorted and drawn in the browser."""

from typing import Any, ClassVar, Final

import param

from app.components.island import COMMON_JS, HERE, Island, dumps, style

VIEWS: Final = ("list", "cards", "chart", "heat", "compare")
SORTS: Final = (
    "rank", "symbol", "price", "change", "volume", "score", "confidence", "agreement", "badges",
)  # fmt: skip
PARTS: Final = (
    "table_rows", "table_filters", "table_export", "table_list", "market_views",
    "market_heat", "market_compare", "signal_table",
)  # fmt: skip
"""Modules of the browser's side, the last of them draws the rest."""


class SignalTable(Island):
    """Show the rows of an evaluation, as a list, cards, chart, heat map or side by side.

    The browser keeps scroll, selection and sort while rows and prices change; arrow keys move
    the selection. Only the rows in sight are in the page, however many there are.

    Examples
    --------
    >>> table = SignalTable()
    >>> table.draw(table_state(services.evaluation()))  # doctest: +SKIP
    """

    rows = param.String("{}", doc="State of the table, JSON of `rows.table_state`.")
    prices = param.String("{}", doc="Newest price by symbol, JSON.")
    selected = param.String("", doc="Chosen symbol.")
    timeframe = param.String("1h", doc="Chosen timeframe.")
    filters = param.String("{}", doc="What is shown, JSON: of `Filters` what is not the default.")
    lists = param.String("{}", doc="Symbols of each watchlist by its name, JSON.")
    view: Any = param.Selector(default="list", objects=list(VIEWS), doc="How rows are shown.")
    sort: Any = param.Selector(default="rank", objects=list(SORTS), doc="What rows are sorted by.")
    down = param.Boolean(False, doc="Whether the sort is turned round.")
    compared = param.String("[]", doc="Marked symbols, JSON; the first four are compared.")

    _fill = "stretch_both"
    _esm = "\n".join(
        [COMMON_JS, *((HERE / f"{name}.js").read_text(encoding="utf-8") for name in PARTS)]
    )
    _stylesheets: ClassVar[list[str]] = [
        style("signal_table") + (HERE / "market_views.css").read_text(encoding="utf-8")
    ]

    def draw(self, state: dict[str, Any]) -> None:
        """Replace the rows; the browser changes only what differs."""
        self.rows = dumps(state)

    def quote(self, prices: dict[str, float]) -> None:
        """Replace the newest prices."""
        self.prices = dumps(prices)

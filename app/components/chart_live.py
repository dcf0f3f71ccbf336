"""The chart's own line to the market: the browser moves the unfinished bar by itself.

What the server sends is small and rare: which stream is drawn (`follow`), and now and then where
its unfinished bar stands (`tell`); the browser goes on from there by the page's WebSocket.
"""

from typing import Any, ClassVar, Final

import param

from app.components.chart import MarketChart
from app.components.island import COMMON_JS, HERE, Island, dumps, module, style
from opportunity.market.bars import Bar
from opportunity.market.timeframe import Timeframe, length_ms, open_ms
from opportunity.scoring.explanation import Explanation

_FOLD: Final = (HERE / "chart_fold.js").read_text(encoding="utf-8")
OVER: Final = {
    "position": "absolute", "inset": "0", "width": "100%", "height": "100%", "z-index": "2",
    "pointer-events": "none",
}  # fmt: skip
"""Style of what lies over a figure."""


class ChartLive(Island):
    """Reads the bar under the pointer out, and moves the newest one.

    Attributes
    ----------
    joined : bool
        Set by the browser: its line brings the prices of this stream, so that a word of the
        server every second or so is enough.
    """

    state = param.String("{}", doc="Stream and models that are drawn, or why nothing is, JSON.")
    picture = param.String("{}", doc="Where the unfinished bar stands, JSON.")
    joined = param.Boolean(False, doc="Whether the browser hears the prices of this stream.")

    _esm = f"{COMMON_JS}\n{_FOLD}\n{(HERE / 'chart_live.js').read_text(encoding='utf-8')}"
    _stylesheets: ClassVar[list[str]] = [style("chart_live")]

    def __init__(self, **params: Any) -> None:
        super().__init__(**{"styles": OVER, **params})

    def follow(self, chart: MarketChart, symbol: str, timeframe: Timeframe, closed: int) -> None:
        """Name the stream whose bars up to the one that opened at `closed` (ms) are drawn."""
        self.state = dumps({
            "symbol": symbol, "timeframe": timeframe, "length": length_ms(timeframe),
            "origin": open_ms(closed, timeframe), "closed": closed, "models": chart.models(),
        })  # fmt: skip

    def wait(self, symbol: str, timeframe: str) -> None:
        """Say that another stream is being fetched; what is drawn stays, faint."""
        self.state = dumps({"symbol": symbol, "timeframe": timeframe, "loading": True})

    def fail(self, symbol: str, timeframe: str, why: str) -> None:
        """Say why there is no chart."""
        self.state = dumps({"symbol": symbol, "timeframe": timeframe, "error": why})

    def tell(self, picture: dict[str, Any]) -> None:
        """Say where the unfinished bar stands; see `picture_of`."""
        self.picture = dumps(picture)


class ChartScore(Island):
    """Reads score and confidence of the bar under the pointer out; heard from `ChartLive`."""

    def __init__(self, **params: Any) -> None:
        super().__init__(**{"styles": OVER, **params})

    _esm = module("chart_score")
    _stylesheets: ClassVar[list[str]] = [style("chart_live")]


def picture_of(
    symbol: str, timeframe: str, base: tuple[float, ...] | None, forming: Bar | None,
    seen: Explanation | None = None,
) -> dict[str, Any] | None:
    """Return where an unfinished bar stands, and up to which base bar it is counted.

    Parameters
    ----------
    symbol, timeframe : str
        Of the stream.
    base : tuple or None
        The newest base bar as the line tells it: opened, open, high, low, close, volume.
    forming : Bar or None
        The unfinished bar, `base` included.
    seen : Explanation, optional
        What it would score if it closed now.

    Returns
    -------
    dict or None
        None when the two do not belong together, because a price came between them.
    """
    if base is not None and forming is not None and forming.close != base[4]:
        return None
    ahead = None
    if seen is not None and forming is not None and seen.final == seen.final:
        ahead = {"closed": seen.closed, "final": seen.final, "confidence": seen.confidence}
    return {
        "symbol": symbol, "timeframe": timeframe, "base": base, "ahead": ahead,
        "forming": None if forming is None else tuple(forming),
    }  # fmt: skip

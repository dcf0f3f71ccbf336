"""Long curves: few points at first, and all of them where somebody looks closer.

A picture with every bar of years is slow to draw and no sharper than its pixels. So a curve begins
with the extremes of equal stretches, and the browser picks them anew for the part that is in view,
out of columns that came with the picture: nobody is asked, so it works in a saved notebook too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from opportunity.backtest.tables import thin
from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import TimeArray

POINTS: Final = 1_500
"""Of a curve at most, at any zoom."""

DETAIL: Final = 30_000
"""Of a curve that travel with the picture at most."""

HERE: Final = Path(__file__).parent
CLOSER: Final = (HERE / "zoom.js").read_text(encoding="utf-8")
FIT: Final = (HERE / "fit.js").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """A curve over time.

    Parameters
    ----------
    time : ndarray of int64, shape (n,)
        Ms UTC, ascending.
    values : ndarray of float64, shape (n,)
        Finite.
    """

    time: TimeArray
    values: FloatArray

    def thinned(self, most: int = POINTS) -> "Series":
        """Return at most so many points: both ends and the extremes of equal stretches."""
        at = thin(self.values, most)
        return Series(self.time[at], self.values[at])

    @property
    def when(self) -> pd.DatetimeIndex:
        """The times as plots take them, UTC without a zone."""
        return pd.to_datetime(self.time, unit="ms")


def curve(hv: Any, series: Series, name: str, label: str = "", detail: bool = True) -> Any:
    """Draw a curve that shows more of itself when it is zoomed.

    Parameters
    ----------
    hv : module
        HoloViews.
    series : Series
    name : str
        Of its values.
    label : str
        In the legend.
    detail : bool
        Whether the columns travel with the picture.
    """
    shown = series.thinned()
    drawn = hv.Curve((shown.when, shown.values), "time", name, label=label)
    if not detail or len(shown.time) == len(series.time):
        return drawn
    full = series.thinned(DETAIL)
    columns = {"time": full.time.astype(np.float64), name: full.values}
    return drawn.opts(hooks=[_closer(columns, name)])


def fit(plot: Any, element: Any) -> None:
    """Have a figure fit the values' axis to what is in view; a hook."""
    _on_move(plot.handles["x_range"], {"figure": plot.state}, FIT)


def _closer(columns: Mapping[str, NDArray[Any]], name: str) -> Any:
    def hook(plot: Any, element: Any) -> None:
        x_range = plot.handles["x_range"]
        args = {
            "range": x_range, "source": plot.handles["source"], "time": columns["time"],
            "values": columns[name], "name": name, "most": POINTS,
        }  # fmt: skip
        _on_move(x_range, args, CLOSER)

    return hook


def _on_move(x_range: Any, args: Mapping[str, Any], code: str) -> None:
    from holoviews.plotting.bokeh.callbacks import CustomJS

    show = CustomJS(args=dict(args), code=code)
    for end in ("start", "end"):
        x_range.js_on_change(end, show)

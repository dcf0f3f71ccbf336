"""The time axis in the reader's zone: where its ticks are and what stands there."""

from pathlib import Path
from typing import Any, Final

from bokeh.models import CustomJSTicker, CustomJSTickFormatter

CLOCKS: Final = (Path(__file__).parent / "chart_axis.js").read_text(encoding="utf-8")
"""Makes `clocks` known to code that runs in Bokeh: `within`, `label` and `whole`."""

TICK_PX: Final = 84
"""Least room of a tick's label, pixels."""

_TICKS: Final = """
const wide = figure.properties.inner_width.is_unset ? 700 : figure.inner_width;
const most = Math.max(2, Math.min(12, Math.floor(wide / px)));
return clocks.within(cb_data.start, cb_data.end, most);
"""


def read_in_zone(figure: Any) -> None:
    """Let the time axis of a figure count in the reader's time zone.

    The zone is that of the cookie ``opportunity-zone``, else the browser's: the server knows
    neither, so ticks are found there.
    """
    axis = figure.xaxis[0]
    axis.ticker = CustomJSTicker(
        args={"figure": figure, "px": TICK_PX}, major_code=CLOCKS + _TICKS, minor_code=""
    )
    axis.formatter = CustomJSTickFormatter(code=CLOCKS + "return clocks.label(tick);")

"""What joins the two figures of a chart: time axis, crosshair, and the bar under the pointer."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from bokeh.events import MouseLeave
from bokeh.models import CrosshairTool, CustomJS, HoverTool
from bokeh.models.annotations import Span

from app.components.chart_axis import CLOCKS, read_in_zone
from app.components.overlay_tables import BAR_PX

if TYPE_CHECKING:
    from app.components.chart_figures import ChartFigures

READOUT: Final = CLOCKS + (Path(__file__).parent / "chart_readout.js").read_text(encoding="utf-8")
"""Tells the bar under the pointer in the titles of the figures."""

POINTED: Final = """
const row = cb_data?.index?.indices?.at(-1);
const time = row === undefined ? undefined : table.data.time[row];
const at = time === undefined ? null : Array.from(source.data.time).lastIndexOf(time);
const detail = { source: source.id, at };
document.dispatchEvent(new CustomEvent("opportunity:bar", { detail }));
"""
"""Tells the page which bar is under the pointer; it has a better place for the words."""

LEAST_BARS: Final = 40
"""Shown on the narrowest screen."""

SHOW: Final = """
const [length, most] = figure.tags;
const fitting = Math.round(figure.inner_width / px);
if (length && fitting) times.follow_interval = length * Math.max(least, Math.min(most, fitting));
"""
"""Runs in the browser: on a narrow screen fewer bars are shown, so that they stay readable."""


def join(figures: "ChartFigures", titled: bool) -> None:
    """Join both figures: one time axis, one crosshair, one bar that is read out.

    Parameters
    ----------
    figures : ChartFigures
    titled : bool
        Whether the bar is told in the titles, else to the page.
    """
    price, score, source = figures.price, figures.score, figures.source
    across = figures.dress(Span(dimension="width", line_dash=[2, 2]), line_color="dim")
    down = figures.dress(Span(dimension="height", line_dash=[2, 2]), line_color="dim")
    price.add_tools(CrosshairTool(overlay=(across, down)))
    score.add_tools(CrosshairTool(overlay=down))
    read_in_zone(score)
    for p, bars in zip((price, score), figures.pointed, strict=True):
        told = {"source": source, "table": bars.data_source}
        read = CustomJS(args=told, code=POINTED)
        if titled:
            told |= {"above": price.title, "below": score.title}
            read = CustomJS(args=told, code=READOUT)
            source.js_on_change("change:data", read)
        p.add_tools(HoverTool(renderers=[bars], tooltips=None, mode="vline", callback=read))
        p.js_on_event(MouseLeave, read)
    show = CustomJS(
        args={"figure": price, "times": figures.times, "least": LEAST_BARS, "px": BAR_PX},
        code=SHOW,
    )
    for change in ("inner_width", "tags"):
        price.js_on_change(change, show)

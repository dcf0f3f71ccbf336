"""Colours of pictures, one look a theme, and how a Bokeh figure takes them."""

import threading
from dataclasses import dataclass
from typing import Any, Final

from opportunity.errors import unknown

LINE: Final = "#3B82F6"
FAINT: Final = "#94A3B8"
"""Colours that can be read on white and on black: for pictures that do not know their ground."""

FONT: Final = "Inter, system-ui, Segoe UI, Roboto, DejaVu Sans, sans-serif"
LEFT, RIGHT = 12, 76
"""Room beside the figures of a layout, pixels: their time axes have to be equal."""

_ONE: Final = threading.Lock()
_loaded: Final[list[str]] = []


@dataclass(frozen=True, slots=True)
class Look:
    """Colours of one theme, as CSS colours; a test holds them equal to those of the pages."""

    name: str
    panel: str
    line: str
    text: str
    dim: str
    bull: str
    bear: str
    info: str
    warn: str
    acc: str


DARK: Final = Look(
    "dark", panel="#151a21", line="#242b35", text="#e6e9ee", dim="#98a2b0", bull="#10b981",
    bear="#f87171", info="#60a5fa", warn="#fbbf24", acc="#7c9cff",
)
LIGHT: Final = Look(
    "light", panel="#ffffff", line="#e1e5ea", text="#1a2029", dim="#596475", bull="#047857",
    bear="#c81e1e", info="#1d4ed8", warn="#8a5a00", acc="#3b5bdb",
)
CONTRAST: Final = Look(
    "contrast", panel="#000000", line="#8c95a3", text="#ffffff", dim="#d5dae1", bull="#2ee6a0",
    bear="#ff9d9d", info="#8cc8ff", warn="#ffd447", acc="#a9c1ff",
)
LOOKS: Final = {look.name: look for look in (DARK, LIGHT, CONTRAST)}


def look_of(theme: str) -> Look:
    """Return the colours of a theme.

    Raises
    ------
    ValueError
        If it is not ``dark``, ``light`` or ``contrast``.
    """
    if theme not in LOOKS:
        raise ValueError(unknown("theme", theme, LOOKS))
    return LOOKS[theme]


def holoviews() -> Any:
    """Return HoloViews, ready to draw with Bokeh."""
    import holoviews as hv

    with _ONE:  # what it sets up is shared by all threads
        if not _loaded or hv.Store.current_backend != "bokeh":
            hv.extension("bokeh", logo=False)
            _loaded.append("bokeh")
    return hv


def rendered(picture: Any) -> Any:
    """Return the Bokeh model of a picture; on any thread, one at a time."""
    hv = holoviews()
    with _ONE:
        plot = hv.renderer("bokeh").get_plot(picture)
        model = plot.state
        plot.document = None  # else the document of the process keeps the plot for ever
    if hasattr(model, "toolbar"):
        model.toolbar.logo = None
    return model


def dress(look: Look, title: str = "text", aligned: bool = False) -> Any:
    """Return the hook that gives a figure the colours of a theme.

    Parameters
    ----------
    look : Look
    title : str
        Name of the title's colour.
    aligned : bool
        Whether its sides get the room that all figures of a column have.
    """

    def hook(plot: Any, element: Any) -> None:
        figure = plot.state
        figure.background_fill_color = figure.border_fill_color = look.panel
        figure.outline_line_color = look.panel
        if aligned:
            figure.min_border_left, figure.min_border_right = LEFT, RIGHT
        figure.title.text_color = getattr(look, title)
        figure.title.text_font, figure.title.text_font_size = FONT, "12px"
        figure.title.text_font_style = "normal"
        for axis in figure.axis:
            axis.axis_line_color = axis.minor_tick_line_color = None
            axis.major_tick_line_color = look.line
            axis.major_label_text_color = axis.axis_label_text_color = look.dim
            axis.major_label_text_font = axis.axis_label_text_font = FONT
            axis.major_label_text_font_size = axis.axis_label_text_font_size = "11px"
            axis.axis_label_text_font_style = "normal"
            if hasattr(axis.formatter, "use_scientific"):
                axis.formatter.use_scientific = False
        for grid in figure.grid:
            grid.grid_line_color = look.line
        for legend in figure.legend:
            legend.background_fill_color, legend.background_fill_alpha = look.panel, 0.8
            legend.border_line_color, legend.label_text_color = None, look.dim
            legend.label_text_font, legend.label_text_font_size = FONT, "11px"
            legend.padding, legend.margin, legend.spacing = 4, 4, 8
            legend.glyph_width = legend.glyph_height = 14
        for model in figure.right + figure.left:
            if hasattr(model, "color_mapper"):
                model.background_fill_color, model.title = look.panel, None
                model.major_label_text_color, model.bar_line_color = look.dim, None

    return hook

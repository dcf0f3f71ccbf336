"""The two figures of a chart, their glyphs and how they take the colours of a theme."""

from collections.abc import Mapping
from typing import Any, Final

from bokeh.core.properties import value
from bokeh.models import (
    CategoricalColorMapper,
    ColumnDataSource,
    DataRange1d,
    HoverTool,
    Range1d,
)
from bokeh.models.annotations import Span
from bokeh.plotting import figure

from app.components.chart_pointer import join
from app.components.overlay_tables import SHOWN_BARS
from app.components.theme import PALETTES, ThemeName

TONES: Final = ("bull", "bear", "info", "warn", "acc", "dim")
FONT: Final = "Inter, system-ui, Segoe UI, Roboto, DejaVu Sans, sans-serif"
LABEL: Final = {
    "text_font": value(FONT), "background_fill_alpha": 0.62, "border_line_color": None,
    "padding": (0, 2), "border_radius": 3,
}  # fmt: skip
"""Words over candles stand on a touch of the ground, so that they can be read."""

RIGHT: Final = 72
"""Room for prices at the right of both figures, pixels: their time axes have to be equal."""

TOOLTIP: Final = (
    '<div style="white-space: pre-line; max-width: 320px; margin: -5px -8px; padding: 6px 10px; '
    "font: 12px/1.4 Inter, system-ui, sans-serif; background: var(--op-panel, #fff); "
    'color: var(--op-text, #222)">@text</div>'
)
"""Bokeh escapes what stands for ``@text``: titles come from outside."""

HEAD_PX: Final = 26
"""Room above the figures for what a page says there, pixels."""

UNSEEN: Final = {"fill_alpha": 0.0, "line_color": None}
BODY: Final = 0.68
"""Width of a candle's body as a part of its bar."""


class ChartFigures:
    """Candles with volume and overlays above, score and confidence below, on one time axis.

    Parameters
    ----------
    source : ColumnDataSource
        One row a bar.
    strip : ColumnDataSource
        One row a scored bar.
    tables : mapping of str to ColumnDataSource
        Overlay columns by table; see `overlays.Overlay`.
    titled : bool
        Whether the bar under the pointer is told in the titles; otherwise a page hears of it by
        the event ``opportunity:bar`` of its document.
    """

    def __init__(
        self,
        source: ColumnDataSource,
        strip: ColumnDataSource,
        tables: Mapping[str, ColumnDataSource],
        titled: bool = True,
    ) -> None:
        self.source, self.strip, self.tables, self._titled = source, strip, tables, titled
        self.ahead = ColumnDataSource({"time": [], "final": [], "tone": [], "text": []})
        self.tones = CategoricalColorMapper(factors=list(TONES), palette=["gray"] * len(TONES))
        self._tone = {"field": "tone", "transform": self.tones}
        self._themed: list[tuple[Any, str, str]] = []
        self.times = DataRange1d(
            follow="end", follow_interval=SHOWN_BARS * 3_600_000, range_padding=0,
            range_padding_units="absolute",
        )
        self.volumes = Range1d(start=0, end=1)
        self.last = self.dress(
            Span(dimension="width", line_dash=[2, 3], line_width=1), line_color="acc"
        )
        self._bars: list[Any] = []  # whatever is as wide as a bar
        self.pointed: list[Any] = []  # what the pointer finds: rectangles are found by point only
        self.price, self.score = self._make_price(), self._make_score()
        join(self, titled)

    def preview(self, place: tuple[float, float, str, str] | None) -> None:
        """Mark what the unfinished bar would score: time, score, tone and words; None: nothing."""
        names = ("time", "final", "tone", "text")
        fresh: dict[str, Any] = {
            name: [] if place is None else [place[i]] for i, name in enumerate(names)
        }
        if dict(self.ahead.data) != fresh:
            self.ahead.data = fresh

    def wear(self, theme: ThemeName) -> None:
        """Take the colours of a theme."""
        palette = PALETTES[theme]
        self.tones.palette = [getattr(palette, tone) for tone in TONES]
        for model, name, colour in self._themed:
            setattr(model, name, getattr(palette, colour))
        for p in (self.price, self.score):  # lines are strong there, candles are what counts
            p.ygrid[0].grid_line_alpha = 0.35 if theme == "contrast" else 1.0

    def fit(self, length_ms: int) -> None:
        """Fit widths and the visible span to the length of a bar."""
        self.times.follow_interval = SHOWN_BARS * length_ms
        self.times.range_padding = 4 * length_ms
        for renderer in self._bars:
            renderer.glyph.width = BODY * length_ms
        self.price.tags = [length_ms, SHOWN_BARS]

    def dress(self, model: Any, **colours: str) -> Any:
        """Give properties of a model the colours of whatever theme is worn, by their names."""
        self._themed += [(model, name, colour) for name, colour in colours.items()]
        return model

    def _figure(self, **params: Any) -> Any:
        made: Any = figure(
            sizing_mode="stretch_both", x_axis_type="datetime", y_axis_location="right",
            tools="xpan,xwheel_zoom,reset", active_drag="xpan", active_scroll="xwheel_zoom",
            toolbar_location=None, min_border_left=8, min_border_right=RIGHT,
            min_border_top=4 if self._titled else HEAD_PX, min_border_bottom=4,
            outline_line_color=None, x_range=self.times, **params,
        )
        made.background_fill_color = made.border_fill_color = None  # the card's own shows
        made.xgrid.grid_line_color = None
        title = self.dress(made.title, text_color="dim")
        title.text, title.text_font, title.text_font_size = " ", FONT, "11px"
        title.text_font_style, title.standoff = "normal", 2
        title.visible = self._titled
        self.dress(made.ygrid[0], grid_line_color="line")
        for axis in (made.xaxis[0], made.yaxis[0]):
            axis.axis_line_color = axis.major_tick_line_color = axis.minor_tick_line_color = None
            axis.major_label_text_font_size, axis.major_label_text_font = "11px", FONT
            self.dress(axis, major_label_text_color="dim")
        return made

    def _make_price(self) -> Any:
        p = self._figure(window_axis="x")
        p.xaxis.visible = False
        p.yaxis.ticker.desired_num_ticks = 7
        p.yaxis.formatter.use_scientific = False
        p.extra_y_ranges = {"volume": self.volumes, "lane": Range1d(start=0, end=1)}
        self._draw_zones(p)
        # Rectangles: Bokeh draws the edges of `vbar`s that are out of view at the frame's edge.
        volume = p.rect(
            "time", "half_volume", 1, "volume", source=self.source, y_range_name="volume",
            fill_color=self._tone, line_color=None, fill_alpha=0.22,
        )
        wicks = p.segment("time", "high", "time", "low", source=self.source, line_color=self._tone)
        bodies = p.rect(
            "time", "middle", 1, "height", source=self.source, fill_color=self._tone,
            line_color=self._tone, fill_alpha="body",
        )
        pointed = p.vbar("time", 1, "top", "bottom", source=self.source, **UNSEEN)
        self._draw_marks(p)
        self._bars += [volume, bodies, pointed]
        self.pointed.append(pointed)
        p.y_range.renderers = [wicks, bodies]
        p.y_range.range_padding = 0.18
        p.add_layout(self.last)
        return p

    def _draw_zones(self, p: Any) -> None:
        """Draw what lies behind the candles."""
        bands, levels = self.tables["bands"], self.tables["levels"]
        words = {"text_color": self._tone, "text_font_size": "10.5px", **LABEL}
        p.quad(
            "left", "right", "top", "bottom", source=bands, fill_color=self._tone,
            fill_alpha="strength",
            line_color=self._tone, line_alpha=0.25, level="underlay",
        )
        p.patches(
            "xs", "ys", source=self.tables["areas"], fill_color=self._tone, fill_alpha=0.12,
            line_color=None, level="underlay",
        )
        named = p.text(
            "label_x", "top", "label", source=bands, x_offset=4, y_offset=11,
            text_baseline="middle", **words,
        )
        p.segment(
            "x0", "y", "x1", "y", source=levels, line_color=self._tone, line_dash=[3, 4],
            line_alpha=0.7,
        )
        told = p.text(
            "label_x", "y", "label", source=levels, text_align="align", y_offset="offset",
            text_baseline="middle", **words,
        )
        for one in (named, told):
            self.dress(one.glyph, background_fill_color="panel")

    def _draw_marks(self, p: Any) -> None:
        """Draw what lies over the candles."""
        marks = self.tables["marks"]
        p.multi_line(
            "xs", "ys", source=self.tables["lines"], line_color=self._tone, line_width=1.5,
            line_alpha=0.8,
        )
        p.multi_line(
            "xs", "ys", source=self.tables["dashes"], line_color=self._tone, line_width=1.2,
            line_alpha=0.7, line_dash=[5, 4],
        )
        letters = p.text(
            "x", "y", "label", source=self.tables["letters"], text_color=self._tone,
            y_offset="offset", text_align="center", text_baseline="middle",
            text_font_size="11px", text_font_style="bold", **LABEL,
        )
        p.scatter(
            "x", "y", source=self.tables["dots"], size=3, fill_color=self._tone, line_color=None,
            fill_alpha=0.9,
        )
        bubbles = p.scatter(
            "x", "y", size="size", source=self.tables["bubbles"], fill_color=self._tone,
            fill_alpha=0.25, line_color=self._tone, line_width=1.2,
        )
        glyphs = p.scatter(
            "x", "y", marker="glyph", source=marks, size=7, fill_color=self._tone, line_color=None
        )
        pins = p.scatter(
            "x", "y", marker="glyph", source=self.tables["pins"], y_range_name="lane", size=8,
            fill_color=self._tone, fill_alpha="fill", line_color=self._tone, line_width=1.2,
        )
        names = p.text(
            "x", "y", "label", source=marks, text_color=self._tone, y_offset="offset",
            text_align="center", text_baseline="middle", text_font_size="10px", **LABEL,
        )
        for one in (letters, names):
            self.dress(one.glyph, background_fill_color="panel")
        p.add_tools(HoverTool(
            renderers=[glyphs, bubbles, pins], tooltips=TOOLTIP, mode="mouse",
            attachment="horizontal",
        ))

    def _make_score(self) -> Any:
        p = self._figure(y_range=Range1d(start=0, end=1))
        p.yaxis.ticker = [0, 0.4, 0.5, 0.6, 1]
        p.yaxis.major_label_overrides = {0: "0", 0.4: "", 0.5: "0.5", 0.6: "", 1: "1"}
        pointed = p.vbar("time", 1, "final", 0.5, source=self.strip, **UNSEEN)
        self._bars += [pointed, p.rect(
            "time", "score_middle", 1, "score_height", source=self.strip, line_color=None,
            fill_alpha="trust", fill_color={"field": "lean", "transform": self.tones},
        )]
        self.pointed.append(pointed)
        trust = p.line("time", "confidence", source=self.strip, line_dash=[4, 3], line_width=1.2)
        line = p.line("time", "final", source=self.strip, line_width=1.2)
        self.dress(trust.glyph, line_color="acc")
        self.dress(line.glyph, line_color="text")
        mark = p.scatter(  # hollow: nothing of it is final
            "time",
            "final",
            source=self.ahead,
            size=8,
            fill_alpha=0.0,
            line_color=self._tone,
            line_width=1.5,
        )
        p.add_tools(
            HoverTool(
                renderers=[mark],
                tooltips=TOOLTIP,
                mode="mouse",
                attachment="horizontal",
            )
        )
        return p

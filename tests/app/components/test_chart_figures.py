from bokeh.models import ColumnDataSource

from app.components.chart import COLUMNS, SCORE_COLUMNS
from app.components.chart_figures import TONES, TOOLTIP, ChartFigures
from app.components.overlay_tables import Overlay
from app.components.theme import DARK, LIGHT, PALETTES


def _figures() -> ChartFigures:
    tables = {n: ColumnDataSource(dict(c)) for n, c in Overlay().tables().items()}
    bars, strip = ({name: [] for name in names} for names in (COLUMNS, SCORE_COLUMNS))
    return ChartFigures(ColumnDataSource(bars), ColumnDataSource(strip), tables)


def test_both_figures_share_time_and_stand_in_line() -> None:
    figures = _figures()
    assert figures.price.x_range is figures.score.x_range
    assert figures.price.min_border_right == figures.score.min_border_right


def test_theme_recolours_tones_and_axes() -> None:
    figures = _figures()
    figures.wear("dark")
    assert figures.tones.palette == [getattr(DARK, tone) for tone in TONES]
    figures.wear("light")
    assert figures.price.xaxis[0].major_label_text_color == LIGHT.dim
    assert figures.last.line_color == LIGHT.acc


def test_widths_follow_the_timeframe() -> None:
    figures = _figures()
    figures.fit(3_600_000)
    assert figures.times.follow_interval == 110 * 3_600_000


def test_pins_have_a_lane_of_their_own_and_titles_are_escaped() -> None:
    figures = _figures()
    lane = figures.price.extra_y_ranges["lane"]
    assert (lane.start, lane.end) == (0, 1)
    assert "@text" in TOOLTIP
    assert "safe" not in TOOLTIP


def test_narrow_screens_are_told_how_long_a_bar_is() -> None:
    figures = _figures()
    figures.fit(60_000)
    assert figures.price.tags == [60_000, 110]


def test_every_theme_can_be_worn() -> None:
    figures = _figures()
    for name, palette in PALETTES.items():
        figures.wear(name)
        assert figures.tones.palette == [getattr(palette, tone) for tone in TONES]
        (words,) = {
            r.glyph.background_fill_color for r in figures.price.renderers
            if type(r.glyph).__name__ == "Text"
        }
        assert words == palette.panel

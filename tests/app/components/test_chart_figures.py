from bokeh.models import ColumnDataSource

from app.components.chart import COLUMNS
from app.components.chart_figures import TONES, TOOLTIP, ChartFigures
from app.components.overlay_tables import Overlay
from app.components.theme import DARK, LIGHT


def _figures() -> ChartFigures:
    tables = {n: ColumnDataSource(dict(c)) for n, c in Overlay().tables().items()}
    return ChartFigures(ColumnDataSource({name: [] for name in COLUMNS}), tables)


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

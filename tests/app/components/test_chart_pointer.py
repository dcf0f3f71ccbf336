from app.components.chart import MarketChart
from app.components.chart_pointer import POINTED


def _codes(chart: MarketChart) -> list[str]:
    return [
        tool.callback.code
        for p in (chart.price, chart.score) for tool in p.tools
        if getattr(tool, "callback", None) is not None
    ]


def test_page_hears_of_the_bar_by_an_event_and_has_no_titles() -> None:
    chart = MarketChart(titled=False)
    assert _codes(chart) == [POINTED, POINTED]
    assert not chart.price.title.visible
    assert chart.price.min_border_top > MarketChart().price.min_border_top


def test_notebook_reads_it_in_the_titles_which_are_not_sent_to_the_server() -> None:
    chart = MarketChart()
    for code in _codes(chart):
        assert "above.setv(" in code
        assert code.count("{sync: false}") == 2
    assert chart.price.title.visible


def test_one_crosshair_goes_through_both_figures() -> None:
    chart = MarketChart()
    spans = [
        overlay
        for p in (chart.price, chart.score) for tool in p.tools
        if type(tool).__name__ == "CrosshairTool"
        for overlay in (tool.overlay if isinstance(tool.overlay, tuple) else (tool.overlay,))
        if overlay.dimension == "height"
    ]
    assert len(spans) == 2
    assert spans[0] is spans[1]

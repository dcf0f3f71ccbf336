from dataclasses import replace

import numpy as np
import pytest

from app.components.chart import COLUMNS, MOST_BARS, SCORE_COLUMNS, MarketChart
from app.components.overlay_tables import Overlay
from opportunity.live.chart import ChartData
from opportunity.market.bars import Bar, Bars
from opportunity.scoring.ensemble import combine
from opportunity.scoring.scores import explain

HOUR = 3_600_000


def _data(first: int, n: int, symbol: str = "BTC/USDT", forming: Bar | None = None) -> ChartData:
    close = 100.0 + np.arange(first, first + n) % 7
    opened = close - np.where(np.arange(first, first + n) % 2, 1, -1)
    values = np.stack([opened, close + 2, close - 2, close, close], axis=1)
    bars = Bars(np.arange(first, first + n) * HOUR, values, timeframe="1h", symbol=symbol)
    score = np.linspace(0, 1, n)
    return ChartData(bars, forming, score, 2 * score - 1, np.full(n, 0.3), [])


def _column(chart: MarketChart, name: str) -> list[float]:
    return list(chart._source.data[name])


def _strip(chart: MarketChart, name: str) -> list[float]:
    return list(chart._strip.data[name])


def _opened(chart: MarketChart) -> list[int]:
    return [int(t) // HOUR for t in _column(chart, "opened")]


def test_candles_tell_direction_without_colour() -> None:
    chart = MarketChart()
    chart.load(_data(0, 10))
    for opened, close, tone, body in zip(
        *(_column(chart, c) for c in ("open", "close", "tone", "body")), strict=True
    ):
        assert (tone, body) == (("bull", 0.12) if close >= opened else ("bear", 1.0))


def test_columns_travel_together_and_of_one_length(monkeypatch: pytest.MonkeyPatch) -> None:
    chart = MarketChart()

    def never(*_: object, **__: object) -> None:
        raise AssertionError("a streamed or patched column can lie beside older ones")

    monkeypatch.setattr(type(chart._source), "stream", never)
    monkeypatch.setattr(type(chart._source), "patch", never)
    lengths: list[set[int]] = []
    chart._source.on_change(
        "data", lambda _attr, _old, new: lengths.append({len(c) for c in new.values()})
    )
    for n in range(20):
        chart.load(_data(n, 50))
        for price in (100.5, 103.5):
            chart.tick(Bar((50 + n) * HOUR, 100, 104, 99, price, 1))
    assert len(lengths) == 60
    assert all(len(several) == 1 for several in lengths)


def test_same_data_again_keeps_the_view(monkeypatch: pytest.MonkeyPatch) -> None:
    chart = MarketChart()
    fitted: list[int] = []
    monkeypatch.setattr(chart.figures, "fit", fitted.append)
    chart.load(_data(0, 50))
    chart.load(_data(2, 50))
    assert fitted == [HOUR]
    assert _opened(chart) == list(range(2, 52))


def test_unfinished_bar_moves_and_then_closes_in_place() -> None:
    chart = MarketChart()
    chart.load(_data(0, 50))
    chart.tick(Bar(50 * HOUR, 100, 101, 99, 100.5, 1))
    chart.tick(Bar(50 * HOUR, 100, 104, 99, 103.5, 2))
    assert _opened(chart)[-1] == 50
    assert _column(chart, "close")[-1] == 103.5
    assert np.isnan(_column(chart, "final")[-1])
    assert chart.figures.last.location == 103.5
    chart.tick(Bar(51 * HOUR, 103, 105, 99, 104.5, 2))  # the load of bar 50 is still under way
    chart.load(_data(1, 50))
    assert _opened(chart) == list(range(1, 52))
    assert np.isfinite(_column(chart, "final")[49])
    assert _column(chart, "close")[49] == 100.0 + 50 % 7
    assert np.isnan(_column(chart, "final")[50])


def test_a_closed_bar_is_not_overwritten_by_a_late_tick() -> None:
    chart = MarketChart()
    chart.load(_data(0, 50))
    chart.tick(Bar(49 * HOUR, 1, 1, 1, 1, 1))
    assert _opened(chart) == list(range(50))
    assert _column(chart, "close")[-1] == 100.0 + 49 % 7


def test_forming_bar_of_the_data_is_shown() -> None:
    chart = MarketChart()
    chart.load(_data(0, 50, forming=Bar(50 * HOUR, 100, 104, 99, 103.5, 2)))
    assert _opened(chart)[-1] == 50


def test_another_symbol_or_a_gap_replaces_everything() -> None:
    chart = MarketChart()
    chart.load(_data(0, 50))
    chart.load(_data(0, 40, symbol="ETH/USDT"))
    assert len(_column(chart, "time")) == 40
    chart.load(_data(100, 40, symbol="ETH/USDT"))
    assert _opened(chart) == list(range(100, 140))


def test_no_more_than_the_most_bars_are_held() -> None:
    chart = MarketChart()
    chart.load(_data(0, MOST_BARS + 80))
    assert len(_column(chart, "time")) == MOST_BARS
    assert _opened(chart)[0] == 80
    assert set(chart._source.data) == set(COLUMNS)


def test_strip_holds_scored_bars_and_is_left_alone_by_prices() -> None:
    chart = MarketChart()
    chart.load(_data(0, 50))
    assert set(chart._strip.data) == set(SCORE_COLUMNS)
    before = chart._strip.data
    chart.tick(Bar(50 * HOUR, 100, 104, 99, 103.5, 2))
    assert len(_column(chart, "time")) == 51
    assert len(_strip(chart, "time")) == 50
    assert chart._strip.data is before


def test_models_of_the_page_are_those_that_are_drawn() -> None:
    chart = MarketChart(titled=False)
    drawn = {model.id for p in (chart.price, chart.score) for model in p.references()}
    assert set(chart.models().values()) <= drawn


def test_overlay_is_sent_once() -> None:
    chart = MarketChart()
    drawn = Overlay()
    drawn.dots["x"], drawn.dots["y"], drawn.dots["tone"] = [1.0], [2.0], ["bull"]
    chart.overlay(drawn)
    before = chart._tables["dots"].data
    chart.overlay(drawn)
    assert chart._tables["dots"].data is before


def test_rectangles_lie_where_bodies_volumes_and_scores_are() -> None:
    chart = MarketChart()
    chart.load(_data(0, 10))
    column = {name: np.array(_column(chart, name), dtype=float) for name in (
        "top", "bottom", "middle", "height", "volume", "half_volume",
    )} | {name: np.array(_strip(chart, name)) for name in ("final", "score_middle", "score_height")}
    assert column["middle"] + column["height"] / 2 == pytest.approx(column["top"])
    assert column["middle"] - column["height"] / 2 == pytest.approx(column["bottom"])
    assert 2 * column["half_volume"] == pytest.approx(column["volume"])
    ends = column["score_middle"] + np.sign(column["final"] - 0.5) * column["score_height"] / 2
    assert ends == pytest.approx(column["final"])


def _seen(chart: MarketChart, hour: int, final: float = 0.7, symbol: str = "BTC/USDT"):
    nothing = np.full(9, np.nan)
    row = combine(nothing[None], nothing[None], 0.0, 0.5).take(0)
    told = explain(row, nothing, nothing, np.full(9, 1 / 9), 0.0, 0.5, "1h", (hour + 1) * HOUR)
    return replace(told, final=final, confidence=0.3, symbol=symbol)


def test_preview_is_a_hollow_mark_at_the_unfinished_bar() -> None:
    chart = MarketChart()
    chart.load(_data(0, 50))
    chart.tick(Bar(50 * HOUR, 100, 101, 99, 100.5, 1))
    chart.preview(_seen(chart, 50))
    ahead = chart.figures.ahead.data
    assert (list(ahead["time"]), list(ahead["final"])) == ([50.5 * HOUR], [0.7])
    assert ahead["text"][0].startswith("preview: score 0.70")
    assert np.isnan(_column(chart, "final")[-1])  # the strip itself stays without it
    (mark,) = [r for r in chart.score.renderers if r.data_source is chart.figures.ahead]
    assert mark.glyph.fill_alpha == 0.0
    chart.preview(None)
    assert list(chart.figures.ahead.data["time"]) == []


@pytest.mark.parametrize(
    ("hour", "final", "symbol"),
    [(49, 0.7, "BTC/USDT"), (51, 0.7, "BTC/USDT"), (50, np.nan, "BTC/USDT"),
     (50, 0.7, "ETH/USDT")],
)  # fmt: skip
def test_preview_of_another_bar_is_not_marked(hour, final, symbol) -> None:
    chart = MarketChart()
    chart.load(_data(0, 50))
    chart.tick(Bar(50 * HOUR, 100, 101, 99, 100.5, 1))
    chart.preview(_seen(chart, hour, final, symbol))
    assert list(chart.figures.ahead.data["time"]) == []


def test_mark_goes_when_its_bar_has_closed() -> None:
    chart = MarketChart()
    chart.load(_data(0, 50))
    chart.tick(Bar(50 * HOUR, 100, 101, 99, 100.5, 1))
    chart.preview(_seen(chart, 50))
    chart.load(_data(0, 50))
    assert len(chart.figures.ahead.data["time"]) == 1  # still unfinished
    chart.load(_data(1, 50))
    assert list(chart.figures.ahead.data["time"]) == []

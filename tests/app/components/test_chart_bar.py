import orjson

from app.components.chart_bar import ChartBar


def test_draw_quotes_a_symbol_without_a_price_as_null() -> None:
    bar = ChartBar(frames='["1h"]')
    bar.draw("BTC/USDT", None, 0.01)
    assert orjson.loads(bar.quote) == {"symbol": "BTC/USDT", "price": None, "change": 0.01}

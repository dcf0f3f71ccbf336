import orjson

from app.components.chart_bar import ChartBar, layers_in
from app.components.overlays import DEFAULT_LAYERS


def test_draw_sends_the_quote() -> None:
    bar = ChartBar()
    bar.draw("BTC/USDT", 64_210.0, 0.012)
    assert orjson.loads(bar.quote) == {"symbol": "BTC/USDT", "price": 64_210.0, "change": 0.012}


def test_what_the_browser_hears_itself_is_not_sent() -> None:
    bar = ChartBar()
    bar.draw("BTC/USDT", 64_210.0, 0.012)
    bar.joined = True
    bar.draw("BTC/USDT", 64_211.0, 0.012)
    assert orjson.loads(bar.quote)["price"] == 64_210.0
    bar.draw("ETH/USDT", 2_000.0, 0.012)
    assert orjson.loads(bar.quote)["symbol"] == "ETH/USDT"
    bar.joined = False
    bar.draw("ETH/USDT", 2_001.0, 0.012)
    assert orjson.loads(bar.quote)["price"] == 2_001.0


def test_address_chooses_overlays_by_their_known_names() -> None:
    assert layers_in(None) == list(DEFAULT_LAYERS)
    assert layers_in([b"sar.levels.nonsense\xff"]) == ["levels", "sar"]
    assert layers_in([b""]) == []

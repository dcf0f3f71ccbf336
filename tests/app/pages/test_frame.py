"""The frame around a page: its mark, its universe, and that it belongs to a document."""

from types import SimpleNamespace

import pytest

from app.pages import frame


@pytest.mark.parametrize(
    ("source", "mark"),
    [("simulated", "SIMULATED MARKET"), ("replay:binance", "REPLAY BINANCE"), ("kraken", "KRAKEN")],
)
def test_mark_says_where_prices_come_from(source: str, mark: str) -> None:
    assert frame.market_mark(source)[0] == mark


def test_universe_is_told_once_it_is_known() -> None:
    services = SimpleNamespace(symbols=(), timeframes=("1h", "4h"))
    assert frame.universe(services) == "opening the market"
    services.symbols = ("BTC/USDT",)
    assert frame.universe(services) == "1 symbol · 2 timeframes"
    services.symbols = ("BTC/USDT", "ETH/USDT")
    assert frame.universe(services, "fa") == "2 نماد · 2 بازهٔ زمانی"


def test_a_page_without_a_document_is_refused() -> None:
    with pytest.raises(RuntimeError, match="document"):
        frame.own_document()

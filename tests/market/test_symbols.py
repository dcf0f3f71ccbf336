import pytest
from hypothesis import given
from hypothesis import strategies as st

from opportunity.market.symbols import QUOTES, compact, file_name, parse_symbol

NAMES = st.from_regex("[A-Z0-9]{1,20}", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("BTC/USDT", "BTC/USDT"),
        ("BTCUSDT", "BTC/USDT"),
        ("BTC-USDT", "BTC/USDT"),
        ("btc_usdt", "BTC/USDT"),
        (" eth/btc ", "ETH/BTC"),
        ("1000SATSUSDT", "1000SATS/USDT"),
        ("USDCUSDT", "USDC/USDT"),
        ("XRPETH", "XRP/ETH"),
        ("BTC/USDT:USDT", "BTC/USDT:USDT"),
        ("BTC-USDT-USDT", "BTC/USDT:USDT"),
        ("BTCUSDT:USDT", "BTC/USDT:USDT"),
        ("DOTUSD", "DOT/USD"),
        ("BNBUSD", "BNB/USD"),
        ("BTCFDUSD", "BTC/FDUSD"),
    ],
)
def test_parse_symbol_spellings(text, symbol):
    assert parse_symbol(text) == symbol


@pytest.mark.parametrize(
    "text",
    [
        "", "BTC", "USDT", "/USDT", "BTC/", "BTC//USDT", "../../etc/passwd", "..-USDT", "BTC/..",
        "BTC/USDT\n/", "BTC\x00/USDT", "%2e%2e/USDT", "BTC USDT", "A" * 21 + "/USDT",
        "BTC/USDT:USDT:X", "BTC\\USDT", "=BTC/USDT", "\u202eBTC/USDT", "B\u0131T/USDT",
        "\uff22TC/USDT", "X" * 5000,
    ],
)  # fmt: skip
def test_parse_symbol_refuses(text):
    with pytest.raises(ValueError, match="symbol must be BASE/QUOTE") as caught:
        parse_symbol(text)
    assert len(str(caught.value)) < 400


@given(st.text(max_size=30))
def test_parse_symbol_gives_a_safe_name_or_refuses(text):
    try:
        symbol = parse_symbol(text)
    except ValueError:
        return
    assert set(symbol) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/:")
    assert "." not in file_name(symbol)
    assert "/" not in file_name(symbol)


@given(NAMES, NAMES, st.none() | NAMES)
def test_file_name_is_undone_by_parse(base, quote, settle):
    symbol = f"{base}/{quote}" + (f":{settle}" if settle else "")
    assert parse_symbol(symbol) == symbol
    assert parse_symbol(file_name(symbol)) == symbol


@pytest.mark.parametrize("quote", QUOTES)
def test_compact_is_undone_by_parse(quote):
    for base in ("BTC", "1000SATS", "USDT", "A"):
        if base != quote:
            assert parse_symbol(compact(f"{base}/{quote}")) == f"{base}/{quote}"


def test_compact_and_file_name():
    assert compact("btc/usdt") == "BTCUSDT"
    assert compact("BTC/USDT:USDT") == "BTCUSDT:USDT"
    assert file_name("BTCUSDT") == "BTC-USDT"

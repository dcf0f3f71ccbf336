import pytest

from app.api.problems import ApiError
from app.api.symbols import (
    no_symbol,
    read_symbol,
    read_symbols,
    require_at_most,
    sort_out,
    watched,
)

WATCHED = ("BTC/USDT", "ETH/USDT", "SOL/USDT")


def test_read_symbols_merges_spellings_and_keeps_the_first():
    assert read_symbols(["btcusdt", "BTC/USDT", "ETH-USDT"], "s") == {
        "BTC/USDT": "btcusdt", "ETH/USDT": "ETH-USDT",
    }  # fmt: skip


def test_read_symbol_names_the_field():
    assert read_symbol("btc_usdt", "symbol") == "BTC/USDT"
    with pytest.raises(ApiError) as caught:
        read_symbol("?", "symbol")
    assert (caught.value.status_code, caught.value.field) == (422, "symbol")


def test_sort_out_parts_known_from_unknown_malformed_and_too_many():
    accepted, rejected = sort_out(["btcusdt", "??", "NOPE/USDT", "ETHUSDT", "SOLUSDT"], WATCHED, 2)
    assert accepted == {"BTC/USDT": "btcusdt", "ETH/USDT": "ETHUSDT"}
    assert [r.symbol for r in rejected] == ["??", "NOPE/USDT", "SOLUSDT"]
    assert "at most 2" in rejected[2].reason
    assert "not watched" in rejected[1].reason


def test_sort_out_counts_what_is_there_already():
    accepted, rejected = sort_out(["BTCUSDT", "SOLUSDT"], WATCHED, 2, ["BTC/USDT", "ETH/USDT"])
    assert list(accepted) == ["BTC/USDT"]
    assert len(rejected) == 1


def test_require_at_most_allows_the_limit():
    require_at_most(2, 2, "symbols")
    with pytest.raises(ApiError):
        require_at_most(3, 2, "symbols")


def test_while_nobody_knows_the_symbols_none_is_refused_for_that():
    accepted, rejected = sort_out(["btcusdt", "??", "ETHUSDT", "SOLUSDT"], None, 2)
    assert list(accepted) == ["BTC/USDT", "ETH/USDT"]
    assert [r.symbol for r in rejected] == ["??", "SOLUSDT"]


def test_unknown_symbol_is_a_404_once_symbols_are_known():
    assert no_symbol("NOPE/USDT", WATCHED).status_code == 404
    assert no_symbol("NOPE/USDT", ()).status_code == 503


def test_watched_symbol_in_any_spelling():
    assert watched("btc_usdt", ("BTC/USDT",)) == "BTC/USDT"
    for text, known, status in (("!!", ("BTC/USDT",), 422), ("ETHUSDT", ("BTC/USDT",), 404),
                                ("ETHUSDT", (), 503)):  # fmt: skip
        with pytest.raises(ApiError) as caught:
            watched(text, known)
        assert caught.value.status_code == status

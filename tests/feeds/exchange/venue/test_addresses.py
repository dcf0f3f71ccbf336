import pytest

from opportunity.feeds.exchange.venue.addresses import point_at
from opportunity.feeds.exchange.venue.bans import Bans
from opportunity.feeds.exchange.venue.client import build, load
from opportunity.feeds.exchange.venue.gate import Gate, Timing
from opportunity.feeds.exchange.venue.gated import Plan
from tests.feeds.exchange.scripted import wall_ms

URL = "http://127.0.0.1:8791"


def client(name, url=URL):
    gate = Gate(name, Bans(None), Timing(wall_ms))
    return build(load(name), Plan(name, url, True, 10.0, wall_ms), gate)


def test_binance_keeps_its_paths_and_the_mark_of_its_spot_stream():
    api = client("binance").urls["api"]
    assert api["public"] == f"{URL}/api/v3"
    assert api["fapiPublic"] == f"{URL}/fapi/v1"
    assert api["ws"]["spot"] == "ws://127.0.0.1:8791/stream/ws"
    assert api["ws"]["linear"] == "ws://127.0.0.1:8791/ws"
    assert api["ws"]["ws-api"]["spot"] == "ws://127.0.0.1:8791/ws-api/v3"


@pytest.mark.parametrize(
    ("name", "path"),
    [("kraken", ("public", "")), ("okx", ("rest", "")), ("bybit", ("public", "")),
     ("coinbaseexchange", ("public", "")), ("kucoin", ("public", ""))],
)  # fmt: skip
def test_others_keep_their_paths(name, path):
    urls = client(name).urls
    assert urls["api"][path[0]] == URL + path[1]
    assert list(urls) == ["api"]


def test_every_venue_that_is_documented_can_be_turned():
    for name in ("gate", "mexc", "bitget", "htx", "bitfinex", "bitstamp", "gemini", "upbit"):
        assert "127.0.0.1:8791" in str(client(name).urls["api"])


@pytest.mark.parametrize("url", ["ftp://x", "127.0.0.1:8791", "http://", "http://h/path", "h"])
def test_a_url_that_is_no_plain_address_is_refused(url):
    with pytest.raises(ValueError, match="url must be http://host:port"):
        point_at(client("kraken", ""), url)


def test_an_address_that_cannot_be_turned_is_told():
    found = client("kraken", "")
    found.urls = {"api": {"public": 7}}
    point_at(found, URL)
    assert found.urls == {"api": {}}

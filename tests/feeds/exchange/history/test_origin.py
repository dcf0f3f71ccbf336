import pytest
from paged import MINUTE, NOW, PagedVenue

from opportunity.feeds.exchange.history.origin import longest_within, same_market
from opportunity.feeds.exchange.history.paging import Pager
from opportunity.feeds.exchange.history.shelf import Shelf
from opportunity.market.store import BarStore
from opportunity.market.timeframe import open_ms


@pytest.mark.parametrize(
    ("wanted", "off", "expected"),
    [
        ("1h", (), "1h"),
        ("4h", (), "1h"),
        ("1w", (), "1d"),
        ("1w", ("1d",), "6h"),
        ("12h", (), "6h"),
        ("30m", (), "15m"),
        ("1m", (), "1m"),
    ],
)
def test_longest_that_divides_is_asked_for(wanted, off, expected):
    venue = PagedVenue(timeframes=("1m", "5m", "15m", "1h", "6h", "1d"))
    assert longest_within(venue, wanted, off) == expected


def test_none_that_divides():
    venue = PagedVenue(timeframes=("1h", "1d"))
    with pytest.raises(ValueError, match=r"timeframe must be one .* \(1h, 1d\), was 5m"):
        longest_within(venue, "5m", ())
    assert longest_within(venue, "5m", (), need=False) is None


async def kept(folder, venue):
    shelf = Shelf(BarStore(folder, venue.stamp_name), "BTC/USDT", "1m")
    pager = Pager(venue, "BTC/USDT", "1m")
    until = open_ms(NOW, "1m")
    async for page in pager.pages(until - 10 * MINUTE, until):
        shelf.keep(page.bars, page.span, NOW)
    return shelf, pager


async def test_made_up_market_must_be_the_same_one(tmp_path):
    venue = PagedVenue(stamp="simulated", stamp_name="simulated")
    shelf, pager = await kept(tmp_path, venue)
    assert await same_market(venue, shelf, pager)
    venue.factor = 1.5
    assert not await same_market(venue, shelf, pager)
    venue.factor, venue.listed = 1.0, NOW - MINUTE // 2
    assert not await same_market(venue, shelf, pager)  # its past is not there any more


async def test_real_market_is_believed_without_a_question(tmp_path):
    venue = PagedVenue()
    shelf, pager = await kept(tmp_path, venue)
    venue.asked.clear()
    assert await same_market(venue, shelf, pager)
    assert venue.asked == []

"""Answers of other exchanges, through ccxt's own parsers, into our records."""

import json
from pathlib import Path

import numpy as np
import pytest

from opportunity.feeds.exchange.venue.failures import VenueError
from opportunity.feeds.exchange.venue.gate import Patience
from opportunity.feeds.exchange.venue.venue import Venue
from opportunity.market.bars import Bars
from opportunity.market.timeframe import on_grid
from tests.feeds.exchange.scripted import Scripted, wall_ms

RECORDINGS = sorted((Path(__file__).parent / "recordings").glob("*.json"))

TRADED = '"bids"'  # in recordings that hold prints and a book as well


@pytest.fixture(params=RECORDINGS, ids=lambda p: p.stem)
async def told(request):
    recording = json.loads(request.param.read_text())
    async with Scripted(recording["answers"]) as server:
        venue = Venue(
            recording["venue"], url=server.url, wall_ms=wall_ms, rate=False,
            patience=Patience(attempts=1),
        )  # fmt: skip
        try:
            await venue.open()
            yield recording, venue, server
        finally:
            await venue.close()


async def test_bars_have_the_right_order_units_and_volume(told):
    recording, venue, _ = told
    expected = np.array(recording["bars"])
    since = int(expected[0, 0])
    rows = await venue.bars(recording["symbol"], "1m", since, len(expected))
    bars = Bars(rows.times, rows.values, "1m", recording["symbol"], venue.stamp)
    assert on_grid(bars.time, "1m").all()
    np.testing.assert_array_equal(bars.time, expected[:, 0])
    np.testing.assert_array_equal(bars.values, expected[:, 1:])
    assert bars.source == "simulated"


async def test_markets_and_clock_are_read(told):
    recording, venue, _ = told
    market = venue.markets[recording["symbol"]]
    assert market.active
    assert market.price_step == recording["price_step"]
    assert 0 <= venue.clock.now() - recording["bars"][0][0] - 240_000 < 5_000
    assert "1m" in venue.timeframes
    assert venue.page >= 200


@pytest.mark.parametrize("told", [p for p in RECORDINGS if TRADED in p.read_text()], indirect=True)
async def test_prints_and_books_are_read(told):
    recording, venue, _ = told
    expected = recording["trades"]
    trades = await venue.prints(recording["symbol"], expected[0][0], 3)
    assert trades.time.tolist() == [t[0] for t in expected]
    assert trades.price.tolist() == [t[1] for t in expected]
    assert trades.amount.tolist() == [t[2] for t in expected]
    assert trades.side.tolist() == [1 if t[3] == "buy" else -1 for t in expected]
    book = await venue.book(recording["symbol"], 2)
    assert book.bids == tuple((p, a) for p, a in recording["book"]["bids"][:2])
    assert book.asks == tuple((p, a) for p, a in recording["book"]["asks"][:2])


async def test_nothing_goes_to_another_host(told):
    _, venue, server = told
    client = venue.stream()
    with pytest.raises(VenueError, match="must go to"):
        await client.fetch("http://127.0.0.2:1/somewhere")
    await client.close()
    assert all(c.path in server.answers for c in server.calls)

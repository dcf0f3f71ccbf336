import pytest

from opportunity.feeds.exchange.venue.failures import VenueError
from opportunity.feeds.exchange.venue.gate import Patience
from opportunity.feeds.exchange.venue.venue import Venue
from opportunity.market.observations import Funding
from tests.feeds.exchange.scripted import Reply, Scripted, Series, binance, wall_ms

HOUR = 3_600_000
AT = 1_760_000_000_000 // (8 * HOUR) * 8 * HOUR


def contract(base):
    return {
        "symbol": f"{base}USDT", "pair": f"{base}USDT", "contractType": "PERPETUAL",
        "status": "TRADING", "baseAsset": base, "quoteAsset": "USDT", "marginAsset": "USDT",
        "pricePrecision": 2, "quantityPrecision": 3, "underlyingType": "COIN",
        "deliveryDate": 4133404800000, "onboardDate": 1569398400000,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.1", "maxPrice": "9", "tickSize": "0.1"}
        ],
    }  # fmt: skip


def premium(base, rate):
    return {
        "symbol": f"{base}USDT", "markPrice": "1", "indexPrice": "1", "lastFundingRate": rate,
        "interestRate": "0.0001", "nextFundingTime": AT + 8 * HOUR, "time": AT + HOUR,
    }  # fmt: skip


@pytest.fixture
async def server():
    answers = binance(("BTC/USDT", "ETH/USDT", "SOL/USDT"))
    answers["/fapi/v1/exchangeInfo"] = {"symbols": [contract("BTC"), contract("ETH")]}
    answers["/fapi/v1/premiumIndex"] = [premium("BTC", "0.0001"), premium("ETH", "-0.0002")]
    answers["/fapi/v1/fundingInfo"] = [{"symbol": "ETHUSDT", "fundingIntervalHours": 4}]
    async with Scripted(answers) as server:
        yield server


@pytest.fixture
async def venue(server):
    quick = Patience(first_s=0.001, longest_s=0.002, wait_s=0.2)
    venue = Venue("binance", url=server.url, wall_ms=wall_ms, rate=False, patience=quick)
    await venue.open()
    yield venue
    await venue.close()


async def test_rates_are_given_per_eight_hours(venue):
    found = await venue.funding(["BTC/USDT", "ETH/USDT", "SOL/USDT"])
    assert [(f.symbol, f.rate, f.event_time, f.source) for f in found] == [
        ("BTC/USDT", 0.0001, AT + HOUR, "simulated"),
        ("ETH/USDT", -0.0004, AT + HOUR, "simulated"),
    ]
    assert all(abs(f.available_at - venue.clock.now()) < 1_000 for f in found)


async def test_without_intervals_eight_hours_are_taken(server, venue):
    del server.answers["/fapi/v1/fundingInfo"]
    found = await venue.funding(["ETH/USDT"])
    assert [f.rate for f in found] == [-0.0002]


async def test_nonsense_is_left_out(server, venue):
    server.answers["/fapi/v1/premiumIndex"] = [premium("BTC", "9"), premium("ETH", None)]
    assert await venue.funding(["BTC/USDT", "ETH/USDT"]) == []


async def test_history_is_read_by_the_page(server, venue):
    times = [AT + n * 8 * HOUR for n in range(450)]

    def page(call):
        since, n = int(call.query["startTime"]), int(call.query["limit"])
        left = [t for t in times if t >= since][:n]
        return [
            {"symbol": "BTCUSDT", "fundingTime": t, "fundingRate": "0.0003", "markPrice": ""}
            for t in left
        ]

    server.answers["/fapi/v1/fundingRate"] = page
    until = times[-1]
    found = await venue.funding_history("BTC/USDT", times[2], until)
    assert found == [Funding(t, t, "simulated", "BTC/USDT", 0.0003) for t in times[2:-1]]
    assert server.count("/fapi/v1/fundingRate") == 3
    assert await venue.funding_history("SOL/USDT", AT, until) == []


async def test_a_venue_without_perpetuals_gives_none(server, venue):
    server.answers["/fapi/v1/exchangeInfo"] = {"symbols": []}
    assert await venue.funding(["BTC/USDT"]) == []
    assert await venue.funding_history("BTC/USDT", AT, AT + HOUR) == []


async def test_a_failure_is_told_and_the_next_time_it_is_tried_again(server, venue):
    good = server.answers["/fapi/v1/exchangeInfo"]
    server.answers["/fapi/v1/exchangeInfo"] = Series([Reply("<html>")] * 3 + [good])
    with pytest.raises(VenueError):
        await venue.funding(["BTC/USDT"])
    assert len(await venue.funding(["BTC/USDT"])) == 1

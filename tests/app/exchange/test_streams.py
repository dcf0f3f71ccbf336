import asyncio
from collections import Counter

import pytest
from local_exchange import kline, line, numbers, rows

from app.exchange.call_faults import ClockSkew
from app.exchange.server import LocalExchange

MINUTE = 60_000


async def test_every_bar_closes_once_and_in_order(exchange: LocalExchange) -> None:
    names = [f"{s}usdt@kline_1m" for s in ("btc", "eth", "sol")]
    async with line(exchange, *names) as opened:
        seen = [await opened.next(lambda m: "k" in m and m["k"]["x"]) for _ in range(45)]
    for symbol in ("BTCUSDT", "ETHUSDT", "SOLUSDT"):
        times = [m["k"]["t"] for m in seen if m["s"] == symbol]
        assert times == list(range(times[0], times[-1] + 1, MINUTE))


async def test_forming_frames_come_about_four_times_a_second(calm: LocalExchange) -> None:
    names = [f"{s}usdt@kline_1m" for s in ("btc", "eth", "sol")]
    counts: Counter[str] = Counter()
    async with line(calm, *names) as opened:
        until = calm.clock.real() + 1.2
        while calm.clock.real() < until:
            event = await opened.next(lambda m: "k" in m)
            counts[event["s"]] += not event["k"]["x"]
            assert event["k"]["t"] <= event["E"]
    assert all(2 <= n <= 6 for n in counts.values()), counts


async def test_longer_bars_close_with_the_minute(exchange: LocalExchange) -> None:
    async with line(exchange, "ethusdt@kline_5m") as opened:
        first, second = [await opened.closing("ETHUSDT") for _ in range(2)]
    assert second["k"]["t"] - first["k"]["t"] == 300_000
    told = await rows(exchange, "ETHUSDT", interval="5m", startTime=second["k"]["t"], limit=1)
    assert numbers(told[0]) == kline(second)


@pytest.mark.parametrize("name", ["trade", "aggTrade"])
async def test_no_print_is_lost_or_doubled(exchange: LocalExchange, name: str) -> None:
    number = "t" if name == "trade" else "a"
    async with line(exchange, f"btcusdt@{name}") as opened:
        events = [await opened.next() for _ in range(200)]
    found = [e[number] for e in events]
    block = {}
    for at in range(events[0]["T"] // MINUTE * MINUTE, events[-1]["T"] + 1, MINUTE):
        prints = exchange.market.trades(0, at)
        assert prints is not None
        block |= {at // MINUTE * exchange.market.most_prints + k: int(x)
                  for k, x in enumerate(prints.time)}
    assert found == [n for n in sorted(block) if found[0] <= n <= found[-1]]
    assert [e["T"] for e in events] == [block[n] for n in found]


async def test_all_tickers_come_in_one_list(calm: LocalExchange) -> None:
    async with line(calm, "!miniTicker@arr", "ethusdt@miniTicker") as opened:
        several = await opened.next(lambda m: isinstance(m, list))
        one = await opened.next(lambda m: isinstance(m, dict))
    assert {t["s"] for t in several} == {"BTCUSDT", "ETHUSDT", "SOLUSDT"}
    assert (one["e"], one["s"]) == ("24hrMiniTicker", "ETHUSDT")


async def test_told_time_is_skewed_in_frames(exchange: LocalExchange) -> None:
    exchange.faults.add(ClockSkew(by_ms=3_600_000))
    async with line(exchange, "btcusdt@kline_1m") as opened:
        event = await opened.closing()
    assert event["E"] - event["k"]["T"] > 3_590_000


async def test_pause_is_made_up_for(exchange: LocalExchange) -> None:
    async with line(exchange, "btcusdt@kline_1m") as opened:
        first = await opened.closing()
        exchange.clock.start(first["k"]["t"] + 50 * MINUTE)  # the clock leaps
        times = [(await opened.closing())["k"]["t"] for _ in range(50)]
        await asyncio.sleep(0)
    assert times == list(range(first["k"]["t"] + MINUTE, times[-1] + 1, MINUTE))

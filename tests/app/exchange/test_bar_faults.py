import math

import numpy as np
import orjson
import pytest
from local_exchange import kline, line, numbers, rows

from app.exchange.bar_faults import (
    BarFault,
    Case,
    Correction,
    Differs,
    Flat,
    Gap,
    Invalid,
    LostClose,
    OffGrid,
    Spike,
    places,
)
from app.exchange.server import LocalExchange
from opportunity.feeds.simulation.market import SimulatedMarket

MINUTE = 60_000
CASE = Case(1_748_865_600_000, MINUTE, (10.0, 12.0, 9.0, 11.0, 5.0), 9.5)


async def struck(exchange: LocalExchange, fault: BarFault, frames: int = 3):
    """Order a fault of one bar; return its opening time and the closing frames around it."""
    at = exchange.now() // MINUTE * MINUTE + 3 * MINUTE
    exchange.faults.order(fault.as_dict() | {"bars": [at], "symbols": ["BTC/USDT"]})
    seen = []
    async with line(exchange, "btcusdt@kline_1m") as opened:
        while len(seen) < frames or seen[-1]["k"]["t"] < at + MINUTE:
            seen.append(await opened.closing())
    return at, seen


async def rest_times(exchange: LocalExchange, at: int) -> list[int]:
    return [r[0] for r in await rows(exchange, startTime=at - 2 * MINUTE, limit=5)]


async def test_gap_is_missing_everywhere(exchange: LocalExchange) -> None:
    at, frames = await struck(exchange, Gap())
    assert at not in [f["k"]["t"] for f in frames]
    found = await rest_times(exchange, at)
    assert at not in found
    assert found[:3] == [at - 2 * MINUTE, at - MINUTE, at + MINUTE]
    assert exchange.faults.injected == {"gap": 1}
    longer = await rows(exchange, interval="5m", startTime=at // 300_000 * 300_000, limit=1)
    assert len(longer) == 1


async def test_page_is_full_despite_gaps(exchange: LocalExchange) -> None:
    now = exchange.now() // MINUTE * MINUTE
    exchange.faults.add(Gap(bars=tuple(range(now - 20 * MINUTE, now - 10 * MINUTE, MINUTE))))
    exchange.core.advance()
    assert len(await rows(exchange, limit=30)) == 30
    oldest = await rows(exchange, limit=15, startTime=now - 25 * MINUTE)
    assert len(oldest) == 15
    assert [r[0] for r in oldest[4:7]] == [now - m * MINUTE for m in (21, 10, 9)]


async def test_gap_of_the_stream_is_there_in_rest(exchange: LocalExchange) -> None:
    at, frames = await struck(exchange, Gap(where="stream"))
    assert at not in [f["k"]["t"] for f in frames]
    assert at in await rest_times(exchange, at)


async def test_lost_close_is_there_in_rest(exchange: LocalExchange) -> None:
    at, frames = await struck(exchange, LostClose())
    assert at not in [f["k"]["t"] for f in frames]
    assert at in await rest_times(exchange, at)
    assert exchange.faults.injected == {"lost_close": 1}


@pytest.mark.parametrize("where", ["both", "stream", "rest"])
async def test_off_grid_bar(exchange: LocalExchange, where: str) -> None:
    at, frames = await struck(exchange, OffGrid(shift_ms=14_000, where=where))
    times = [f["k"]["t"] for f in frames]
    streamed, told = where != "rest", where != "stream"
    assert (at + 14_000 in times, at in times) == (streamed, not streamed)
    found = await rest_times(exchange, at)
    assert (at + 14_000 in found, at in found) == (told, not told)


@pytest.mark.parametrize("what", ["nan", "null", "text", "inf", "negative", "crossed"])
async def test_invalid_bar(exchange: LocalExchange, what: str) -> None:
    at, frames = await struck(exchange, Invalid(what=what))
    event = next(f["k"] for f in frames if f["k"]["t"] == at)
    row = next(r for r in await rows(exchange, startTime=at, limit=2) if r[0] == at)
    assert [event[name] for name in "ohlcv"] == row[1:6]
    values = []
    for text in row[1:6]:
        try:
            values.append(float(text))
        except (TypeError, ValueError):
            values.append(math.nan)
    o, h, low, c, _ = values
    sane = math.isfinite(sum(values)) and 0 < low <= min(o, c) <= max(o, c) <= h
    assert not sane


@pytest.mark.parametrize("factor", [100.0, 0.01])
async def test_spike_is_in_the_stream_only(exchange: LocalExchange, factor: float) -> None:
    at, frames = await struck(exchange, Spike(factor=factor))
    said = kline(next(f for f in frames if f["k"]["t"] == at))
    row = numbers((await rows(exchange, startTime=at, limit=1))[0])
    assert said[:4] == pytest.approx([factor * x for x in row[:4]])
    assert said[4] == pytest.approx(row[4])


async def test_stream_differs_from_rest(exchange: LocalExchange) -> None:
    at, frames = await struck(exchange, Differs(bp=30))
    said = kline(next(f for f in frames if f["k"]["t"] == at))
    row = numbers((await rows(exchange, startTime=at, limit=1))[0])
    assert said[3] == pytest.approx(row[3] * 1.003)
    assert said[1] >= said[3]
    assert (said[0], said[4]) == (row[0], row[4])


async def test_flat_bar_has_no_volume(exchange: LocalExchange) -> None:
    at, frames = await struck(exchange, Flat())
    event = next(f for f in frames if f["k"]["t"] == at)
    before, row = await rows(exchange, startTime=at - MINUTE, limit=2)
    price = numbers(before)[3]
    assert kline(event) == numbers(row) == (price, price, price, price, 0.0)


@pytest.mark.parametrize("frame", [True, False])
async def test_correction_comes_later(
    exchange: LocalExchange, market: SimulatedMarket, frame: bool
) -> None:
    fault = Correction(after_bars=2, bp=50, volume=2.0, frame=frame)
    at, frames = await struck(exchange, fault, frames=11)
    said = [kline(f) for f in frames if f["k"]["t"] == at]
    row = numbers((await rows(exchange, startTime=at, limit=1))[0])
    pure = market.bars(np.array([0]), "1m", np.array([at]))
    assert said[0] == tuple(pure[0, 0])
    assert row[3] == pytest.approx(pure[0, 0, 3] * 1.005)
    assert row[4] == pytest.approx(2 * pure[0, 0, 4])
    assert said[1:] == ([row] if frame else [])
    assert exchange.faults.injected == {"correction": 1}


async def test_correction_may_restore_the_market(exchange: LocalExchange) -> None:
    at, frames = await struck(exchange, Correction(bp=50, restore=True, frame=True), frames=11)
    first, second = [kline(f) for f in frames if f["k"]["t"] == at]
    row = numbers((await rows(exchange, startTime=at, limit=1))[0])
    assert first[3] == pytest.approx(1.005 * row[3])
    assert second == row


@pytest.mark.parametrize("what", ["nan", "null", "text", "inf", "negative", "crossed"])
def test_tokens_are_json(what: str) -> None:
    tokens = Invalid(what=what).change(CASE).tokens
    assert len(orjson.loads(f"[{','.join(tokens)}]")) == 5


def test_change_says_one_thing_before_and_another_after() -> None:
    change = Correction(after_bars=3, bp=-1_000).change(CASE)
    assert change.at == CASE.opened + 4 * MINUTE
    assert change.said(CASE.values, change.at - 1) == CASE.values
    assert change.said(CASE.values, change.at) == (10.0, 12.0, 9.0, pytest.approx(9.9), 5.0)


def test_correction_must_change_something() -> None:
    with pytest.raises(ValueError, match="bp must not be 0 where volume is 1"):
        Correction(bp=0)


def test_places_of_a_word() -> None:
    assert places("both") == {"rest", "stream"}
    assert places("rest") == {"rest"}

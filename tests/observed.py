"""Records made to order: what becomes known around given bars, and the same seen in a mirror."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from opportunity.market.bars import Bars
from opportunity.market.observations import (
    FearGreed,
    Funding,
    Headline,
    Heartbeat,
    LongShort,
    OpenInterest,
    OrderBook,
    Record,
    SocialVolume,
    Trades,
    Transfer,
    by_availability,
)
from opportunity.market.timeframe import DAY_MS, HOUR_MS, MINUTE_MS

LEAD_MS = 100 * DAY_MS
TITLES = (
    "TEST rallies as exchange lists new pairs",
    "TEST plunges after wallet provider is hacked",
    "Regulator approves TEST fund",
    "Regulator sues TEST issuer over fraud",
    "Exchange halts withdrawals of TEST",
    "TEST conference opens",
    "Bank adopts TEST for settlement, partnership signed",
    "Analysts warn of TEST selloff",
)


def observations(bars: Bars, seed: int = 5) -> list[Record]:
    """Return records of every kind about the symbol of `bars`, from 100 days before them on."""
    rng = np.random.default_rng(seed)
    symbol = bars.symbol or "TEST/USDT"
    start, end = int(bars.time[0]) - LEAD_MS, int(bars.time[-1]) + HOUR_MS
    found: list[Record] = [*_mood(rng, start, end), *_perpetual(rng, symbol, start, end)]
    found += _news(rng, int(bars.time[0]) - 4 * DAY_MS, end, symbol)
    found += _transfers(rng, symbol.partition("/")[0], start, end)
    found += _prints(rng, bars, symbol)
    found += _books(rng, bars, symbol)
    return by_availability(found)


def _mood(rng: np.random.Generator, start: int, end: int) -> list[Record]:
    days = range(start // DAY_MS, end // DAY_MS)
    value = np.clip(np.rint(50 + np.cumsum(rng.normal(0, 6, len(days)))), 2, 98)
    return [
        FearGreed(d * DAY_MS, (d + 1) * DAY_MS, "test", int(v))
        for d, v in zip(days, value, strict=True)
    ]


def _perpetual(rng: np.random.Generator, symbol: str, start: int, end: int) -> list[Record]:
    found: list[Record] = []
    for t in range(-(-start // HOUR_MS) * HOUR_MS, end, HOUR_MS):
        if t % (8 * HOUR_MS) == 0:
            rate = 1e-4 if rng.random() < 0.4 else float(rng.normal(1e-4, 2e-4))
            found.append(Funding(t, t, "test", symbol, rate))
        late = t + int(rng.integers(0, 10 * MINUTE_MS))
        amount, ratio = np.exp(rng.normal(0, (0.05, 0.3)))
        found.append(OpenInterest(t, late, "test", symbol, 1e6 * float(amount)))
        found.append(LongShort(t, late, "test", symbol, float(ratio)))
        if t % (6 * HOUR_MS) == 0:
            found.append(SocialVolume(t, late, "test", symbol, float(rng.poisson(100))))
    return found


def _news(rng: np.random.Generator, start: int, end: int, symbol: str) -> list[Record]:
    found: list[Record] = [
        Heartbeat(t, t, "desk", "headline") for t in range(start, end, 10 * MINUTE_MS)
    ]
    t = start
    while t < end:
        title = TITLES[int(rng.integers(len(TITLES)))] + f" ({t // MINUTE_MS})"
        found.append(Headline(t, t + int(rng.integers(MINUTE_MS, HOUR_MS)), "desk", title,
                              "Paper", (symbol,)))
        t += int(rng.exponential(5 * HOUR_MS)) + 1
    return found


def _transfers(rng: np.random.Generator, asset: str, start: int, end: int) -> list[Record]:
    found: list[Record] = []
    t = start
    while t < end:
        flow = ("in", "out", "unknown", "between")[int(rng.integers(4))]
        amount = float(np.exp(rng.normal(6, 1)))
        found.append(Transfer(t, t + 30 * MINUTE_MS, "chain", asset, amount, flow, "Exchange"))
        t += int(rng.exponential(6 * HOUR_MS)) + 1
    return found


def _prints(rng: np.random.Generator, bars: Bars, symbol: str) -> list[Record]:
    """Forty prints in each bar, within its range, of tick size, the side leaning with the bar."""
    found: list[Record] = []
    n = 40
    for t, (o, h, low, c, _) in zip(bars.time.tolist(), bars.values.tolist(), strict=True):
        time = t + np.sort(rng.integers(0, HOUR_MS, n))
        side = np.where(rng.random(n) < 0.5, 1, -1)
        price = np.where(side > 0, max(o, c), min(o, c)).astype(np.float64)
        price[0], price[-1] = o, c
        price[1], price[2] = h, low
        amount = np.exp(rng.normal(0, 1.2, n))
        found.append(Trades("test", symbol, time, price, amount, side.astype(np.int8)))
    return found


def _books(rng: np.random.Generator, bars: Bars, symbol: str) -> list[Record]:
    found: list[Record] = []
    for t, close in zip(bars.time.tolist(), bars.close.tolist(), strict=True):
        for at in (t + 5 * MINUTE_MS, t + 35 * MINUTE_MS, t + 59 * MINUTE_MS):
            tick = close * 2.0**-12
            sizes = np.rint(rng.exponential(100, (2, 5))) + 1
            bids = tuple((close - tick * (i + 1), float(a)) for i, a in enumerate(sizes[0]))
            asks = tuple((close + tick * (i + 1), float(a)) for i, a in enumerate(sizes[1]))
            found.append(OrderBook(at, at, "test", symbol, bids, asks))
    return found


def mirrored_records(records: Iterable[Record], bars: Bars) -> list[Record]:
    """Return what would be known in the mirrored market of `builders.mirrored(bars)`.

    Prices p become (highest + lowest) - p and sides swap. Headlines stay: what they say has to be
    read the other way round (`News` takes the reader of tone as a parameter).
    """
    total = float(bars.high.max() + bars.low.min())
    return [_twin(record, total) for record in records]


def _twin(record: Record, total: float) -> Record:
    match record:
        case FearGreed():
            return replace(record, value=100 - record.value)
        case Funding():
            return replace(record, rate=-record.rate)
        case LongShort():
            return replace(record, ratio=1 / record.ratio)
        case Transfer():
            flow = {"in": "out", "out": "in"}.get(record.flow, record.flow)
            return replace(record, flow=flow)
        case Trades():
            return replace(record, price=total - record.price, side=-record.side)
        case OrderBook():
            bids, asks = (
                tuple((total - p, a) for p, a in side) for side in (record.asks, record.bids)
            )
            return replace(record, bids=bids, asks=asks)
        case _:
            return record


def scaled_records(records: Iterable[Record], factor: float) -> list[Record]:
    """Return the records of the market of `builders.scaled(bars, factor)`."""
    found: list[Record] = []
    for record in records:
        if isinstance(record, Trades):
            record = replace(record, price=record.price * factor)
        elif isinstance(record, OrderBook):
            bids, asks = (
                tuple((p * factor, a) for p, a in side) for side in (record.bids, record.asks)
            )
            record = replace(record, bids=bids, asks=asks)
        found.append(record)
    return found

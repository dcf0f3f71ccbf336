import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from builders import mirrored, random_bars, shuffled
from observed import observations

from opportunity.detectors.base import WARMUP
from opportunity.detectors.whales import STATE, Whales
from opportunity.market.bars import Bars
from opportunity.market.observations import (
    OrderBook,
    PrintMinute,
    Trades,
    Transfer,
    by_availability,
)
from opportunity.market.readers import read_bars

HOUR_MS, MINUTE_MS = 3_600_000, 60_000


def known(bars, *kinds, seed=5):
    return [r for r in observations(bars, seed) if isinstance(r, kinds)]


def test_a_stream_takes_less_than_six_kilobytes():
    assert STATE.itemsize < 6 * 1024


def test_without_records_there_is_no_score():
    found = Whales().detect(random_bars(300))
    assert not found.available.any()
    assert not found.connected
    assert (found.outputs["proxy"] == 0).all()


@pytest.mark.parametrize("kind", [Trades, OrderBook, Transfer], ids=lambda k: k.__name__)
def test_each_kind_of_record_alone_makes_it_available(kind):
    bars = random_bars(600, seed=3)
    found = Whales().detect(bars, known(bars, kind))
    assert found.connected
    assert found.available[WARMUP:].mean() > 0.7
    assert (found.score[found.available] != 0).any()
    assert found.confidence[found.available].max() <= 0.5


def test_score_ends_with_the_records_and_comes_back():
    bars = random_bars(900, seed=3)
    a, b = bars.time[400], bars.time[600]
    told = [
        r for r in known(bars, Trades, OrderBook)
        if not a <= (r.time[0] if isinstance(r, Trades) else r.event_time) < b
    ]
    found = Whales().detect(bars, told)
    assert found.available[WARMUP - 1 : 404].all()
    assert not found.available[404:600].any()
    assert found.available[600:].all()


def test_swapped_sides_negate_the_score():
    bars = random_bars(900, seed=4)
    trades = known(bars, Trades)
    one = Whales().detect(bars, trades)
    other = Whales().detect(bars, [replace(r, side=-r.side) for r in trades])
    np.testing.assert_array_equal(one.score, -other.score)
    np.testing.assert_array_equal(one.confidence, other.confidence)
    np.testing.assert_array_equal(one.outputs["delta"], -other.outputs["delta"])
    assert [(e.bar, e.kind, e.state, e.side) for e in one.events] == [
        (e.bar, e.kind, e.state, -e.side) for e in other.events
    ]
    assert np.nanstd(one.score) > 0.05


def test_minutes_that_were_stored_score_as_the_prints_did():
    bars = random_bars(500, seed=6)
    trades = known(bars, Trades)
    detector = Whales()
    inputs = detector.new_inputs((bars.symbol,))
    inputs.take(by_availability(trades))
    minutes = inputs.drain()
    assert all(isinstance(m, PrintMinute) for m in minutes)
    one, other = detector.detect(bars, trades), detector.detect(bars, minutes)
    np.testing.assert_array_equal(one.score[:-1], other.score[:-1])  # the last minute is open
    np.testing.assert_array_equal(one.confidence[:-1], other.confidence[:-1])


def test_bars_of_little_volume_deserve_little():
    bars = random_bars(300, seed=8)
    values = bars.values.copy()
    values[:, 4] = 100.0
    values[200:220, 4] = 50.0
    values[220:240, 4] = 1.0
    values[240:260, 4] = 1e6
    found = Whales().detect(replace(bars, values=values), known(bars, OrderBook))
    assert found.confidence[150] == pytest.approx(0.5)
    assert found.confidence[205] == pytest.approx(0.25)
    assert found.confidence[225] == pytest.approx(0.5 * 0.3)
    assert found.confidence[245] == pytest.approx(0.5)


def test_the_proxy_works_only_when_asked_for_and_says_so():
    bars = random_bars(600, seed=9)
    found = Whales(proxy=True).detect(bars)
    assert found.available[WARMUP - 1 :].all()
    assert (found.outputs["proxy"] == 1).all()
    assert found.confidence[WARMUP - 1 :].max() <= 0.2
    assert found.events
    assert {e.kind for e in found.events} == {"proxy flow"}
    assert all("proxy" in e.text for e in found.events)
    twin = Whales(proxy=True).detect(mirrored(bars))
    np.testing.assert_array_equal(found.score, -twin.score)


def test_records_win_over_the_proxy():
    bars = random_bars(600, seed=9)
    told = [r for r in known(bars, Trades) if r.time[0] >= bars.time[300]]
    plain, allowed = (Whales(proxy=p).detect(bars, told) for p in (False, True))
    by_bars = allowed.outputs["proxy"] == 1
    assert by_bars[:300].all()
    assert not by_bars[351:].any()
    np.testing.assert_array_equal(allowed.score[~by_bars], plain.score[~by_bars])
    assert np.isfinite(allowed.score[WARMUP - 1 :]).all()


@pytest.mark.realdata
@pytest.mark.parametrize("symbol", ["BTC-USDT", "ETH-USDT"])
def test_the_proxy_has_the_measured_spread(symbol, market_data):
    bars = read_bars(market_data / "binance" / symbol / "1h.parquet")
    _, h, low, c, v = bars.values.T
    place = np.divide((c - low) - (h - c), h - low, out=np.zeros(len(c)), where=h > low)
    ones = np.ones(20)
    volume = np.convolve(v, ones, "valid")
    money = np.convolve(place * v, ones, "valid") / np.maximum(volume, 1e-9)
    score = Whales(proxy=True).detect(bars).score[WARMUP - 1 :]
    low_, middle, high_ = np.quantile(money[80:], [0.1, 0.5, 0.9])
    assert low_ == pytest.approx(-0.13, abs=0.03)
    assert high_ == pytest.approx(0.19, abs=0.03)
    assert middle == pytest.approx(0.03, abs=0.02)
    assert np.quantile(score, 0.1) == pytest.approx(-0.40, abs=0.06)
    assert np.quantile(score, 0.9) == pytest.approx(0.45, abs=0.06)


def forward(bars: Bars, found, hold: int = 24) -> np.ndarray:
    """Moves over the next bars, in units of their deviation, signed by the events."""
    deviation = np.std(np.diff(np.log(bars.close))) * math.sqrt(hold)
    moves = [
        e.side * np.log(bars.close[e.bar + hold] / bars.close[e.bar]) / deviation
        for e in found.events
        if e.state == "active" and e.side != 0 and e.bar + hold < len(bars)
    ]
    return np.array(moves)


@pytest.mark.realdata
def test_events_on_shuffled_bars_foretell_nothing(market_data):
    """Prints say the side of each bar; shuffled, the next bars know nothing of it."""
    whole = read_bars(market_data / "binance" / "BTC-USDT" / "1h.parquet")[30_000:42_000]
    scores = []
    for seed in range(6):
        bars = shuffled(replace(whole, symbol="BTC/USDT", timeframe="1h"), seed)
        found = Whales(proxy=True).detect(bars)
        moves = forward(bars, found)
        drift = np.log(bars.close[-1] / bars.close[0]) / len(bars) * 24
        assert moves.size > 100
        scores.append(moves.mean() / (moves.std() / math.sqrt(moves.size / 2)))
        assert abs(drift) < 0.1
    assert abs(np.mean(scores)) < 3 / math.sqrt(len(scores))


def test_prints_that_know_nothing_foretell_nothing():
    moves = []
    for seed in range(10):
        bars = random_bars(2000, seed=seed)
        moves.append(forward(bars, Whales().detect(bars, known(bars, Trades, seed=seed))))
    found = np.concatenate(moves)
    assert found.size > 100
    assert abs(found.mean()) < 3 * found.std() / math.sqrt(found.size / 2)  # some overlap


@pytest.mark.realdata
def test_rates_on_recorded_prints(market_data):
    folder = market_data / "binance" / "XRP-ETH"
    table = pd.read_parquet(folder / "trades.parquet")
    trades = Trades(
        "binance", "XRP/ETH", table["timestamp"].astype("int64").to_numpy(),
        table["price"].to_numpy(), table["amount"].to_numpy(),
        np.where(table["side"] == "buy", 1, -1).astype(np.int8),
    )  # fmt: skip
    bars = replace(read_bars(folder / "5m.parquet"), symbol="XRP/ETH", timeframe="5m")
    found = Whales().detect(bars, [trades])
    large = [e for e in found.events if e.kind == "large prints"]
    assert found.available[WARMUP - 1 :].all()
    assert 30 < 1000 * len(large) / len(bars) < 80
    assert 0.1 < np.nanstd(found.score) < 0.4


def crowd(rng, n, rate=60.0):
    """Log-normal prints of no side, about 60 an hour, as a block."""
    count = rng.poisson(rate, n)
    time = np.concatenate([
        START + HOUR_MS * i + np.sort(rng.integers(0, HOUR_MS, k)) for i, k in enumerate(count)
    ])
    amount = np.exp(rng.normal(0, 1.0, time.size))
    return time, amount, np.where(rng.random(time.size) < 0.5, 1, -1)


START = 1_600_000_000_000 // (24 * HOUR_MS) * 24 * HOUR_MS


def with_order(seed, side, parts, noise, size=100.0):
    """A market of 160 bars in whose bar 150 somebody takes `size`; 99 are usual in a bar.

    `parts` orders of equal size; `noise` is the part of it that others take from the other side,
    in one order.
    """
    rng = np.random.default_rng(seed)
    time, amount, sides = crowd(rng, 160)
    at = START + 150 * HOUR_MS + np.sort(rng.integers(0, HOUR_MS, parts + 1))
    place = np.searchsorted(time, at)
    sizes = np.append(np.full(parts, size / parts), noise * size + 0.01)
    whose = np.append(np.full(parts, side), -side)
    time, amount = np.insert(time, place, at), np.insert(amount, place, sizes)
    sides = np.insert(sides, place, whose)
    bar = (time - START) // HOUR_MS
    volume = np.bincount(bar, amount, 160)
    close = 100 + np.arange(160) % 2.0
    values = np.column_stack([close, close + 1, close - 1, close, volume])
    bars = Bars(START + HOUR_MS * np.arange(160), values, "1h", "TEST/USDT", "simulated")
    trades = Trades("simulated", "TEST/USDT", time, np.full(time.size, 100.0), amount, sides)
    found = Whales().detect(bars, [trades])
    return [e for e in found.events if e.kind == "large prints" and e.bar == 150]


@pytest.mark.parametrize(
    ("size", "noise", "least"), [(100.0, 0.0, 0.9), (200.0, 0.0, 0.9), (200.0, 0.25, 0.75)]
)
def test_planted_orders_are_found_with_their_side(size, noise, least):
    hits = [
        (with_order(seed, side, 3, noise, size), side) for seed in range(40) for side in (1, -1)
    ]
    seen = [(events[0].side, side) for events, side in hits if events]
    assert len(seen) / len(hits) >= least
    assert np.mean([a == b for a, b in seen]) >= 0.99


def test_the_same_volume_in_small_orders_is_not_large():
    hits = [with_order(seed, side, 200, 0.0) for seed in range(30) for side in (1, -1)]
    assert sum(map(len, hits)) <= 6


def test_what_it_goes_by_is_said_in_words():
    assert Whales().remark({"delta": 1234.6}) == "bought less sold +1,235"
    assert Whales().remark({"delta": float("nan")}) == ""

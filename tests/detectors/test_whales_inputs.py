from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from opportunity.detectors.whales_inputs import COLUMNS, MEMORY_MS, WhalesInputs
from opportunity.market.observations import (
    Funding,
    Heartbeat,
    OrderBook,
    Record,
    Trade,
    Trades,
    Transfer,
    by_availability,
)
from opportunity.market.readers import read_bars

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
START = 1_600_000_000_000 // DAY_MS * DAY_MS
SYMBOLS = ("BTC/USDT", "ETH/USDT", "BTC/EUR")
AT = {name: i for i, name in enumerate(COLUMNS)}


def prints(symbol: str, minutes: int, seed: int = 1, n: int = 10, start: int = START) -> Trades:
    rng = np.random.default_rng(seed)
    time = start + np.sort(rng.integers(0, minutes * MINUTE_MS, n * minutes))
    return Trades(
        "test", symbol, time, rng.uniform(9, 11, time.size),
        np.exp(rng.normal(0, 1.5, time.size)), np.where(rng.random(time.size) < 0.5, 1, -1),
    )  # fmt: skip


def market(days: int) -> list[Record]:
    """Prints of three symbols by the hour, books by the minute, a transfer every three hours."""
    rng = np.random.default_rng(7)
    found: list[Record] = []
    for h in range(24 * days):
        at = START + h * HOUR_MS
        for i, symbol in enumerate(SYMBOLS):
            found.append(prints(symbol, 60, seed=100 * h + i, n=2, start=at))
        for m in range(0, 60, 3):
            for known in (at + m * MINUTE_MS, at + m * MINUTE_MS + 20_000):
                bid, ask = rng.integers(1, 50, 2).tolist()
                found.append(
                    OrderBook(known, known, "test", "ETH/USDT", ((9.5, bid),), ((10.0, ask),))
                )
        if h % 3 == 0:
            flow = ("in", "out", "unknown")[int(rng.integers(3))]
            amount = float(np.exp(rng.normal(6, 1)))
            found.append(Transfer(at, at + 5 * MINUTE_MS, "chain", "BTC", amount, flow))
    return by_availability(found)


def ask(inputs, closes, lengths=(1, 15, 60, 240, 1440)):
    """Ask for bars of every symbol and length that close at the given times."""
    rows = [
        (s, c - length * MINUTE_MS, c)
        for c in closes for length in lengths for s in range(len(SYMBOLS))
    ]
    symbols, opened, closed = np.array(rows).T
    return inputs.rows(symbols, opened, closed)


def test_rows_of_many_symbols_equal_those_of_single_ones():
    inputs = WhalesInputs(SYMBOLS)
    inputs.take(market(3))
    rng = np.random.default_rng(1)
    symbols = rng.integers(0, 3, 200)
    closed = START + DAY_MS + HOUR_MS * rng.integers(0, 48, 200)
    opened = closed - HOUR_MS * rng.choice([1, 4, 24], 200)
    rows = inputs.rows(symbols, opened, closed)
    assert rows.shape == (200, len(COLUMNS))
    for i in range(200):
        one = inputs.rows(symbols[i : i + 1], opened[i : i + 1], closed[i : i + 1])
        np.testing.assert_array_equal(one[0], rows[i])
    assert inputs.rows(symbols[:0], opened[:0], closed[:0]).shape == (0, len(COLUMNS))


def test_later_records_change_nothing_that_was_answered():
    records = market(4)
    inputs = WhalesInputs(SYMBOLS)
    asked = []
    i = 0
    for c in range(START + HOUR_MS, START + 4 * DAY_MS + 1, HOUR_MS):
        j = i
        while j < len(records) and _known(records[j]) <= c:
            j += 1
        inputs.take(records[i:j])
        i = j
        asked.append((c, ask(inputs, [c])))
    for c, rows in asked:
        np.testing.assert_array_equal(ask(inputs, [c]), rows)
    assert np.isfinite(asked[-1][1]).any(axis=0).all()  # every column was known somewhere


def _known(record: Record) -> int:
    return int(record.time[-1]) if isinstance(record, Trades) else record.available_at


def test_a_restart_with_what_was_stored_gives_the_same_rows():
    """Prints come back as minutes, books and transfers as they were."""
    records = market(6)
    stop = START + 5 * DAY_MS + 7 * HOUR_MS
    lived = WhalesInputs(SYMBOLS)
    stored: list[Record] = []
    for i in range(0, len(records), 40):
        lived.take(records[i : i + 40])
        stored += lived.drain()
        stored += [r for r in records[i : i + 40] if not isinstance(r, Trades)]
        lived.forget(min(_known(records[i]), stop))
    again = WhalesInputs(SYMBOLS)
    again.take(by_availability([r for r in stored if _known(r) <= stop]))
    again.take([r for r in records if _known(r) > stop])
    closes = range(stop + HOUR_MS, START + 6 * DAY_MS, HOUR_MS)
    np.testing.assert_array_equal(ask(again, closes), ask(lived, closes))


def test_only_records_within_the_memory_matter():
    records = market(40)
    close = START + 40 * DAY_MS
    whole, recent = WhalesInputs(SYMBOLS), WhalesInputs(SYMBOLS)
    whole.take(records)
    recent.take([r for r in records if _known(r) > close - MEMORY_MS])
    lengths = (1, 60, 1440, 7 * 1440)
    np.testing.assert_array_equal(ask(whole, [close], lengths), ask(recent, [close], lengths))


def test_a_transfer_concerns_every_symbol_of_its_coin():
    inputs = WhalesInputs(SYMBOLS)
    inputs.take([r for r in market(8) if isinstance(r, Transfer)])
    rows = ask(inputs, [START + 8 * DAY_MS], (60,))
    value = rows[:, AT["transfer_value"]]
    assert value[0] == value[2]
    assert np.isfinite(value[0])
    assert np.isnan(value[1])


def test_single_prints_equal_a_block():
    block = prints("BTC/USDT", 300)
    one, other = WhalesInputs(SYMBOLS), WhalesInputs(SYMBOLS)
    one.take([block])
    other.take(list(block)[:700])
    other.take(list(block)[700:])
    closes = [START + 300 * MINUTE_MS]
    np.testing.assert_array_equal(ask(one, closes), ask(other, closes))


def test_connected_means_a_record_that_it_can_read():
    inputs = WhalesInputs(SYMBOLS)
    at = (START, START, "x")
    empty = np.zeros(0)
    nothing = Trades("x", "BTC/USDT", np.zeros(0, np.int64), empty, empty, np.zeros(0, np.int8))
    inputs.take([
        Heartbeat(*at, "headline"), Funding(*at, "BTC/USDT", 0.1), nothing,
        Trade(*at, "OTHER/USDT", 1.0, 1.0, "buy"), Transfer(*at, "DOGE", 5.0, "in"),
    ])
    assert not inputs.connected
    inputs.take([Heartbeat(*at, "transfer")])
    assert inputs.connected
    for record in (
        Trade(*at, "BTC/USDT", 1.0, 1.0, "buy"), Transfer(*at, "BTC", 5.0, "in"),
        OrderBook(*at, "BTC/USDT", ((1.0, 1.0),), ((2.0, 1.0),)),
    ):
        inputs = WhalesInputs(SYMBOLS)
        inputs.take([record])
        assert inputs.connected


def test_records_that_go_back_are_refused():
    block = prints("BTC/USDT", 10)
    inputs = WhalesInputs(SYMBOLS)
    inputs.take([block])
    with pytest.raises(ValueError, match="available_at"):
        inputs.take([replace(block, time=block.time - 5)])
    inputs.take([block])  # known already


def test_drain_waits_for_other_symbols():
    """Prints of one symbol may be handed over after those of another."""
    inputs = WhalesInputs(SYMBOLS)
    inputs.take([prints("BTC/USDT", 5)])
    first = inputs.drain()
    inputs.take([prints("ETH/USDT", 5)])
    later = inputs.drain()
    assert {m.symbol for m in first} == {"BTC/USDT"}
    assert [m.event_time for m in later if m.symbol == "ETH/USDT"] == [
        START + i * MINUTE_MS for i in range(4)
    ]


@pytest.mark.realdata
def test_recorded_prints_rebuild_their_bars(market_data):
    folder = market_data / "binance" / "XRP-ETH"
    inputs = WhalesInputs(("XRP/ETH",))
    inputs.take([recorded(folder)])
    for timeframe, minutes in (("1m", 1), ("5m", 5)):
        bars = read_bars(folder / f"{timeframe}.parquet")
        closed = bars.time + minutes * MINUTE_MS
        rows = inputs.rows(np.zeros(len(bars), np.int64), bars.time, closed)
        volume = rows[:, AT["buy"]] + rows[:, AT["sell"]]
        np.testing.assert_allclose(volume, bars.volume, rtol=1e-12)


def recorded(folder) -> Trades:
    table = pd.read_parquet(folder / "trades.parquet")
    return Trades(
        "binance", "XRP/ETH", table["timestamp"].astype("int64").to_numpy(),
        table["price"].to_numpy(), table["amount"].to_numpy(),
        np.where(table["side"] == "buy", 1, -1).astype(np.int8),
    )  # fmt: skip


@pytest.mark.realdata
def test_one_percent_of_recorded_prints_are_large(market_data):
    trades = recorded(market_data / "binance" / "XRP-ETH")
    table = pd.DataFrame({"time": trades.time, "side": trades.side, "amount": trades.amount})
    merged = table.groupby(["time", "side"], sort=True)["amount"].sum().reset_index()
    inputs = WhalesInputs(("XRP/ETH",))
    inputs.take([trades])
    large = known = 0
    checked = 0
    for minute in inputs.drain():
        if minute.threshold == 0:
            continue
        now = merged[(merged.time >= minute.event_time) & (merged.time < minute.available_at)]
        assert minute.count == len(now)
        large += int((now.amount > minute.threshold).sum())
        known += len(now)
        if checked % 40 == 0:
            hour = minute.event_time // HOUR_MS * HOUR_MS - 23 * HOUR_MS
            before = merged[(merged.time >= hour) & (merged.time < minute.event_time)].amount
            exact = np.percentile(before, 99)
            assert exact / 2**0.125 <= minute.threshold <= exact * 2**0.125
            above = now[now.amount > minute.threshold]
            assert minute.large_buy + minute.large_sell == pytest.approx(above.amount.sum())
        checked += 1
    assert known > 8_000
    assert 0.008 < large / known < 0.012

import os
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opportunity.errors import BarError, CoverageError
from opportunity.market.bars import Bars
from opportunity.market.files import Coverage
from opportunity.market.resample import resample
from opportunity.market.store import BarStore

HOUR = 3_600_000
DAY = 24 * HOUR


@pytest.fixture
def store(tmp_path):
    return BarStore(tmp_path, exchange="simex")


def test_round_trip(make, store, tmp_path):
    bars = make(100, keep=0.9)
    assert store.write(bars) == Coverage(int(bars.time[0]), int(bars.time[-1]), len(bars))
    read = BarStore(tmp_path).read("BTCUSDT", "1h")
    np.testing.assert_array_equal(read.time, bars.time)
    np.testing.assert_array_equal(read.values, bars.values)
    assert (read.symbol, read.timeframe, read.source) == ("BTC/USDT", "1h", "simex")
    assert (tmp_path / "simex" / "BTC-USDT" / "1h.parquet").is_file()


def test_what_is_there(make, store):
    for symbol, timeframe in (("ETH/USDT", "1h"), ("BTC/USDT", "1d"), ("BTC/USDT", "1m")):
        store.write(make(5, timeframe).label(symbol=symbol))
    store.write(make(5).label(symbol="BTC/USDT:USDT"))
    assert store.symbols() == ["BTC/USDT", "BTC/USDT:USDT", "ETH/USDT"]
    assert store.symbols("1h") == ["BTC/USDT:USDT", "ETH/USDT"]
    assert store.symbols("4h") == []
    assert store.timeframes("btc-usdt") == ["1m", "1d"]
    assert store.timeframes("XRP/USDT") == []
    assert store.coverage("ETH/USDT", "1h").n_bars == 5
    with pytest.raises(ValueError, match="timeframe must be a known name"):
        store.symbols("5h")


def test_files_of_other_things_are_not_bars(make, store):
    store.write(make(5))
    folder = store.folder / "BTC-USDT"
    for name in ("trades.parquet", "mark_1h.parquet", "7m.parquet"):
        (folder / name).write_bytes(b"x")
    (store.folder / "notes").mkdir()
    (store.folder / "ETH-USDT").mkdir()
    for name in ("old.BTC-USDT", "btc-usdt-copy", "BTC"):
        (store.folder / name).mkdir()
        os.link(folder / "1h.parquet", store.folder / name / "1h.parquet")
    assert store.timeframes("BTC/USDT") == ["1h"]
    assert store.symbols() == ["BTC/USDT"]


def test_reading_a_window(make, store):
    bars = make(50)
    store.write(bars)
    start, end = int(bars.time[10]), int(bars.time[20])
    assert store.read("BTC/USDT", "1h", start, end).time.tolist() == bars.time[10:20].tolist()
    assert store.read("BTC/USDT", "1h", start, end, 3).time.tolist() == bars.time[17:20].tolist()
    assert store.read("BTC/USDT", "1h", limit=2).time.tolist() == bars.time[-2:].tolist()
    assert len(store.read("BTC/USDT", "1h", end, start)) == 0
    with pytest.raises(ValueError, match="limit must be >= 0, was -1"):
        store.read("BTC/USDT", "1h", limit=-1)


def test_what_is_not_there_is_answered_with_what_is(make, store):
    store.write(make(5))
    store.write(make(5, "15m"))
    with pytest.raises(CoverageError, match=r"simex has no 30m bars of BTC/USDT\. There: 15m: 5 b"):
        store.read("BTC/USDT", "30m")
    with pytest.raises(CoverageError, match="Did you mean 'BTC/USDT'"):
        store.coverage("BTC/USDC", "1h")
    with pytest.raises(CoverageError, match="Known: BTC/USDT"):
        store.load("XYZ/EUR", "1h")
    for name in ("5m", "1m"):
        with pytest.raises(CoverageError, match=f"no {name} bars of BTC/USDT"):
            store.load("BTC/USDT", name)


def test_an_error_does_not_list_thousands_of_symbols(make, store):
    bars = make(1)
    store.write(bars)
    for i in range(60):
        folder = store.folder / f"C{i}-USDT"
        folder.mkdir()
        os.link(store.folder / "BTC-USDT" / "1h.parquet", folder / "1h.parquet")
    with pytest.raises(CoverageError, match=r"\(61 in all\)") as caught:
        store.read("ZZZZZ/QQQ", "1h")
    assert len(str(caught.value)) < 400


# -- finding the exchange --------------------------------------------------------------------


def test_the_root_may_be_the_exchange_or_its_parent(make, store, tmp_path):
    store.write(make(5))
    for found in (
        BarStore(tmp_path), BarStore(tmp_path / "simex"), BarStore(str(tmp_path), "simex"),
        BarStore(tmp_path / "simex", "simex"),
    ):
        assert found.exchange == "simex"
        assert found.symbols() == ["BTC/USDT"]


def test_several_exchanges_must_be_told_apart(make, tmp_path):
    for name in ("binance", "kraken"):
        BarStore(tmp_path, name).write(make(5))
    with pytest.raises(CoverageError, match="exchange must be named, one of binance, kraken"):
        BarStore(tmp_path)
    assert BarStore(tmp_path, "kraken").symbols() == ["BTC/USDT"]


def test_a_root_without_bars(tmp_path):
    for root in (tmp_path, tmp_path / "absent"):
        with pytest.raises(CoverageError, match="no bars are stored in"):
            BarStore(root)
    empty = BarStore(tmp_path, "binance")
    assert empty.symbols() == []
    assert list(tmp_path.iterdir()) == []  # looking creates nothing
    with pytest.raises(CoverageError, match="symbol of binance must be a known name"):
        empty.read("BTC/USDT", "1h")


@pytest.mark.parametrize(
    "name", ["", "..", ".", "../x", "a/b", "a\\b", "x" * 41, "-x", "b\x00", "a\n", "CON:"]
)
def test_exchange_names_that_would_leave_the_root(tmp_path, name):
    with pytest.raises(ValueError, match="exchange must be letters"):
        BarStore(tmp_path, name)


@pytest.mark.parametrize(
    "symbol", ["../../etc/passwd", "..-..", "BTC/..", "/etc/passwd", "BTC\x00/USDT", "%2e%2e/A", ""]
)
def test_symbols_that_would_leave_the_root(make, store, tmp_path, symbol):
    store.write(make(5))
    for action in (
        lambda: store.read(symbol, "1h"), lambda: store.load(symbol, "1h"),
        lambda: store.coverage(symbol, "1h"), lambda: store.timeframes(symbol),
        lambda: store.write(make(5).label(symbol=symbol)),
    ):
        with pytest.raises(ValueError, match="must"):
            action()
    with pytest.raises(ValueError, match="timeframe must be a known name"):
        store.read("BTC/USDT", "../1h")
    assert sorted(p.name for p in tmp_path.rglob("*.parquet")) == ["1h.parquet"]


# -- writing ---------------------------------------------------------------------------------


def test_writing_merges_and_the_new_bar_wins(make, store):
    old, new = make(10), make(20, seed=2)[5:]
    store.write(old)
    assert store.write(new).n_bars == 20
    read = store.read("BTC/USDT", "1h")
    np.testing.assert_array_equal(read.values, np.concatenate([old.values[:5], new.values]))
    assert store.write(old[:3]).n_bars == 20
    np.testing.assert_array_equal(store.read("BTC/USDT", "1h").values[:3], old.values[:3])


@settings(max_examples=30, deadline=None)
@given(
    parts=st.lists(
        st.tuples(st.integers(0, 30), st.integers(0, 20), st.integers(0, 3)), max_size=6
    )
)
def test_any_order_of_writes_equals_a_dict(make, tmp_path_factory, parts):
    store, model = BarStore(tmp_path_factory.mktemp("store"), "simex"), {}
    for start, n, seed in parts:
        bars = make(60, seed=seed)[start : start + n]
        store.write(bars)
        model |= {b.time: b for b in bars}
    if parts:
        assert list(store.read("BTC/USDT", "1h")) == [model[t] for t in sorted(model)]


def test_writing_needs_labels_and_valid_bars(make, store):
    bars = make(5)
    for unlabelled in (bars.label(symbol=""), bars.label(timeframe=None)):
        with pytest.raises(ValueError, match="must have a symbol and a timeframe to be stored"):
            store.write(unlabelled)
    with pytest.raises(BarError, match="time must be later than"):
        store.write(Bars(bars.time[::-1], bars.values, "1h", "BTC/USDT"))
    with pytest.raises(ValueError, match="between 2009 and 2100"):
        store.write(Bars(bars.time - bars.time[0], bars.values, "1h", "BTC/USDT"))
    assert store.symbols() == []


def test_a_file_that_cannot_be_read_is_not_overwritten(make, store):
    store.write(make(5))
    path = store.folder / "BTC-USDT" / "1h.parquet"
    path.write_bytes(b"damaged")
    with pytest.raises(BarError, match="file must be Parquet"):
        store.write(make(5))
    assert path.read_bytes() == b"damaged"


def test_stored_bars_that_break_a_rule_are_refused_unless_asked_for(make, store):
    store.write(make(5))
    path = store.folder / "BTC-USDT" / "1h.parquet"
    path.rename(path.with_name("4h.parquet"))
    with pytest.raises(BarError, match=r"BTC/USDT 4h: bar 1 .* opening time of 4h"):
        store.read("BTC/USDT", "4h")
    assert len(store.read("BTC/USDT", "4h", check=False)) == 5


def test_a_crash_while_writing_leaves_the_old_bars(make, store, monkeypatch):
    store.write(make(5))

    def crash(*_):
        raise OSError("power gone")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", crash)
        with pytest.raises(OSError, match="power gone"):
            store.write(make(50))
    assert len(store.read("BTC/USDT", "1h")) == 5
    assert store.write(make(50)).n_bars == 50  # and the lock is free again


def test_readers_see_whole_files_while_writers_merge(make, store):
    bars = make(400)
    store.write(bars[:10])
    errors, done = [], threading.Event()

    def write(offset):
        for i in range(10 + offset, 400, 40):
            store.write(bars[i : i + 20])

    def read():
        while not done.is_set():
            found = store.read("BTC/USDT", "1h")
            at = np.searchsorted(bars.time, found.time)
            if len(found) < 10 or not (found.values == bars.values[at]).all():
                errors.append(len(found))

    readers = [threading.Thread(target=read) for _ in range(3)]
    writers = [threading.Thread(target=write, args=(o,)) for o in (0, 20)]
    for thread in readers + writers:
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    for thread in readers:
        thread.join()
    assert errors == []
    assert len(store.read("BTC/USDT", "1h")) == 400  # no write was lost


# -- load: stored or resampled ---------------------------------------------------------------


def test_load_takes_the_stored_timeframe(make, store):
    stored = make(100, "4h", seed=9)
    store.write(stored)
    store.write(make(400, "1h"))
    np.testing.assert_array_equal(store.load("BTC/USDT", "4h").values, stored.values)


def test_load_resamples_from_the_shortest_that_has_the_history(make, store):
    hours = make(24 * 100, "1h", start=1_704_067_200_000)
    minutes = make(60 * 24 * 3, "1m", seed=4, start=int(hours.time[-1]) + HOUR - 3 * DAY)
    store.write(hours)
    store.write(minutes)
    recent = store.load("BTC/USDT", "4h", limit=10)
    np.testing.assert_array_equal(recent.values, resample(minutes, "4h").values[-10:])
    longer = store.load("BTC/USDT", "4h", limit=100)
    np.testing.assert_array_equal(longer.values, resample(hours, "4h").values[-100:])
    whole = store.load("BTC/USDT", "1d")
    np.testing.assert_array_equal(whole.values, resample(hours, "1d").values)
    start = int(hours.time[-1]) - DAY
    assert store.load("BTC/USDT", "15m", start=start).timeframe == "15m"


def test_load_prefers_fresh_bars_to_stored_stale_ones(make, store):
    store.write(make(96, "15m"))
    store.write(make(60 * 24 * 10, "1m"))
    newest = store.load("BTC/USDT", "15m", limit=50)
    assert newest.close_time[-1] == 1_704_067_200_000 + 10 * DAY


def test_load_knows_that_a_bar_with_a_lost_end_is_over(make, store):
    bars = make(12)
    kept = np.r_[0:6, 9:12]  # 06:00 to 08:00 are missing
    store.write(Bars(bars.time[kept], bars.values[kept], "1h", "BTC/USDT"))
    found = store.load("BTC/USDT", "4h", end=int(bars.time[8]))
    assert found.time.tolist() == bars.time[[0, 4]].tolist()
    assert len(store.load("BTC/USDT", "4h", end=int(bars.time[5]))) == 2  # opens before the end


@settings(max_examples=40, deadline=None)
@given(
    keep=st.floats(0.1, 1), seed=st.integers(0, 50), a=st.integers(-10, 130),
    b=st.integers(-10, 130), limit=st.none() | st.integers(0, 40), sides=st.integers(0, 3),
)
def test_load_equals_cutting_the_whole(
    make, tmp_path_factory, keep, seed, a, b, limit, sides
):
    bars = make(120, "1h", seed, keep, 1_704_067_200_000 + 3 * HOUR)
    store = BarStore(tmp_path_factory.mktemp("store"), "simex")
    store.write(bars)
    if not len(bars):
        return
    start = 1_704_067_200_000 + min(a, b) * HOUR if sides & 1 else None
    end = 1_704_067_200_000 + max(a, b) * HOUR if sides & 2 else None
    expected = resample(bars, "4h").between(start, end)
    expected = expected if limit is None else expected[max(0, len(expected) - limit) :]
    found = store.load("BTC/USDT", "4h", start, end, limit)
    assert list(found) == list(expected)
    assert (found.timeframe, found.symbol, found.source) == ("4h", "BTC/USDT", "simex")


@pytest.mark.realdata
def test_recorded_coverage_is_that_of_its_readme(market_data):
    store = BarStore(market_data, "binance")
    assert len(store.symbols()) == 96
    assert len(store.symbols("1h")) == 95
    assert store.timeframes("BTC/USDT") == ["1m", "5m", "15m", "1h"]
    assert str(store.coverage("BTC/USDT", "1h")) == (
        "66022 bars, 2018-01-01T00:00Z to 2025-07-18T23:00Z"
    )
    with pytest.raises(CoverageError, match="binance, binanceusdm, coinbase, cryptocompare, fx"):
        BarStore(market_data)


@pytest.mark.realdata
def test_recorded_history_loads_at_every_timeframe(market_data):
    store = BarStore(market_data / "binance")
    for name in ("15m", "1h", "2h", "4h", "6h", "12h", "1d"):
        bars = store.load("BTC/USDT", name, limit=1000)
        assert len(bars) == 1000
        assert bars.close_time[-1] == 1_752_883_200_000  # 2025-07-19, where the files end
    assert len(store.load("BTC/USDT", "1w", limit=1000)) == 393

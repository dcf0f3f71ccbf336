import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opportunity.errors import BarError
from opportunity.market.bars import Bar, Bars
from opportunity.market.resample import Resampler, coverage, resample
from opportunity.market.store import BarStore
from opportunity.market.timeframe import TIMEFRAMES, divides, length_ms, open_ms

HOUR = 3_600_000
PAIRS = [(a, b) for a in TIMEFRAMES for b in TIMEFRAMES if a != b and divides(a, b)]
RULES = {"m": "min", "h": "h", "d": "D"}


def same(left, right):
    np.testing.assert_array_equal(left.time, right.time)
    np.testing.assert_array_equal(left.values.view(np.int64), right.values.view(np.int64))


def streamed(bars, target, chunks=1):
    """Push bars one by one (or several at once); return the closed bars and their coverage."""
    resampler = Resampler(bars.timeframe, [target], 1)
    closed = []
    for i in range(0, len(bars), chunks):
        part = bars[i : i + chunks]
        closed += resampler.push(np.zeros(len(part), int), part.time, part.values)
    closed = [c for c in closed if c.timeframe == target]
    if not closed:
        return bars[:0].label(timeframe=target), np.empty(0)
    whole = Bars(
        np.concatenate([c.times for c in closed]),
        np.concatenate([c.values for c in closed]), target,
    )
    return whole, np.concatenate([c.coverage for c in closed])


@pytest.mark.parametrize(("base", "target"), PAIRS, ids=lambda t: t)
def test_streaming_equals_batch_bit_for_bit(make, base, target):
    ratio = length_ms(target) // length_ms(base)
    for seed, keep in ((1, 1.0), (2, 0.6), (3, 0.05)):
        start = 1_704_067_200_000 + 5 * length_ms(base) * seed  # inside a longer bar
        bars = make(min(3 * ratio + 7, 4000), base, seed, keep, start)
        whole, shares = streamed(bars, target, chunks=1 if len(bars) < 500 else 37)
        same(whole, resample(bars, target))
        np.testing.assert_array_equal(shares, coverage(bars, target))


@settings(max_examples=60, deadline=None)
@given(
    pair=st.sampled_from(PAIRS), seed=st.integers(0, 99), n=st.integers(0, 300),
    keep=st.floats(0.02, 1), offset=st.integers(0, 10_000), chunks=st.integers(1, 50),
)
def test_streaming_equals_batch_for_any_gaps(make, pair, seed, n, keep, offset, chunks):
    base, target = pair
    bars = make(n, base, seed, keep, 1_704_067_200_000 + offset * length_ms(base))
    same(streamed(bars, target, chunks)[0], resample(bars, target))


@settings(max_examples=60, deadline=None)
@given(
    pair=st.sampled_from(PAIRS), seed=st.integers(0, 99), n=st.integers(1, 400),
    keep=st.floats(0.1, 1), offset=st.integers(0, 10_000),
)
def test_batch_equals_pandas(make, pair, seed, n, keep, offset):
    base, target = pair
    bars = make(n, base, seed, keep, 1_704_067_200_000 + offset * length_ms(base))
    made = resample(bars, target)
    rule = "W-MON" if target == "1w" else target[:-1] + RULES[target[-1]]
    groups = bars.to_frame().resample(rule, closed="left", label="left")
    expected = groups.agg(
        {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    )
    counts = groups["close"].count()
    if len(bars):
        closes = expected.index + pd.Timedelta(length_ms(target), unit="ms")
        kept = (counts > 0) & (closes <= pd.Timestamp(bars.close_time[-1], unit="ms", tz="UTC"))
        expected, counts = expected[kept], counts[kept]
    assert made.time.tolist() == expected.index.as_unit("ms").asi8.tolist()
    np.testing.assert_array_equal(made.values[:, :4], expected.to_numpy()[:, :4])
    np.testing.assert_allclose(made.volume, expected["volume"], rtol=1e-12)
    np.testing.assert_allclose(
        coverage(bars, target), counts * length_ms(base) / length_ms(target), rtol=1e-15
    )


def test_only_complete_bars_come_out(make):
    bars = make(11)
    assert resample(bars, "4h").time.tolist() == [int(bars.time[0]), int(bars.time[4])]
    assert len(resample(bars[:12], "4h")) == 2
    assert len(resample(make(12), "4h")) == 3
    assert len(resample(bars[:3], "4h")) == 0


def test_a_later_bar_completes_one_that_lost_its_end(make):
    bars = make(9)
    kept = Bars(bars.time[[0, 1, 5]], bars.values[[0, 1, 5]], "1h")
    made = resample(kept, "4h")
    assert made.time.tolist() == [int(bars.time[0])]
    assert made.close[0] == bars.close[1]
    assert coverage(kept, "4h").tolist() == [0.5]


def test_now_completes_the_last_bar_of_a_quiet_market(make):
    bars = make(3)
    end = int(bars.time[0]) + 4 * HOUR
    assert len(resample(bars, "4h", now=end - 1)) == 0
    made = resample(bars, "4h", now=end)
    assert made.close.tolist() == [bars.close[2]]
    assert coverage(bars, "4h", now=end).tolist() == [0.75]
    assert len(resample(make(0), "4h", now=end)) == 0


def test_weeks_run_from_monday(make):
    days = make(20, "1d", start=1_704_067_200_000 + 2 * 86_400_000)  # from a Wednesday
    weeks = resample(days, "1w")
    assert [pd.Timestamp(t, unit="ms").day_name() for t in weeks.time] == ["Monday"] * len(weeks)
    assert coverage(days, "1w").tolist() == [5 / 7, 1, 1]


def test_labels_travel(make):
    made = resample(make(8), "4h")
    assert (made.symbol, made.source, made.timeframe) == ("BTC/USDT", "test", "4h")


def test_the_same_timeframe_is_left_alone(make):
    bars = make(5)
    assert resample(bars, "1h") is bars
    assert coverage(bars, "1h").tolist() == [1] * 5


def test_input_is_unchanged(make):
    bars = make(50)
    before = bars.values.copy(), bars.time.copy()
    resample(bars, "4h")
    np.testing.assert_array_equal(bars.values, before[0])
    np.testing.assert_array_equal(bars.time, before[1])


@pytest.mark.parametrize(("base", "target"), [("1h", "30m"), ("4h", "6h"), ("1w", "1d")])
def test_targets_that_are_not_whole_bars(make, base, target):
    with pytest.raises(ValueError, match=f"whole bars of {base}, was {target}"):
        resample(make(5, base), target)
    with pytest.raises(ValueError, match=f"whole bars of {base}, was {target}"):
        Resampler(base, [target], 1)


def test_resample_needs_a_timeframe_and_order(make):
    bars = make(8)
    with pytest.raises(ValueError, match="must have a timeframe to be resampled"):
        resample(bars.label(timeframe=None), "4h")
    with pytest.raises(ValueError, match="timeframe must be a known name, was '4H'"):
        resample(bars, "4H")
    with pytest.raises(BarError, match="times must ascend on the grid of 1h"):
        resample(Bars(bars.time[::-1], bars.values, "1h"), "4h")
    with pytest.raises(BarError, match="times must ascend on the grid of 1h"):
        resample(Bars(bars.time + 1, bars.values, "1h"), "4h")


# -- streaming -----------------------------------------------------------------------------


def test_closed_bars_come_by_close_time_then_longest_first(make):
    bars = make(24 * 8, "1h")
    resampler = Resampler("1h", ["4h", "1d", "1w", "2h"], 3)
    assert resampler.timeframes == ("1h", "2h", "4h", "1d", "1w")
    seen = []
    for i in range(len(bars)):
        closed = resampler.push([0, 2], np.repeat(bars.time[i], 2), bars.values[[i, i]])
        order = [(c.close_time, -length_ms(c.timeframe)) for c in closed]
        assert order == sorted(order)
        assert all(c.rows.tolist() == [0, 2] for c in closed)
        assert all((c.times + length_ms(c.timeframe) == c.close_time).all() for c in closed)
        seen.append([c.timeframe for c in closed])
    assert seen[23] == ["1d", "4h", "2h", "1h"]
    assert seen[24] == ["1h"]
    assert seen[167] == ["1w", "1d", "4h", "2h", "1h"]


def test_a_universe_equals_its_symbols_one_by_one(make):
    symbols = [make(300, "15m", seed, keep) for seed, keep in ((1, 1), (2, 0.5), (3, 0.2), (4, 0))]
    targets = ("30m", "1h", "4h", "1d")
    resampler = Resampler("15m", targets, len(symbols))
    found = {(s, t): [] for s in range(len(symbols)) for t in ("15m", *targets)}
    for time in np.unique(np.concatenate([b.time for b in symbols])):
        rows = [s for s, b in enumerate(symbols) if time in b.time]
        values = [symbols[s].values[np.searchsorted(symbols[s].time, time)] for s in rows]
        for closed in resampler.push(rows, np.full(len(rows), time), values):
            for k, row in enumerate(closed.rows):
                found[int(row), closed.timeframe].append(
                    Bar(int(closed.times[k]), *closed.values[k])
                )
    for (s, timeframe), bars in found.items():
        assert bars == list(resample(symbols[s], timeframe)), (s, timeframe)


def test_the_base_is_passed_through_with_full_coverage(make):
    bars = make(2)
    closed = Resampler("1h", [], 1).push([0, 0], bars.time, bars.values)
    assert [c.timeframe for c in closed] == ["1h", "1h"]
    assert [c.coverage.tolist() for c in closed] == [[1.0], [1.0]]
    np.testing.assert_array_equal(np.concatenate([c.values for c in closed]), bars.values)


def test_flush_closes_what_time_has_closed_and_counts_what_comes_late(make):
    bars = make(8)
    resampler = Resampler("1h", ["4h"], 2)
    for i in range(3):
        resampler.push([0], bars.time[[i]], bars.values[[i]])
    end = int(bars.time[4])
    assert resampler.flush(end - 1) == []
    (closed,) = resampler.flush(end)
    assert (closed.timeframe, closed.close_time, closed.rows.tolist()) == ("4h", end, [0])
    assert closed.coverage.tolist() == [0.75]
    assert closed.values[0, 3] == bars.close[2]
    assert resampler.flush(end) == []
    late = resampler.push([0], bars.time[[3]], bars.values[[3]])
    assert [c.timeframe for c in late] == ["1h"]
    assert resampler.late == 1
    for i in range(4, 8):
        closed = resampler.push([0], bars.time[[i]], bars.values[[i]])
    assert closed[0].timeframe == "4h"
    np.testing.assert_array_equal(closed[0].values[0], resample(bars, "4h").values[1])


def test_flushing_at_every_close_equals_batch_with_now(make):
    bars = make(200, keep=0.4)
    resampler = Resampler("1h", ["6h"], 1)
    found = []
    for time in np.arange(bars.time[0], bars.time[-1] + HOUR, HOUR):
        at = np.flatnonzero(bars.time == time)
        closed = resampler.push(np.zeros(at.size, int), bars.time[at], bars.values[at])
        closed += resampler.flush(int(time) + HOUR)
        found += [c.times[0] for c in closed if c.timeframe == "6h"]
        expected = resample(bars[: np.searchsorted(bars.time, time, "right")], "6h", time + HOUR)
        assert found == expected.time.tolist()
    assert resampler.late == 0


def test_forming_is_the_part_so_far(make):
    bars = make(7)
    resampler = Resampler("1h", ["4h"], 2)
    assert resampler.forming(0, "4h") is None
    for i in range(6):
        resampler.push([1], bars.time[[i]], bars.values[[i]])
    part = bars[4:6]
    assert resampler.forming(1, "4h") == Bar(
        int(bars.time[4]), part.open[0], part.high.max(), part.low.min(), part.close[1],
        part.volume[0] + part.volume[1],
    )
    assert resampler.forming(0, "4h") is None
    assert resampler.forming(1, "1h") is None
    with pytest.raises(ValueError, match="must be one of 1h, 4h, was '2h'"):
        resampler.forming(1, "2h")


def test_a_restored_snapshot_goes_on_as_if_nothing_had_happened(make):
    bars = make(100, keep=0.7)
    first = Resampler("1h", ["4h", "1d"], 1)
    for i in range(50):
        first.push([0], bars.time[[i]], bars.values[[i]])
    kept = first.snapshot()
    second = Resampler("1h", ["1d", "4h"], 1)
    second.restore(kept)
    kept["count"] = 0  # neither side may share memory with the snapshot
    for i in range(50, len(bars)):
        left, right = (r.push([0], bars.time[[i]], bars.values[[i]]) for r in (first, second))
        assert [c.timeframe for c in left] == [c.timeframe for c in right]
        for a, b in zip(left, right, strict=True):
            np.testing.assert_array_equal(a.values, b.values)
    with pytest.raises(ValueError, match="snapshot must be of shape"):
        Resampler("1h", ["4h"], 1).restore(kept)
    with pytest.raises(ValueError, match="snapshot must be of shape"):
        second.restore(np.zeros((1, 3)))


@pytest.mark.parametrize(
    ("rows", "shift", "words"),
    [
        ([0, 9], [1, 1], r"row must be in 0..1, was 9"),
        ([0, -1], [1, 1], r"row must be in 0..1, was -1"),
        ([1, 0], [1, 0], "row 0: time must be later than the bar before it"),
        ([1, 0], [1, -2], "row 0: time must be later than the bar before it"),
        ([0, 0], [1, 1], "row 0: time must be later than the bar before it"),
        ([1, 0], [1, 1.5], "row 0: time must be an opening time of 1h"),
    ],
)
def test_a_bad_push_changes_nothing(make, rows, shift, words):
    bars = make(10)
    resampler = Resampler("1h", ["4h"], 2)
    resampler.push([0, 1], bars.time[[4, 4]], bars.values[[4, 4]])
    before = resampler.snapshot()
    times = bars.time[4] + (np.array(shift) * HOUR).astype(np.int64)
    with pytest.raises(BarError, match=words):
        resampler.push(rows, times, bars.values[[5, 5]])
    assert resampler.snapshot().tobytes() == before.tobytes()


def test_a_push_of_the_wrong_shape(make):
    resampler = Resampler("1h", ["4h"], 2)
    with pytest.raises(ValueError, match=r"must be of shape \(k,\), \(k,\) and \(k, 5\)"):
        resampler.push([0], make(2).time, make(2).values)


def test_a_push_of_nothing():
    resampler = Resampler("1h", ["4h"], 2)
    assert resampler.push([], [], np.empty((0, 5))) == []
    assert Resampler("1h", ["4h"], 0).flush(2**60) == []


# -- recorded markets ------------------------------------------------------------------------


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("symbol", "base", "hours"),
    [
        ("BTC/USDT", "1m", 1440), ("ETH/USDT", "1m", 1440), ("BTC/USDT", "5m", 11717),
        ("BTC/USDT", "15m", 8999), ("ETH/USDT", "15m", 8999), ("SOL/USDT", "15m", 8999),
        ("XRP/USDT", "15m", 8999),
    ],
)  # fmt: skip
def test_resampled_bars_equal_the_recorded_hours(market_data, symbol, base, hours):
    store = BarStore(market_data / "binance")
    made = resample(store.read(symbol, base), "1h")
    recorded = store.read(symbol, "1h").between(int(made.time[0]), int(made.time[-1]) + 1)
    assert len(made) == hours
    np.testing.assert_array_equal(made.time, recorded.time)
    np.testing.assert_array_equal(made.values[:, :4], recorded.values[:, :4])
    np.testing.assert_allclose(made.volume, recorded.volume, rtol=1e-9, atol=1e-9)


@pytest.mark.realdata
def test_sparse_minutes_resample_to_the_recorded_5m(market_data):
    store = BarStore(market_data / "binance")
    made = resample(store.read("XRP/ETH", "1m"), "5m")
    recorded = store.read("XRP/ETH", "5m").between(end=int(made.time[-1]) + 1)
    np.testing.assert_array_equal(made.time, recorded.time)
    np.testing.assert_array_equal(made.values[:, :4], recorded.values[:, :4])
    np.testing.assert_allclose(made.volume, recorded.volume, rtol=1e-9)
    assert coverage(store.read("XRP/ETH", "1m"), "5m").min() == 0.2


@pytest.mark.realdata
def test_recorded_weeks_equal_pandas(market_data):
    bars = BarStore(market_data / "binance").read("ADA/USDT", "1h")
    made = resample(bars, "1w")
    expected = bars.to_frame().resample("W-MON", closed="left", label="left").agg(
        {"open": "first", "high": "max", "low": "min", "close": "last"}
    )[: len(made)]
    np.testing.assert_array_equal(made.time, expected.index.as_unit("ms").asi8)
    np.testing.assert_array_equal(made.values[:, :4], expected.to_numpy())
    assert made.time[0] == open_ms(int(bars.time[0]), "1w")


def test_flush_goes_row_by_row_where_each_has_its_own_time(make):
    bars = make(8)
    resampler = Resampler("1h", ["4h"], 3)
    for i in range(3):
        resampler.push([0, 1, 2], bars.time[[i] * 3], bars.values[[i] * 3])
    end = int(bars.time[4])
    (closed,) = resampler.flush(np.array([end, end - 1, end + HOUR]))
    assert closed.rows.tolist() == [0, 2]
    late = resampler.push([1], bars.time[[3]], bars.values[[3]])  # its last bar was repaired
    assert [(c.timeframe, c.coverage.tolist()) for c in late] == [("4h", [1.0]), ("1h", [1.0])]
    assert resampler.late == 0


def test_bars_before_the_beginning_are_refused(make):
    bars = make(4)
    resampler = Resampler("1h", ["4h"], 2)
    assert (resampler.newest < 0).all()
    resampler.begin(np.array([int(bars.time[2]), int(bars.time[1]) + HOUR // 2]))
    assert resampler.newest.tolist() == [int(bars.time[1]), int(bars.time[0])]
    resampler.push([1], bars.time[[1]], bars.values[[1]])
    with pytest.raises(BarError, match="row 0"):
        resampler.push([0], bars.time[[1]], bars.values[[1]])
    resampler.begin(int(bars.time[0]))  # never back
    assert resampler.newest.tolist() == [int(bars.time[1])] * 2

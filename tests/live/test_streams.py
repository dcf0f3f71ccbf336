import threading
from dataclasses import replace

import numpy as np
import pytest
from builders import HOUR, START, random_bars

from opportunity.detectors import DETECTORS, Fibonacci
from opportunity.detectors.badges import BADGE_BARS, N_BADGES
from opportunity.errors import BarError
from opportunity.feeds.base import pad
from opportunity.live import streams as module
from opportunity.live.streams import SPLIT_ROWS, Streams
from opportunity.market.bars import Bars
from opportunity.market.continuity import facts_of
from opportunity.market.figures import DayFigures
from opportunity.market.resample import resample
from opportunity.market.timeframe import length_ms
from opportunity.market.trust import AGE, GAPS, Faults, weigh
from opportunity.scoring.ensemble import collect, score
from opportunity.scoring.presence import existing
from opportunity.strategy import evaluate

FRAMES = ("1h", "4h", "1d")
NAMES = ("LONG/USDT", "SHORT/USDT", "NEW/USDT")
END = START + 3_000 * HOUR
SIZES = (3_000, 700, 40)


@pytest.fixture(scope="module")
def market() -> list[Bars]:
    """Hourly bars of three symbols that end together and begin at different times."""
    return [
        replace(bars, time=END - HOUR * np.arange(n, 0, -1), symbol=name)
        for bars, n, name in zip(
            (random_bars(n, seed=i) for i, n in enumerate(SIZES)), SIZES, NAMES, strict=True
        )
    ]


def new(names=NAMES, frames=FRAMES, source="simulated") -> Streams:
    return Streams(names, frames, "1h", source)


def warm(streams: Streams, market: list[Bars], until: int, n_bars: int = 3_000) -> None:
    """Warm up from the bars that closed by `until`, as the agent does."""
    known = [bars.between(None, until - HOUR + 1) for bars in market]
    for frame in streams.timeframes:
        streams.warm(frame, *pad([resample(bars, frame) for bars in known], n_bars))
    begun = until // length_ms("1d") * length_ms("1d")
    for t in range(begun, until, HOUR):
        streams.prime([batch(market, t)])
    streams.time = until


def batch(market: list[Bars], time: int, rows=None):
    rows = [
        i for i in (range(len(market)) if rows is None else rows) if (market[i].time == time).any()
    ]
    values = np.array([market[i].values[market[i].time == time][0] for i in rows])
    return np.array(rows), np.full(len(rows), time), values


def feed(streams: Streams, market: list[Bars], start: int, end: int, rows=None) -> None:
    for t in range(start, end, HOUR):
        streams.update(*batch(market, t, rows))


def same(a: np.ndarray, b: np.ndarray) -> bool:
    """Compare all fields; the bytes would hold padding too, which copies leave undefined."""
    if a.dtype.names:
        return all(same(a[name], b[name]) for name in a.dtype.names)
    return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


def look(streams: Streams):
    return streams.snapshot(DayFigures(len(streams.symbols), "1h"))


@pytest.fixture(scope="module")
def ready(market) -> Streams:
    streams = new()
    warm(streams, market, END - 100 * HOUR)
    feed(streams, market, END - 100 * HOUR, END)
    return streams


def test_warm_up_and_updates_equal_the_batch_bit_for_bit(ready, market) -> None:
    snapshot = look(ready)
    net = evaluate(snapshot, {"sar": 0.4}).combined.net
    for i, bars in enumerate(market):
        for k, frame in enumerate(FRAMES):
            whole = resample(bars, frame)
            seen, scores = collect(whole), score(whole, weights={"sar": 0.4})
            where = f"{bars.symbol} {frame}"
            np.testing.assert_array_equal(snapshot.scores[i, k], seen.scores[-1], where)
            np.testing.assert_array_equal(snapshot.confidences[i, k], seen.confidences[-1], where)
            np.testing.assert_equal(snapshot.atr[i, k], seen.atr[-1], where)
            np.testing.assert_equal(snapshot.volatility[i, k], seen.volatility[-1], where)
            assert snapshot.trend[i, k] == np.nan_to_num(seen.trend[-1]), where
            np.testing.assert_equal(net[i, k], scores.net[-1], where)
            assert snapshot.closed[i, k] == whole.close_time[-1], where
    assert snapshot.time == END


def test_too_little_history_is_absent_not_neutral(ready) -> None:
    snapshot = look(ready)
    assert np.isnan(snapshot.scores[2]).all()  # 40 hours
    assert np.isnan(snapshot.scores[1, 2]).all()  # 29 days
    there = existing()
    assert np.isfinite(snapshot.scores[0][:, there]).all()
    assert np.isnan(snapshot.scores[..., ~there]).all()
    np.testing.assert_array_equal(snapshot.exists, there)


def test_symbol_that_lists_later_starts_from_its_first_bar(market) -> None:
    streams = new()
    warm(streams, market, END - 200 * HOUR)  # before NEW has any bar
    assert look(streams).closed[2].tolist() == [0, 0, 0]
    feed(streams, market, END - 200 * HOUR, END)
    np.testing.assert_equal(look(streams).atr[2, 0], collect(market[2]).atr[-1])
    assert look(streams).closed[2, 0] == END


def test_two_threads_give_what_one_gives(market, monkeypatch) -> None:
    names: set[str] = set()
    run = Fibonacci.run

    def spy(*args) -> None:
        names.add(threading.current_thread().name)
        run(*args)

    results = []
    for split in (SPLIT_ROWS, 1):
        monkeypatch.setattr(module, "SPLIT_ROWS", split)
        monkeypatch.setattr(Fibonacci, "run", staticmethod(spy))
        names.clear()
        streams = new()
        warm(streams, market, END - 30 * HOUR)
        feed(streams, market, END - 30 * HOUR, END)
        results.append((streams.save(), streams.badges()))
        streams.close()
        assert all(n.startswith("kernels") for n in names) == (split == 1)
    (one, badges), (two, others) = results
    assert badges == others
    assert set(one) == set(two)
    for name in one:
        assert same(one[name], two[name]), name


def test_error_in_a_thread_is_not_lost(market, monkeypatch) -> None:
    def broken(*_) -> None:
        raise RuntimeError("kernel")

    monkeypatch.setattr(module, "SPLIT_ROWS", 1)
    monkeypatch.setattr(Fibonacci, "run", staticmethod(broken))
    streams = new()
    with pytest.raises(RuntimeError, match="kernel"):
        warm(streams, market, END)
    streams.close()


def test_update_tells_which_symbols_have_a_new_score(market) -> None:
    streams = new(frames=("4h",))
    warm(streams, market, END - 4 * HOUR)
    for hour in (4, 3, 2):
        assert streams.update(*batch(market, END - hour * HOUR)).size == 0
    assert streams.update(*batch(market, END - HOUR, rows=[0, 2])).tolist() == [0, 2]
    assert streams.flush(END - 1).size == 0
    assert streams.flush(END).tolist() == [1]


def test_bar_that_comes_again_is_refused_and_changes_nothing(market) -> None:
    streams = new()
    warm(streams, market, END - 10 * HOUR)
    feed(streams, market, END - 10 * HOUR, END - 9 * HOUR)
    before = look(streams).arrays()
    with pytest.raises(BarError, match="later than the bar before"):
        streams.update(*batch(market, END - 10 * HOUR))
    for name, array in look(streams).arrays().items():
        np.testing.assert_array_equal(array, before[name], name)


def test_bar_after_a_gap_is_flagged_until_the_next(market) -> None:
    streams = new(frames=("1h",))
    warm(streams, market, END - 5 * HOUR)
    assert not look(streams).flagged.any()
    feed(streams, market, END - 5 * HOUR, END - 4 * HOUR, rows=[0, 1])  # NEW misses one
    feed(streams, market, END - 4 * HOUR, END - 3 * HOUR)
    assert look(streams).flagged[:, 0].tolist() == [False, False, True]
    feed(streams, market, END - 3 * HOUR, END - 2 * HOUR)
    assert not look(streams).flagged.any()


def test_bar_of_too_few_parts_is_flagged(market) -> None:
    streams = new(frames=("4h",))
    warm(streams, market, END - 4 * HOUR)
    for hour in (4, 3, 2, 1):
        streams.update(*batch(market, END - hour * HOUR, [0] if hour == 3 else None))
    assert look(streams).closed[:, 0].tolist() == [END] * 3
    assert look(streams).flagged[:, 0].tolist() == [False, True, True]


def test_gap_at_the_end_of_the_history_is_flagged_too(market) -> None:
    holed = [
        replace(b, time=np.delete(b.time, -2), values=np.delete(b.values, -2, axis=0))
        for b in market[:1]
    ] + market[1:]
    streams = new(frames=("1h",))
    warm(streams, holed, END)
    assert look(streams).flagged[:, 0].tolist() == [True, False, False]


def badges_of(bars: Bars, now: int) -> list[tuple[str, int, int]]:
    """Badges that the detectors' own events ask for: name, length of the bar, time known."""
    newest: dict[str, tuple[int, str]] = {}
    length = length_ms(bars.timeframe)
    for detector in (d() for d in DETECTORS):
        badge = {k.name: k.badge for k in detector.kinds}
        over = {k.name: {"invalid", "expired"} | ({"done"} if k.lasting else set())
                for k in detector.kinds}
        for event in detector.events(bars):
            name = badge[event.kind]
            if event.state in over[event.kind]:
                if newest.get(name, (0, ""))[1] == event.id:
                    del newest[name]
            elif event.state in ("active", "done") and event.side and name:
                newest[name] = event.time, event.id
    fresh = now - (1 + BADGE_BARS) * length
    return [(name, length, time) for name, (time, _) in newest.items() if time > fresh]


@pytest.mark.parametrize("back", [0, 7, 24, 100])
def test_badges_are_the_freshest_events_of_each_symbol(market, back) -> None:
    until = END - back * HOUR
    streams = new()
    start = until - 30 * HOUR
    warm(streams, market, start)
    feed(streams, market, start, until)
    for i, bars in enumerate(market):
        known = bars.between(None, until)
        wanted = [b for f in FRAMES for b in badges_of(resample(known, f), until)]
        wanted.sort(key=lambda b: (-b[1], -b[2], b[0]))
        names = list(dict.fromkeys(name for name, _, _ in wanted))
        assert list(streams.badges()[i]) == names[:N_BADGES], bars.symbol


def test_badges_of_the_warm_up_are_those_of_living_through_it(market) -> None:
    lived, warmed = new(), new()
    warm(lived, market, END - 48 * HOUR)
    feed(lived, market, END - 48 * HOUR, END)
    warm(warmed, market, END)
    assert warmed.badges() == lived.badges()
    assert any(warmed.badges())


def test_badges_fade_with_time(ready) -> None:
    streams = new()
    assert streams.load(ready.save())
    assert any(streams.badges())
    streams.time = END + (1 + BADGE_BARS) * length_ms("1d")
    assert not any(streams.badges())


def test_snapshot_does_not_move_with_the_streams(market) -> None:
    streams = new()
    warm(streams, market, END - 24 * HOUR)
    day = DayFigures(3, "1h")
    day.feed(*batch(market, END - 25 * HOUR))
    first = streams.snapshot(day)
    kept = {name: array.copy() for name, array in first.arrays().items()}
    feed(streams, market, END - 24 * HOUR, END)
    day.feed(*batch(market, END - HOUR))
    second = streams.snapshot(day)
    for name, array in first.arrays().items():
        np.testing.assert_array_equal(array, kept[name], name)
        assert array.base is None or not any(
            np.shares_memory(array, state) for state in streams.save().values()
        ), name
    assert (first.version, second.version) == (1, 2)
    assert first.time == END - 24 * HOUR
    assert (second.price != first.price).all()


def test_saved_state_goes_on_as_if_nothing_had_been(market) -> None:
    whole, half = new(), new()
    for streams in (whole, half):
        warm(streams, market, END - 60 * HOUR)
        feed(streams, market, END - 60 * HOUR, END - 30 * HOUR)
    saved = {name: array.copy() for name, array in half.save().items()}
    feed(half, market, END - 30 * HOUR, END - 20 * HOUR)  # must not reach what was saved
    again = new()
    assert again.load(saved)
    assert again.time == END - 30 * HOUR
    assert again.forming(0, "1d") == whole.forming(0, "1d") is not None
    for streams in (whole, again):
        feed(streams, market, END - 30 * HOUR, END)
    for name, array in look(whole).arrays().items():
        if name != "drawdown_rank":  # read again from history by the agent
            np.testing.assert_array_equal(look(again).arrays()[name], array, name)
    assert again.badges() == whole.badges()


@pytest.mark.parametrize(
    "other",
    [
        lambda: new(names=NAMES[::-1]),
        lambda: new(names=NAMES[:2]),
        lambda: new(frames=("1h", "4h")),
        lambda: new(frames=("4h", "1h", "1d")),
        lambda: new(source="replay:binance"),
    ],
)
def test_state_of_another_universe_is_refused(ready, other) -> None:
    streams = other()
    assert not streams.load(ready.save())
    assert streams.time == 0
    assert not streams.save()["context"]["n"].any()


def test_state_of_other_kernels_is_refused(ready) -> None:
    streams = new()
    assert not streams.load(ready.save() | {"kernels": np.array("0" * 16)})
    assert streams.time == 0


@pytest.mark.parametrize("name", ["state_sar", "context", "scores", "partial"])
def test_state_of_another_shape_changes_nothing(ready, name) -> None:
    streams = new()
    with pytest.raises(ValueError, match=f"{name} must be of shape"):
        streams.load(ready.save() | {name: np.zeros(2)})
    assert streams.time == 0
    assert not streams.save()["state_fibonacci"]["n"].any()


def test_unfinished_bar_is_made_of_its_closed_base_bars(market) -> None:
    streams = new()
    warm(streams, market, END - 48 * HOUR)
    day = (END - 24 * HOUR) // length_ms("1d") * length_ms("1d")
    feed(streams, market, END - 48 * HOUR, day + 5 * HOUR)
    bar, part = streams.forming(0, "1d"), market[0].between(day, day + 5 * HOUR)
    assert bar == (
        day, part.open[0], part.high.max(), part.low.min(), part.close[-1], part.volume.sum(),
    )
    assert streams.forming(0, "1h") is None


def holed(bars: Bars, rows) -> Bars:
    return replace(bars, time=np.delete(bars.time, rows), values=np.delete(bars.values, rows, 0))


def gaps(streams: Streams) -> np.ndarray:
    return look(streams).distrust[..., GAPS]


def test_missing_bars_lower_the_trust_alike_in_warm_up_and_live(market) -> None:
    broken = [holed(market[0], [-90, -70, -69, -3]), *market[1:]]
    lived, warmed = new(frames=("1h",)), new(frames=("1h",))
    warm(lived, broken, END - 100 * HOUR)
    feed(lived, broken, END - 100 * HOUR, END)
    warm(warmed, broken, END)
    assert lived.save()["tracks"].tobytes() == warmed.save()["tracks"].tobytes()
    assert gaps(lived)[0, 0] == facts_of(broken[0])[GAPS] > 0.01
    assert look(lived).trust[0, 0] == weigh(facts_of(broken[0]))[1] < 1
    assert look(lived).trust[1:].tolist() == [[1.0], [1.0]]


def test_longer_bars_miss_what_their_base_bars_lack(market) -> None:
    streams = new(frames=("1h", "4h"))
    warm(streams, market, END - 8 * HOUR)
    feed(streams, market, END - 8 * HOUR, END - 7 * HOUR, rows=[0, 2])
    feed(streams, market, END - 7 * HOUR, END)
    found = gaps(streams)
    assert found[0].tolist() == [0.0, 0.0]
    assert found[1, 0] == pytest.approx(1 / 72, rel=0.15)
    assert found[1, 1] == pytest.approx(found[1, 0] / 4, rel=0.3)  # a quarter of a 4h bar


def test_gaps_outlive_a_restart(market) -> None:
    broken = [holed(market[0], [-40, -20]), *market[1:]]
    whole, half = new(), new()
    for streams in (whole, half):
        warm(streams, broken, END - 60 * HOUR)
        feed(streams, broken, END - 60 * HOUR, END - 30 * HOUR)
    again = new()
    assert again.load({name: array.copy() for name, array in half.save().items()})
    for streams in (whole, again):
        feed(streams, broken, END - 30 * HOUR, END)
    assert gaps(again)[0].tolist() == gaps(whole)[0].tolist()
    assert gaps(again)[0, 0] > 0.015


def no_faults(n: int) -> Faults:
    numbers, flags = np.zeros(n), np.zeros(n, np.bool_)
    return Faults(numbers, numbers, flags, numbers, numbers, flags, flags)


def test_what_the_feed_knows_to_be_wrong_is_in_the_snapshot(market) -> None:
    streams = new()
    warm(streams, market, END)
    faults = no_faults(3)
    streams.faults = replace(
        faults, pending=np.array([True, False, False]), mismatch=np.array([0, 0.1, 0]),
        overdue=np.array([0.0, 0.0, 1.5]),
    )
    trust = look(streams).trust
    assert trust[0].tolist() == [0.0] * 3
    assert trust[1].tolist() == [0.5] * 3
    assert trust[2].tolist() == [0.5, 1.0, 1.0]  # the longer ones are not due yet
    streams.faults = None
    assert (look(streams).trust == 1).all()


def test_a_bar_that_the_exchange_does_not_have_is_no_gap(market) -> None:
    broken = [holed(b, [-30]) for b in market[:2]] + [market[2]]
    streams = new(frames=("1h",))
    warm(streams, broken, END - 60 * HOUR)
    streams.faults = replace(no_faults(3), missing=np.array([0.0, 0.01, 0.0]))
    feed(streams, broken, END - 60 * HOUR, END)
    streams.faults = None
    assert gaps(streams)[:, 0].tolist() == [0.0, facts_of(broken[1])[GAPS], 0.0]


def test_a_stream_that_lags_behind_the_others_is_old(market) -> None:
    streams = new(frames=("1h", "4h"))
    warm(streams, market, END - 8 * HOUR)
    feed(streams, market, END - 8 * HOUR, END, rows=[0, 2])
    assert look(streams).distrust[1, :, AGE].tolist() == [7.0, 1.0]
    assert look(streams).trust[1].tolist() == [0.0, 1.0]


@pytest.mark.parametrize("seed", range(5))
def test_late_bars_score_as_if_they_had_been_in_time(market, seed) -> None:
    """Bars held back for up to 30 hours, some of which turn out not to exist."""
    rng = np.random.default_rng(seed)
    start, n = END - 100 * HOUR, 100
    absent = rng.random((3, n)) < 0.1
    ready_at = np.maximum.accumulate(
        np.arange(n) + np.where(rng.random((3, n)) < 0.05, rng.integers(1, 30, (3, n)), 0), axis=1
    )
    late, whole = new(), new()

    def give(streams: Streams, t: int, which: np.ndarray) -> None:
        opened = start + t * HOUR
        rows = [i for i in np.flatnonzero(which) if (market[i].time == opened).any()]
        if rows:
            streams.update(*batch(market, opened, rows))

    warm(late, market, start)
    warm(whole, market, start)
    for hour in range(n + 30):
        told = ready_at <= hour
        for t in range(min(hour + 1, n)):
            give(late, t, (ready_at[:, t] == hour) & ~absent[:, t])
        late.flush(start + HOUR * told.sum(axis=1))
        if hour < n:
            give(whole, hour, ~absent[:, hour])
            whole.flush(start + HOUR * (hour + 1))
    assert late.time == whole.time
    a, b = late.save(), whole.save()
    for name in a:
        assert same(a[name], b[name]), name
    assert look(late).patterns == look(whole).patterns
    late.close()
    whole.close()

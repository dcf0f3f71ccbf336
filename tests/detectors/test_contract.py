"""What every detector promises, checked on each of them."""

import pickle
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import param
import pytest
from builders import mirrored, random_bars, scaled
from observed import mirrored_records, observations, scaled_records

from opportunity.contracts import DETECTOR_NAMES
from opportunity.detectors import DETECTORS, Detector
from opportunity.detectors.base import DEAD_BAND, WARMUP
from opportunity.detectors.events import EVENT
from opportunity.detectors.inputs import Observed
from opportunity.detectors.news_tone import tone
from opportunity.errors import BarError
from opportunity.market.bars import Bars
from opportunity.market.observations import Funding, OrderBook, Record, Trade, Trades
from opportunity.market.readers import read_bars

ROOT = Path(__file__).parents[2]

every = pytest.mark.parametrize("kind", DETECTORS, ids=lambda d: d.name)
price = pytest.mark.parametrize("kind", [d for d in DETECTORS if not d.needs], ids=lambda d: d.name)
context = pytest.mark.parametrize("kind", [d for d in DETECTORS if d.needs], ids=lambda d: d.name)

OPPOSITE = {name: {"tone": lambda title: -tone(title)} for name in ("news", "sentiment")}
"""Parameters that make a detector read the records of a mirrored market."""


@pytest.fixture(scope="module")
def bars() -> Bars:
    return WHOLE


WHOLE = random_bars(2000, seed=7)


@cache
def told() -> list[Record]:
    """What became known around `WHOLE`, made once: it takes a second."""
    return observations(WHOLE)


def records(kind: type[Detector], of: Bars | None = None) -> list[Record]:
    """Records that `kind` reads; they go with the times of `of`, by default those of `WHOLE`."""
    if not kind.needs:
        return []
    found = told() if of is None else observations(of)
    return [r for r in found if isinstance(r, tuple(kind.needs))]


def look(kind: type[Detector], bars: Bars, known: Iterable[Record] | None = None, **params):
    """Detect with the records that the detector reads."""
    return kind(**params).detect(bars, records(kind) if known is None else known)


def drive(
    detector: Detector, bars: Bars, states: np.ndarray | None = None,
    known: Iterable[Record] | None = None,
):
    """Run the kernel and return its raw outputs and event records."""
    n = len(bars)
    observed = detector.observe(bars, records(type(detector)) if known is None else known).rows
    out = np.full((1, n, detector.width), np.nan)
    room = np.zeros((1, n * detector.most_events), EVENT)
    counts = np.zeros(1, np.int64)
    detector.run(
        detector.new_states(1) if states is None else states, np.zeros(1, np.int64),
        detector.packed, bars.time[None], bars.values[None], observed[None], out, room, counts,
    )  # fmt: skip
    return out[0], room[0, : counts[0]]


def words(states: np.ndarray) -> str:
    """All fields of states; their bytes would also hold padding, which copies leave undefined."""
    return repr(states.tolist())


def test_detectors_have_the_agreed_names_in_weight_order():
    assert tuple(d().label for d in DETECTORS) == DETECTOR_NAMES


@every
def test_class_says_what_it_does_and_where_it_comes_from(kind):
    assert "Source:" in kind.__doc__
    assert kind.title
    for name, parameter in kind.param.objects().items():
        if name != "name":
            assert parameter.doc, name
        if isinstance(parameter, param.Number):
            assert None not in parameter.bounds, name
            assert name in kind.params_type.names


@every
def test_has_a_page_in_the_docs(kind):
    assert (ROOT / "docs" / "detectors" / f"{kind.name}.md").is_file()


@every
def test_scores_are_finite_from_the_warm_up_on(kind, bars):
    found = look(kind, bars)
    expected = np.arange(len(bars)) >= WARMUP - 1
    assert found.connected
    np.testing.assert_array_equal(found.available, expected)
    np.testing.assert_array_equal(np.isfinite(found.confidence), expected)


@every
@pytest.mark.parametrize("tick", [2.0**-4, 8.0], ids=["fine", "coarse"])
def test_scores_stay_in_range(kind, tick):
    for seed in range(5):
        found = look(kind, random_bars(2000, seed=seed, tick=tick))
        score, confidence = found.score[WARMUP - 1 :], found.confidence[WARMUP - 1 :]
        assert np.abs(score).max() <= 1
        assert confidence.min() >= 0
        assert confidence.max() <= 1
        assert ((score == 0) | (np.abs(score) >= DEAD_BAND)).all()
        assert np.unique(np.sign(score)).tolist() in ([-1, 0, 1], [-1, 1])


@every
def test_streaming_equals_batch_bit_for_bit(kind, bars):
    detector = kind()
    found = look(kind, bars)
    rows = detector.observe(bars, records(kind)).rows
    pairs = np.array([detector.update(*one) for one in zip(bars, rows, strict=True)])
    np.testing.assert_array_equal(pairs[:, 0], found.score)
    np.testing.assert_array_equal(pairs[:, 1], found.confidence)
    batch = detector.new_states(1)
    drive(detector, bars, batch)
    assert words(detector.snapshot()["state"]) == words(batch)


@every
def test_future_bars_never_change_the_past(kind, bars):
    detector = kind()
    out, events = drive(detector, bars)
    joined = detector.observe(bars, records(kind))
    for cut in range(1, len(bars)):
        known = Observed(joined.rows[:cut], True)
        part, seen = drive(detector, bars[:cut], known=known)
        assert part.tobytes() == out[:cut].tobytes(), cut
        assert seen.tobytes() == events[: seen.size].tobytes(), cut
        assert seen.size == events.size or events[seen.size]["bar"] >= cut


def until(known: Iterable[Record], time: int) -> list[Record]:
    """Keep what was known by a time; of a block of prints the part that was."""
    found = []
    for record in known:
        if isinstance(record, Trades):
            part = slice(0, int(np.searchsorted(record.time, time, "right")))
            found.append(replace(record, **{
                f: getattr(record, f)[part] for f in ("time", "price", "amount", "side")
            }))
        elif record.available_at <= time:
            found.append(record)
    return found


@context
def test_later_records_never_change_what_was_known(kind, bars):
    whole = kind().observe(bars, records(kind)).rows
    for cut in np.random.default_rng(4).integers(1, len(bars), 12).tolist():
        part = kind().observe(bars[:cut], until(records(kind), bars.close_time[cut - 1])).rows
        assert part.tobytes() == whole[:cut].tobytes(), cut


@context
def test_without_records_a_detector_of_records_is_absent(kind, bars):
    for known in (None, [], [Trade(1, 1, "x", "TEST/USDT", 1.0, 1.0, "buy")]):
        found = kind().detect(bars, known)
        if not isinstance(known, list) or not any(isinstance(r, tuple(kind.needs)) for r in known):
            assert not found.connected
        assert not found.available.any()
        assert found.events == []


@context
def test_records_need_bars_that_say_of_when_and_of_what_they_are(kind, bars):
    bare = replace(bars, timeframe=None)
    with pytest.raises(ValueError, match="bars must carry a timeframe and a symbol"):
        kind().detect(bare, records(kind))


@context
def test_records_of_other_symbols_say_nothing_about_this_one(kind, bars):
    own = [r for r in records(kind) if getattr(r, "symbol", "TEST/USDT") == "TEST/USDT"]
    others = [
        replace(r, symbol="ELSE/USDT") for r in own if isinstance(r, (Funding, Trades, OrderBook))
    ]
    both = kind().observe(bars, [*own, *others]).rows
    np.testing.assert_array_equal(both, kind().observe(bars, own).rows)


@every
@pytest.mark.realdata
def test_future_bars_never_change_the_past_on_recorded_bars(kind, market_data):
    path = market_data / "binance" / "BTC-USDT" / "1h.parquet"
    whole = read_bars(path, symbol="BTC/USDT")[20_000:24_000]
    detector, known = kind(), records(kind, whole)
    out, events = drive(detector, whole, known=known)
    for cut in np.random.default_rng(3).integers(1, len(whole), 20 if kind.needs else 200):
        end = whole.close_time[int(cut) - 1]
        part, seen = drive(detector, whole[: int(cut)], known=until(known, end))
        assert part.tobytes() == out[:cut].tobytes(), cut
        assert seen.tobytes() == events[: seen.size].tobytes(), cut


@every
def test_events_know_their_bar_and_ask_for_no_more_than_there_is(kind, bars):
    found = look(kind, bars)
    assert found.events
    for event in found.events:
        assert event.time == bars.time[event.bar]
        assert all(time <= event.time for time, _, _ in event.points)
        assert 0 <= event.quality <= 1
        assert event.text
        assert "nan" not in event.text
        assert event.zone is None or event.zone[0] >= event.zone[1]
    assert [e.bar for e in found.events] == sorted(e.bar for e in found.events)


@every
@pytest.mark.parametrize("tick", [2.0**-4, 4.0], ids=["fine", "coarse"])
def test_mirrored_prices_negate_the_score(kind, tick):
    for seed in range(4):
        bars = random_bars(2000, seed=seed, tick=tick)
        known = records(kind, bars)
        found = look(kind, bars, known)
        other = look(kind, mirrored(bars), mirrored_records(known, bars), **OPPOSITE.get(
            kind.name, {}))
        first = WARMUP - 1
        told = {(e.bar, e.kind, e.state, e.side) for e in found.events}
        twin = {(e.bar, e.kind, e.state, -e.side) for e in other.events}
        if kind.name == "sar":  # its start is not symmetric: from the first common turn on
            turns = {b for b, _, state, _ in told & twin if state == "active" and b >= first}
            first = min(turns)
        np.testing.assert_allclose(other.score[first:], -found.score[first:], rtol=0, atol=1e-9)
        np.testing.assert_allclose(
            other.confidence[first:], found.confidence[first:], rtol=0, atol=1e-9
        )
        assert {e for e in told if e[0] >= first} == {e for e in twin if e[0] >= first}


@every
@pytest.mark.parametrize("power", [-30, -3, 1, 20])
def test_power_of_two_scale_changes_nothing(kind, power, bars):
    found = look(kind, bars)
    other = look(kind, scaled(bars, 2.0**power), scaled_records(records(kind), 2.0**power))
    np.testing.assert_array_equal(other.score, found.score)
    np.testing.assert_array_equal(other.confidence, found.confidence)
    assert [(e.id, e.bar, e.state) for e in other.events] == [
        (e.id, e.bar, e.state) for e in found.events
    ]


@every
@pytest.mark.parametrize("level", [1e-8, 0.1, 1e8])
def test_any_price_level_is_scored(kind, level, bars):
    found = look(kind, scaled(bars, level / 4096), scaled_records(records(kind), level / 4096))
    reference = look(kind, bars)
    assert np.isfinite(found.score[WARMUP - 1 :]).all()
    agree = np.isclose(found.score, reference.score, rtol=0, atol=1e-6, equal_nan=True)
    assert agree.mean() > 0.95  # ties that rounding breaks may move a few


@price  # what people say and pay is evidence in a flat market, too
def test_flat_market_gives_no_evidence(kind):
    flat = random_bars(1500, seed=1)
    values = np.full_like(flat.values, 50.0)
    for volume in (0.0, 10.0):
        values[:, 4] = volume
        found = kind().detect(replace(flat, values=values))
        assert (found.score[WARMUP - 1 :] == 0).all()
        assert (found.confidence[WARMUP - 1 :] == 0).all()
        assert found.events == []


@every
def test_market_that_falls_asleep_and_wakes_stays_finite(kind):
    bars = random_bars(12_000, seed=2)
    values = bars.values.copy()
    values[500:11_500] = [*[values[499, 3]] * 4, 0.0]
    found = look(kind, replace(bars, values=values))
    if not kind.needs:  # records end long before these bars do: silence then, not a number
        assert np.isfinite(found.score[WARMUP - 1 :]).all()
    assert np.nanmax(np.abs(found.score[WARMUP - 1 :])) <= 1


@every
@pytest.mark.parametrize("size", [50.0, 1e6])
@pytest.mark.parametrize("at", [5, 60, 400])
def test_one_giant_bar_is_survived(kind, size, at):
    bars = random_bars(1000, seed=3)
    values = bars.values.copy()
    values[at, 1] *= size
    found = look(kind, replace(bars, values=values))
    values[at, 3] = values[at, 1]
    values[at + 1, 1] = values[at, 1]
    values[at + 1, 0] = values[at, 1]
    closed = look(kind, replace(bars, values=values))
    for f in (found, closed):
        assert np.isfinite(f.score[WARMUP - 1 :]).all()
        assert np.abs(f.score[WARMUP - 1 :]).max() <= 1
        assert np.isfinite(f.confidence[WARMUP - 1 :]).all()
        assert f.confidence[WARMUP - 1 :].max() <= 1


@every
def test_zero_volume_is_scored(kind, bars):
    values = bars.values.copy()
    values[:, 4] = 0.0
    found = look(kind, replace(bars, values=values))
    assert np.isfinite(found.score[WARMUP - 1 :]).all()
    assert (found.score[WARMUP - 1 :] != 0).any()


@every
@pytest.mark.parametrize("n", [0, 1, 2, 15, WARMUP - 1])
def test_short_input_is_unavailable(kind, n, bars):
    found = look(kind, bars[:n])
    assert found.score.shape == (n,)
    assert not found.available.any()


@price  # records are joined by time, so what was known at a later bar is another thing
def test_gaps_are_read_across(kind, bars):
    time = bars.time.copy()
    time[700:] += 40 * 3_600_000
    found, gapped = kind().detect(bars), kind().detect(replace(bars, time=time))
    # smc reads the clock: after the gap other bars are a day, a week and a session
    same = slice(0, 700) if kind.name == "smc" else slice(None)
    assert np.isfinite(gapped.score[WARMUP - 1 :]).all()
    np.testing.assert_array_equal(gapped.score[same], found.score[same])


@every
@pytest.mark.parametrize("column", range(5))
def test_bad_values_are_refused(kind, column, bars):
    values = bars.values[:200].copy()
    values[150, column] = np.nan
    with pytest.raises(BarError):
        kind().detect(replace(bars[:200], values=values))


@every
def test_repeated_and_older_bars_are_refused(kind, bars):
    detector = kind()
    rows = list(bars[:3])
    detector.update(rows[1])
    before = words(detector.snapshot()["state"])
    for row in (rows[1], rows[0]):
        with pytest.raises(BarError):
            detector.update(row)
    assert words(detector.snapshot()["state"]) == before
    detector.update(rows[2])


@every
def test_input_is_not_changed(kind, bars):
    before = bars.time.copy(), bars.values.copy()
    look(kind, bars).events  # noqa: B018 - computed on access
    np.testing.assert_array_equal(bars.time, before[0])
    np.testing.assert_array_equal(bars.values, before[1])


@every
def test_pickle_and_snapshot_go_on_where_they_stopped(kind, bars):
    detector = kind()
    rows = detector.observe(bars, records(kind)).rows
    for bar, row in zip(bars[:900], rows[:900], strict=True):
        detector.update(bar, row)
    pickled = pickle.loads(pickle.dumps(detector))
    restored = kind()
    restored.restore(pickle.loads(pickle.dumps(detector.snapshot())))
    for bar, row in zip(bars[900:1100], rows[900:1100], strict=True):
        expected = detector.update(bar, row)
        np.testing.assert_array_equal(pickled.update(bar, row), expected)
        np.testing.assert_array_equal(restored.update(bar, row), expected)
    with pytest.raises(BarError):
        restored.update(next(iter(bars[1099:])))


@every
def test_snapshot_is_not_touched_by_later_bars(kind, bars):
    detector = kind()
    snapshot = detector.snapshot()
    detector.update(next(iter(bars)))
    assert words(snapshot["state"]) == words(detector.new_states(1))


@every
def test_reset_equals_a_fresh_object(kind, bars):
    detector = kind()
    for bar in bars[:300]:
        detector.update(bar)
    detector.reset()
    for bar in bars[:150]:
        last = detector.update(bar)
    np.testing.assert_array_equal(last[0], kind().detect(bars[:150]).score[-1])


@every
def test_many_streams_equal_single_ones(kind):
    detector = kind()
    streams = [random_bars(n, seed=n) for n in (400, 250, 400)]
    values = np.full((3, 400, 5), np.nan)
    time = np.zeros((3, 400), np.int64)
    obs = np.full((3, 400, len(kind.columns)), np.nan)
    for k, stream in enumerate(streams):  # shorter streams are padded in front
        values[k, 400 - len(stream) :] = stream.values
        time[k, 400 - len(stream) :] = stream.time
        obs[k, 400 - len(stream) :] = detector.observe(stream, records(kind)).rows
    states = detector.new_states(5)
    rows = np.array([4, 0, 2])
    out = np.full((3, 400, detector.width), np.nan)
    counts = np.zeros(3, np.int64)
    detector.run(
        states, rows, detector.packed, time, values, obs, out,
        np.zeros((3, 0), EVENT), counts,
    )  # fmt: skip
    for k, stream in enumerate(streams):
        single, events = drive(detector, stream)
        np.testing.assert_array_equal(out[k, 400 - len(stream) :], single)
        assert counts[k] == events.size
    assert words(states[[1, 3]]) == words(detector.new_states(2))

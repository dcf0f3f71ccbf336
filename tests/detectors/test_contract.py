"""What every detector promises, checked on each of them."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import param
import pytest
from builders import mirrored, random_bars, scaled

from opportunity.contracts import DETECTOR_NAMES
from opportunity.detectors import DETECTORS, Detector
from opportunity.detectors.base import DEAD_BAND, WARMUP
from opportunity.detectors.events import EVENT, N_EVENTS
from opportunity.errors import BarError
from opportunity.market.bars import Bars
from opportunity.market.readers import read_bars

BUILT = [d for d in DETECTORS if d.built]
PENDING = [d for d in DETECTORS if not d.built]
ROOT = Path(__file__).parents[2]

every = pytest.mark.parametrize("kind", DETECTORS, ids=lambda d: d.name)
built = pytest.mark.parametrize("kind", BUILT, ids=lambda d: d.name)


@pytest.fixture(scope="module")
def bars() -> Bars:
    return random_bars(2000, seed=7)


def drive(detector: Detector, bars: Bars, states: np.ndarray | None = None):
    """Run the kernel and return its raw outputs and event records."""
    n = len(bars)
    out = np.full((1, n, detector.width), np.nan)
    room = np.zeros((1, n * N_EVENTS), EVENT)
    counts = np.zeros(1, np.int64)
    detector.run(
        detector.new_states(1) if states is None else states, np.zeros(1, np.int64),
        detector.packed, bars.time[None], bars.values[None], np.empty((1, n, 0)), out, room, counts,
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


@built
def test_has_a_page_in_the_docs(kind):
    assert (ROOT / "docs" / "detectors" / f"{kind.name}.md").is_file()


@pytest.mark.parametrize("kind", PENDING, ids=lambda d: d.name)
def test_pending_detector_is_never_available(kind, bars):
    detector = kind()
    found = detector.detect(bars)
    assert not found.available.any()
    assert np.isnan(found.confidence).all()
    assert found.events == []
    assert np.isnan(detector.update(next(iter(bars)))).all()


@every
def test_scores_are_finite_from_the_warm_up_on(kind, bars):
    found = kind().detect(bars)
    expected = np.arange(len(bars)) >= WARMUP - 1 if kind.built else np.zeros(len(bars), bool)
    np.testing.assert_array_equal(found.available, expected)
    np.testing.assert_array_equal(np.isfinite(found.confidence), expected)


@built
@pytest.mark.parametrize("tick", [2.0**-4, 8.0], ids=["fine", "coarse"])
def test_scores_stay_in_range(kind, tick):
    for seed in range(5):
        found = kind().detect(random_bars(2000, seed=seed, tick=tick))
        score, confidence = found.score[WARMUP - 1 :], found.confidence[WARMUP - 1 :]
        assert np.abs(score).max() <= 1
        assert confidence.min() >= 0
        assert confidence.max() <= 1
        assert ((score == 0) | (np.abs(score) >= DEAD_BAND)).all()
        assert np.unique(np.sign(score)).tolist() in ([-1, 0, 1], [-1, 1])


@every
def test_streaming_equals_batch_bit_for_bit(kind, bars):
    detector = kind()
    found = detector.detect(bars)
    pairs = np.array([detector.update(bar) for bar in bars])
    np.testing.assert_array_equal(pairs[:, 0], found.score)
    np.testing.assert_array_equal(pairs[:, 1], found.confidence)
    batch = detector.new_states(1)
    drive(detector, bars, batch)
    assert words(detector.snapshot()["state"]) == words(batch)


@built
def test_future_bars_never_change_the_past(kind, bars):
    detector = kind()
    out, records = drive(detector, bars)
    for cut in range(1, len(bars)):
        part, seen = drive(detector, bars[:cut])
        assert part.tobytes() == out[:cut].tobytes(), cut
        assert seen.tobytes() == records[: seen.size].tobytes(), cut
        assert seen.size == records.size or records[seen.size]["bar"] >= cut


@built
@pytest.mark.realdata
def test_future_bars_never_change_the_past_on_recorded_bars(kind, market_data):
    whole = read_bars(market_data / "binance" / "BTC-USDT" / "1h.parquet")[20_000:24_000]
    detector = kind()
    out, records = drive(detector, whole)
    for cut in np.random.default_rng(3).integers(1, len(whole), 200):
        part, seen = drive(detector, whole[: int(cut)])
        assert part.tobytes() == out[:cut].tobytes(), cut
        assert seen.tobytes() == records[: seen.size].tobytes(), cut


@built
def test_events_know_their_bar_and_ask_for_no_more_than_there_is(kind, bars):
    found = kind().detect(bars)
    assert found.events
    for event in found.events:
        assert event.time == bars.time[event.bar]
        assert all(time <= event.time for time, _, _ in event.points)
        assert 0 <= event.quality <= 1
        assert event.text
        assert "nan" not in event.text
        assert event.zone is None or event.zone[0] >= event.zone[1]
    assert [e.bar for e in found.events] == sorted(e.bar for e in found.events)


@built
@pytest.mark.parametrize("tick", [2.0**-4, 4.0], ids=["fine", "coarse"])
def test_mirrored_prices_negate_the_score(kind, tick):
    for seed in range(4):
        bars = random_bars(2000, seed=seed, tick=tick)
        found, other = kind().detect(bars), kind().detect(mirrored(bars))
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


@built
@pytest.mark.parametrize("power", [-30, -3, 1, 20])
def test_power_of_two_scale_changes_nothing(kind, power, bars):
    found, other = kind().detect(bars), kind().detect(scaled(bars, 2.0**power))
    np.testing.assert_array_equal(other.score, found.score)
    np.testing.assert_array_equal(other.confidence, found.confidence)
    assert [(e.id, e.bar, e.state) for e in other.events] == [
        (e.id, e.bar, e.state) for e in found.events
    ]


@built
@pytest.mark.parametrize("level", [1e-8, 0.1, 1e8])
def test_any_price_level_is_scored(kind, level, bars):
    found = kind().detect(scaled(bars, level / 4096))
    reference = kind().detect(bars)
    assert np.isfinite(found.score[WARMUP - 1 :]).all()
    agree = np.isclose(found.score, reference.score, rtol=0, atol=1e-6, equal_nan=True)
    assert agree.mean() > 0.95  # ties that rounding breaks may move a few


@built
def test_flat_market_gives_no_evidence(kind):
    flat = random_bars(1500, seed=1)
    values = np.full_like(flat.values, 50.0)
    for volume in (0.0, 10.0):
        values[:, 4] = volume
        found = kind().detect(replace(flat, values=values))
        assert (found.score[WARMUP - 1 :] == 0).all()
        assert (found.confidence[WARMUP - 1 :] == 0).all()
        assert found.events == []


@built
def test_market_that_falls_asleep_and_wakes_stays_finite(kind):
    bars = random_bars(12_000, seed=2)
    values = bars.values.copy()
    values[500:11_500] = [*[values[499, 3]] * 4, 0.0]
    found = kind().detect(replace(bars, values=values))
    assert np.isfinite(found.score[WARMUP - 1 :]).all()
    assert np.abs(found.score[WARMUP - 1 :]).max() <= 1


@built
@pytest.mark.parametrize("size", [50.0, 1e6])
@pytest.mark.parametrize("at", [5, 60, 400])
def test_one_giant_bar_is_survived(kind, size, at):
    bars = random_bars(1000, seed=3)
    values = bars.values.copy()
    values[at, 1] *= size
    found = kind().detect(replace(bars, values=values))
    values[at, 3] = values[at, 1]
    values[at + 1, 1] = values[at, 1]
    values[at + 1, 0] = values[at, 1]
    closed = kind().detect(replace(bars, values=values))
    for f in (found, closed):
        assert np.isfinite(f.score[WARMUP - 1 :]).all()
        assert np.abs(f.score[WARMUP - 1 :]).max() <= 1
        assert np.isfinite(f.confidence[WARMUP - 1 :]).all()
        assert f.confidence[WARMUP - 1 :].max() <= 1


@built
def test_zero_volume_is_scored(kind, bars):
    values = bars.values.copy()
    values[:, 4] = 0.0
    found = kind().detect(replace(bars, values=values))
    assert np.isfinite(found.score[WARMUP - 1 :]).all()
    assert (found.score[WARMUP - 1 :] != 0).any()


@every
@pytest.mark.parametrize("n", [0, 1, 2, 15, WARMUP - 1])
def test_short_input_is_unavailable(kind, n, bars):
    found = kind().detect(bars[:n])
    assert found.score.shape == (n,)
    assert not found.available.any()


@every
def test_gaps_are_read_across(kind, bars):
    time = bars.time.copy()
    time[700:] += 40 * 3_600_000
    found, gapped = kind().detect(bars), kind().detect(replace(bars, time=time))
    np.testing.assert_array_equal(gapped.score, found.score)


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
    kind().detect(bars).events  # noqa: B018 - computed on access
    np.testing.assert_array_equal(bars.time, before[0])
    np.testing.assert_array_equal(bars.values, before[1])


@every
def test_pickle_and_snapshot_go_on_where_they_stopped(kind, bars):
    detector = kind()
    for bar in bars[:900]:
        detector.update(bar)
    pickled = pickle.loads(pickle.dumps(detector))
    restored = kind()
    restored.restore(pickle.loads(pickle.dumps(detector.snapshot())))
    for bar in bars[900:1100]:
        expected = detector.update(bar)
        np.testing.assert_array_equal(pickled.update(bar), expected)
        np.testing.assert_array_equal(restored.update(bar), expected)
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
    for k, stream in enumerate(streams):  # shorter streams are padded in front
        values[k, 400 - len(stream) :] = stream.values
        time[k, 400 - len(stream) :] = stream.time
    states = detector.new_states(5)
    rows = np.array([4, 0, 2])
    out = np.full((3, 400, detector.width), np.nan)
    counts = np.zeros(3, np.int64)
    detector.run(
        states, rows, detector.packed, time, values, np.empty((3, 400, 0)), out,
        np.zeros((3, 0), EVENT), counts,
    )  # fmt: skip
    for k, stream in enumerate(streams):
        single, records = drive(detector, stream)
        np.testing.assert_array_equal(out[k, 400 - len(stream) :], single)
        assert counts[k] == records.size
    assert words(states[[1, 3]]) == words(detector.new_states(2))

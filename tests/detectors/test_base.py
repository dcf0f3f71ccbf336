import numpy as np
import param
import pytest
from builders import from_ohlc, random_bars

from opportunity.detectors.base import (
    CONFIDENCE,
    DEAD_BAND,
    SCORE,
    WARMUP,
    Detector,
    copy_events,
    report,
)
from opportunity.detectors.events import EVENT, N_EVENTS, Kind
from opportunity.errors import BarError
from opportunity.kernels import VERSION
from opportunity.market.bars import Bars

STATE = np.dtype(
    [("n", "i8"), ("last", "f8"), ("n_events", "i4"), ("events", EVENT, (N_EVENTS,))], align=True
)
PARAMS = np.dtype([("gain", "f8")], align=True)


def run(states, rows, params, time, values, obs, out, events, counts) -> None:
    """The driver of `Move`, in plain Python: the score is the change of the close times a gain."""
    for k, row in enumerate(rows):
        state = states[row]
        for j in range(time.shape[1]):
            close = values[k, j, 3]
            state["n"] += 1
            move = close - state["last"] if state["n"] > 1 else 0.0
            state["last"] = close
            out[k, j, 2] = move
            score = float(np.clip(params["gain"] * move, -1, 1))
            report.py_func(out[k, j], state["n"], score, 0.5)
            if counts[k] < len(events[k]):
                event = np.zeros(1, EVENT)
                event["serial"], event["known"] = state["n"], time[k, j]
                events[k, counts[k]] = event[0]
            counts[k] += 1


class Move(Detector):
    """Change of the close. Source: these tests."""

    name = param.String("move", constant=True, doc="Name.")
    gain = param.Number(0.01, bounds=(0, None), doc="Score of one unit.")
    aux = ("move",)
    kinds = (Kind("Bar", "{side} bar"),)
    state_type, params_type, run = STATE, PARAMS, staticmethod(run)


@pytest.fixture(scope="module")
def bars() -> Bars:
    return random_bars(130, seed=3)


@pytest.mark.parametrize("n", [1, WARMUP - 1])
def test_nothing_is_reported_before_the_warm_up(n: int) -> None:
    for kernel in (report, report.py_func):
        out = np.zeros(2)
        kernel(out, n, 0.7, 0.4)
        assert np.isnan(out).all()


def test_first_report_is_that_of_bar_one_hundred() -> None:
    out = np.zeros(3)
    report(out, WARMUP, -0.7, 0.4)
    assert out.tolist() == [-0.7, 0.4, 0.0]
    assert WARMUP == 100


@pytest.mark.parametrize(
    ("score", "reported"), [(0.0199, 0.0), (-0.0199, 0.0), (DEAD_BAND, 0.02), (-DEAD_BAND, -0.02)]
)
def test_scores_next_to_nothing_are_zero_and_keep_their_confidence(score, reported) -> None:
    out = np.empty(2)
    report(out, WARMUP, score, 0.4)
    assert out[SCORE] == reported
    assert out[CONFIDENCE] == 0.4


def test_events_are_copied_as_far_as_there_is_room_and_counted_beyond() -> None:
    state = np.zeros(1, STATE)
    state["n_events"] = 3
    state["events"]["serial"][0, :3] = 5, 6, 7
    room = np.zeros(4, EVENT)
    count = copy_events.py_func(_Record(state[0]), room, 2)
    assert count == 5
    assert room["serial"].tolist() == [0, 0, 5, 6]


class _Record:
    """Fields as attributes, as kernels see a record."""

    def __init__(self, record: np.void) -> None:
        self.n_events, self.events = int(record["n_events"]), record["events"]


def test_detection_holds_one_value_a_bar_and_names_the_auxiliary_ones(bars: Bars) -> None:
    found = Move().detect(bars)
    assert len(found.score) == len(found.confidence) == len(found.outputs["move"]) == 130
    assert found.available.tolist() == [i >= WARMUP - 1 for i in range(130)]
    np.testing.assert_array_equal(found.outputs["move"], np.r_[0.0, np.diff(bars.close)])
    for array in (found.score, found.confidence, found.outputs["move"]):
        assert array.flags.c_contiguous  # a copy: the table of all columns is not kept alive
        assert array.base is None


def test_parameters_reach_the_kernel(bars: Bars) -> None:
    weak, strong = Move(gain=1 / 128), Move(gain=1 / 64)
    assert weak.packed["gain"] == 1 / 128
    both = weak.detect(bars).score * 2, strong.detect(bars).score
    apart = (np.abs(both[0]) > 2 * DEAD_BAND) & (np.abs(both[0]) < 1)
    assert apart.any()
    np.testing.assert_array_equal(both[0][apart], both[1][apart])


def test_parameters_keep_their_bounds() -> None:
    with pytest.raises(ValueError, match="gain"):
        Move(gain=-1)
    with pytest.raises(TypeError, match="cannot be modified"):
        Move().name = "other"


def test_label_and_width() -> None:
    assert Move().label == "move"
    assert Move().width == 3
    assert Move().new_states(4).shape == (4,)


def test_update_is_one_step_of_detect(bars: Bars) -> None:
    detector, whole = Move(), Move().detect(bars)
    for i, bar in enumerate(bars):
        score, confidence = detector.update(bar)
        assert isinstance(score, float)
        np.testing.assert_equal((score, confidence), (whole.score[i], whole.confidence[i]))


def test_bar_that_is_refused_changes_nothing(bars: Bars) -> None:
    detector = Move()
    detector.update(bars[0])
    before = detector.snapshot()
    for bad in (bars[0], bars[1]._replace(close=np.nan), bars[1]._replace(high=0.5)):
        with pytest.raises(BarError):
            detector.update(bad)
    after = detector.snapshot()
    assert after["last"] == before["last"] == bars.time[0]
    np.testing.assert_array_equal(after["state"]["n"], before["state"]["n"])


def test_detect_leaves_the_running_stream_alone(bars: Bars) -> None:
    detector = Move()
    detector.update(bars[0])
    detector.detect(bars)
    detector.events(bars)
    assert detector.snapshot()["state"]["n"][0] == 1


def test_events_of_many_bars_all_come_in_order(bars: Bars) -> None:
    detector = Move()
    events = detector.events(bars)
    assert [e.time for e in events] == bars.time.tolist()
    assert {e.detector for e in events} == {"move"}
    found = detector.detect(bars)
    assert found.events == events
    assert found.events is found.events  # computed once


def test_no_bars_give_nothing() -> None:
    none = from_ohlc(np.empty((0, 4)))
    found = Move().detect(none)
    assert len(found.score) == 0
    assert found.events == []


def test_restore_goes_on_from_the_last_bar(bars: Bars) -> None:
    first, second = Move(), Move()
    for bar in bars[:110]:
        first.update(bar)
    second.restore(first.snapshot())
    assert second.update(bars[110]) == first.update(bars[110])
    with pytest.raises(BarError):
        second.update(bars[109])


def test_snapshot_of_other_kernels_is_refused() -> None:
    old = Move().snapshot() | {"kernels": "0" * 16}
    with pytest.raises(ValueError, match=f"kernels {VERSION}, was 0000"):
        Move().restore(old)


def test_snapshot_of_another_detector_is_refused() -> None:
    class Other(Move):
        """Another state. Source: these tests."""

        state_type = np.dtype([("n", "i8")])

    with pytest.raises(ValueError, match="must be of move"):
        Move().restore(Other().snapshot())


def test_reset_forgets_the_bars_and_their_times(bars: Bars) -> None:
    detector = Move()
    detector.update(bars[5])
    detector.reset()
    detector.update(bars[0])
    assert detector.snapshot()["state"]["n"][0] == 1

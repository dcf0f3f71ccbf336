import numpy as np
import pytest

from opportunity.detectors import DETECTORS
from opportunity.detectors.ahead import LINE, fetch, lines, span
from opportunity.detectors.fibonacci import HOT as FIBONACCI
from opportunity.detectors.fibonacci import Fibonacci
from opportunity.detectors.price_action import HOT as PRICE_ACTION
from opportunity.detectors.price_action import PriceAction

RECORD = np.dtype([("a", "i1"), ("b", "f8", (20,)), ("c", "i8"), ("d", "f8", (9,))], align=True)


def test_span_is_where_the_fields_lie():
    assert span(RECORD, "a", "a") == (0, 1)
    assert span(RECORD, "b", "c") == (8, 176)
    assert span(RECORD, "d", "d", inside=1_000) == (1_176, 1_248)


@pytest.mark.parametrize("start", range(0, LINE, 8))
def test_lines_reach_every_byte_wherever_a_record_starts(start):
    spans = [span(RECORD, "a", "b"), span(RECORD, "d", "d")]
    asked = {(start + offset) // LINE for offset in lines(*spans).tolist()}
    assert asked == {(start + i) // LINE for begin, end in spans for i in range(begin, end)}


@pytest.mark.parametrize(("detector", "hot"), [(Fibonacci, FIBONACCI), (PriceAction, PRICE_ACTION)])
def test_hot_part_is_inside_the_state_and_leaves_the_events_out(detector, hot):
    events = detector.state_type.fields["events"][1]
    assert hot.min() == 0
    assert hot.max() < events
    assert hot.size * LINE < 0.7 * detector.state_type.itemsize


@pytest.mark.parametrize("detector", DETECTORS)
def test_events_are_the_last_field(detector):
    names = detector.state_type.names
    assert names[-1] == "events"
    assert detector.state_type.fields["n_events"][1] < detector.state_type.fields["events"][1]


def test_asking_changes_nothing_also_behind_the_last_row():
    states = np.zeros(3, RECORD)
    states["b"] = np.arange(60).reshape(3, 20)
    before = states.tobytes()
    rows = np.array([2, 0])
    for k in range(5):
        fetch(states, rows, k, lines(span(RECORD, "a", "d")))
    assert states.tobytes() == before

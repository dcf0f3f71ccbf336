import numpy as np

from opportunity.detectors.events import EVENT, N_EVENTS, N_POINTS, TOUCHED, Kind, read_events
from opportunity.detectors.marks import mark, mark_levels, mark_number, mark_point, mark_zone

STATE = np.dtype([("n_events", "i4"), ("events", EVENT, (N_EVENTS,))], align=True)
KINDS = (Kind("first", "never"), Kind("second", "{side} at {price:.1f}, {x:.1f} {state}", ("A",)))


def test_a_marked_record_reads_as_it_was_written():
    s = np.zeros(1, STATE)[0]
    i = mark(s, 1, -1, TOUCHED, 7, 40, 4000, 0.5)
    mark_point(s, i, 3000, 10.0)
    mark_point(s, i, 4000, 11.0)
    mark_zone(s, i, 12.0, 9.0)
    mark_levels(s, i, 11.0, 12.0, 8.0)
    mark_number(s, i, 1.5, 3.0)
    (event,) = read_events(s["events"][: s["n_events"]], "test", KINDS)
    assert (event.id, event.kind, event.side, event.state) == ("test-7", "second", -1, "touched")
    assert (event.bar, event.time, event.quality, event.scale) == (40, 4000, 0.5, 3.0)
    assert event.points == ((3000, 10.0, "A"), (4000, 11.0, ""))
    assert event.zone == (12.0, 9.0)
    assert (event.entry, event.stop, event.targets) == (11.0, 12.0, (8.0,))
    assert event.text == "Bearish at 11.0, 1.5 touched"


def test_a_new_record_forgets_the_one_that_was_there():
    s = np.zeros(1, STATE)[0]
    i = mark(s, 1, 1, TOUCHED, 1, 1, 1, 1.0)
    mark_point(s, i, 1, 1.0)
    mark_zone(s, i, 2.0, 1.0)
    mark_levels(s, i, 1.0, 1.0, 1.0)
    mark_number(s, i, 1.0, 1.0)
    s["n_events"] = 0
    mark(s, 1, 1, TOUCHED, 2, 2, 2, 1.0)
    (event,) = read_events(s["events"][:1], "test", KINDS)
    assert event.points == ()
    assert (event.zone, event.entry, event.stop, event.targets) == (None, None, None, ())
    assert event.scale is None


def test_what_exceeds_the_room_is_dropped():
    s = np.zeros(1, STATE)[0]
    for serial in range(N_EVENTS):
        assert mark(s, 1, 1, TOUCHED, serial, 1, 1, 1.0) == serial
    before = s.copy()
    i = mark(s, 1, 1, TOUCHED, 99, 1, 1, 1.0)
    mark_point(s, i, 1, 1.0)
    mark_zone(s, i, 2.0, 1.0)
    mark_levels(s, i, 1.0, 1.0, 1.0)
    mark_number(s, i, 1.0, 1.0)
    assert i == -1
    assert s.tolist()[0] == before.tolist()[0] == N_EVENTS
    assert s["events"]["serial"].tolist() == list(range(N_EVENTS))


def test_points_beyond_the_room_are_dropped():
    s = np.zeros(1, STATE)[0]
    i = mark(s, 1, 1, TOUCHED, 1, 1, 1, 1.0)
    for k in range(N_POINTS + 2):
        mark_point(s, i, k, float(k))
    assert s["events"][0]["n_points"] == N_POINTS

import json
import string

import numpy as np
import pytest

from opportunity.detectors import DETECTORS
from opportunity.detectors.events import (
    ACTIVE,
    DONE,
    EVENT,
    EXPIRED,
    FORMING,
    INVALID,
    N_POINTS,
    STATES,
    TOUCHED,
    Kind,
    read_events,
)

HOUR = 3_600_000
ALL_KINDS = [(d, i) for d in DETECTORS for i in range(len(d.kinds))]
KINDS = pytest.mark.parametrize(
    ("detector", "number"), ALL_KINDS, ids=[f"{d.name}-{d.kinds[i].name}" for d, i in ALL_KINDS]
)


def record(**values: object) -> np.ndarray:
    """One kernel record with two points and no levels."""
    event = np.zeros(1, EVENT)
    for name in ("top", "bottom", "entry", "stop", "target"):
        event[name] = np.nan
    event["n_points"] = 2
    event["time"][0, :2] = HOUR, 2 * HOUR
    event["price"][0, :2] = 100.0, 110.5
    for name, value in values.items():
        event[name] = value
    return event


def read(kind: Kind | None = None, **values: object):
    (event,) = read_events(record(**values), "sar", (kind or Kind("Turn", "{side} turn"),))
    return event


@KINDS
@pytest.mark.parametrize("side", [1, -1, 0])
@pytest.mark.parametrize("state", range(len(STATES)), ids=STATES)
@pytest.mark.parametrize("n_points", [0, 1, N_POINTS])
def test_every_kind_can_be_worded(detector, number, side, state, n_points) -> None:
    made = record(
        kind=number, side=side, state=state, n_points=n_points, x=0.618, quality=0.5,
        top=2.0, bottom=1.0,
    )
    (event,) = read_events(made, detector.name, detector.kinds)
    assert event.text.strip() == event.text
    assert event.text
    assert "{" not in event.text
    assert event.kind == detector.kinds[number].name
    assert event.state == STATES[state]
    assert len(event.points) == n_points


@KINDS
def test_kinds_are_described_as_the_reader_needs_them(detector, number) -> None:
    kind = detector.kinds[number]
    fields = {name for _, name, _, _ in string.Formatter().parse(kind.text) if name}
    assert fields <= {"side", "price", "quality", "x", "state"}
    assert len(kind.labels) <= N_POINTS
    told = [(k.name, k.text, k.words) for k in detector.kinds]  # one name may have several texts
    assert len(set(told)) == len(told)


def test_states_are_named_in_the_order_of_their_numbers() -> None:
    numbers = (FORMING, ACTIVE, TOUCHED, DONE, INVALID, EXPIRED)
    assert [STATES[n] for n in numbers] == [
        "forming", "active", "touched", "done", "invalid", "expired",
    ]


def test_every_field_of_a_record_is_read() -> None:
    event = read(
        Kind("Zone", "{side} zone at {price:.1f}, {quality:.0%}, {x:.3f} ({state})", ("A", "B")),
        serial=7, side=-1, state=TOUCHED, scale=3.0, bar=41, known=5 * HOUR, quality=0.8,
        top=12.0, bottom=11.0, entry=11.5, stop=12.5, target=[[10.0, 9.0, np.nan]], x=0.786,
    )
    assert event.id == "sar-7"
    assert (event.detector, event.kind, event.side, event.state) == ("sar", "Zone", -1, "touched")
    assert (event.scale, event.bar, event.time, event.quality) == (3.0, 41, 5 * HOUR, 0.8)
    assert event.points == ((HOUR, 100.0, "A"), (2 * HOUR, 110.5, "B"))
    assert event.zone == (12.0, 11.0)
    assert (event.entry, event.stop, event.targets) == (11.5, 12.5, (10.0, 9.0))
    assert event.text == "Bearish zone at 110.5, 80%, 0.786 (touched)"


def test_what_does_not_apply_is_none() -> None:
    event = read()
    assert (event.scale, event.zone, event.entry, event.stop) == (None,) * 4
    assert event.targets == ()
    assert event.side == 0
    assert event.text == "Neutral turn"


def test_points_without_a_letter_keep_their_place() -> None:
    event = read(Kind("Legs", "", ("A",)))
    assert [label for _, _, label in event.points] == ["A", ""]


def test_letters_beyond_the_points_are_left_out() -> None:
    event = read(Kind("Legs", "", ("A", "B", "C", "D")))
    assert [label for _, _, label in event.points] == ["A", "B"]


def test_order_is_that_of_the_records() -> None:
    several = np.concatenate([record(serial=n, kind=n % 2) for n in (3, 1, 2)])
    events = read_events(several, "sar", (Kind("even", ""), Kind("odd", "")))
    assert [e.id for e in events] == ["sar-3", "sar-1", "sar-2"]
    assert [e.kind for e in events] == ["odd", "odd", "even"]
    assert read_events(several[:0], "sar", ()) == []


def test_dict_holds_plain_values() -> None:
    event = read(top=2.0, bottom=1.0, entry=1.5, scale=2.0)
    body = event.as_dict()
    assert set(body) == set(event.__slots__)
    again = json.loads(json.dumps(body, allow_nan=False))
    assert again["points"] == [[HOUR, 100.0, ""], [2 * HOUR, 110.5, ""]]
    assert again["zone"] == [2.0, 1.0]
    assert again["stop"] is None


def test_levels_that_are_no_price_are_left_out() -> None:
    event = read(entry=-1.0, stop=0.0, target=(-5.0, 3.0, np.nan))
    assert (event.entry, event.stop, event.targets) == (None, None, (3.0,))

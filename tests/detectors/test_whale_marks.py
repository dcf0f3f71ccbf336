import numpy as np

from opportunity.detectors.events import EVENT, N_EVENTS, read_events
from opportunity.detectors.whale_flow import SPELL
from opportunity.detectors.whale_marks import (
    BURST,
    KINDS,
    PROXY,
    TRANSFER,
    follow_spell,
    mark_prints,
    mark_transfer,
    next_serial,
)

STATE = np.dtype(
    [("n", "i8"), ("serial", "i4"), ("n_events", "i4"), ("events", EVENT, (N_EVENTS,))], align=True
)


def fresh():
    s = np.zeros(1, STATE)[0]
    s["n"] = 8
    return s


def seen(s):
    return read_events(s["events"][: s["n_events"]], "whales", KINDS)


def test_words_of_a_trader():
    s = fresh()
    mark_prints(s, 1, 0.62, 0.9, 101.5, 77)
    mark_prints(s, -1, 0.4, 0.9, 101.5, 77)
    mark_transfer(s, -1, 12_345.0, 0.5, 100.0, 77)
    mark_transfer(s, 1, 500.0, 0.5, 100.0, 77)
    mark_transfer(s, 0, 500.0, 0.5, 100.0, 77)
    events = seen(s)
    assert [e.text for e in events] == [
        "Large buys: 62% of the bar's volume above the 99th percentile",
        "Large sells: 40% of the bar's volume above the 99th percentile",
        "Large transfer to an exchange: 12,345 coins",
        "Large transfer out of an exchange: 500 coins",
        "Large transfer, no side: 500 coins",
    ]
    assert [e.id for e in events] == [f"whales-{i}" for i in range(1, 6)]
    assert events[0].points == ((77, 101.5, "largest"),)
    assert (events[0].bar, events[0].time, events[0].side) == (7, 77, 1)
    assert events[2].kind == KINDS[TRANSFER].name


def test_only_the_proxy_says_proxy():
    for number, kind in enumerate(KINDS):
        said = "proxy" in kind.text and "proxy" in kind.badge
        assert said == (number == PROXY)


def test_a_spell_begins_ends_and_turns():
    s, spell = fresh(), np.zeros(1, SPELL)[0]
    told = []
    for side, on, off in [
        (1, False, True), (1, True, False), (1, True, False), (1, False, False), (-1, False, True),
        (-1, True, False), (1, True, False), (1, False, True),
    ]:
        s["n_events"] = 0
        follow_spell(s, spell, BURST, side, on, off, 2.5, 0.4, 100.0, 77)
        told.append([(e.state, e.side, e.id) for e in seen(s)])
    assert told == [
        [], [("active", 1, "whales-1")], [], [], [("done", 1, "whales-1")],
        [("active", -1, "whales-2")],
        [("done", -1, "whales-2"), ("active", 1, "whales-3")], [("done", 1, "whales-3")],
    ]


def test_serials_count():
    s = fresh()
    assert [next_serial(s) for _ in range(3)] == [1, 2, 3]

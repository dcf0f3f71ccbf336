import numpy as np
import pytest

from opportunity.detectors.events import ACTIVE, DONE, EXPIRED, FORMING, TOUCHED, Event, read_events
from opportunity.detectors.harmonic import STATE
from opportunity.detectors.harmonic_candidates import ARMED, PROJECTED
from opportunity.detectors.harmonic_marks import KINDS, mark_candidate, tell
from opportunity.detectors.harmonic_patterns import AB_CD, GARTLEY, N_PATTERNS


def told(condition: int, pattern: int = GARTLEY, close: float = 112.0, **fields: float) -> Event:
    """The event of a bullish candidate with X 100, A 150, B 119, C 138."""
    state = np.zeros(1, STATE)[0]
    state["n"] = 310
    q = state["candidates"][0]
    q["stage"], q["pattern"], q["side"], q["serial"] = PROJECTED, pattern, 1, 5
    q["price"], q["time"], q["d_time"] = (100.0, 150.0, 119.0, 138.0), (1, 2, 3, 4), 8
    q["near"], q["far"], q["stop"], q["d"], q["quality"] = 25.3, 29.3, 38.25, 20.0, 0.75
    for name, value in fields.items():
        q[name] = value
    mark_candidate(state, 0, condition, 3.0, 9, close)
    return read_events(state["events"][: state["n_events"]], "harmonic", KINDS)[0]


def test_projected_pattern_shows_where_d_is_expected():
    event = told(FORMING)
    assert event.points[:4] == ((1, 100.0, "X"), (2, 150.0, "A"), (3, 119.0, "B"), (4, 138.0, "C"))
    assert event.points[4] == (9, pytest.approx(110.7), "D")
    assert event.zone == pytest.approx((112.7, 108.7))
    assert event.stop == 99.75
    assert event.entry is None
    assert event.targets == pytest.approx((110.7 + 0.382 * 39.3, 110.7 + 0.618 * 39.3))
    assert (event.bar, event.time, event.scale, event.quality) == (309, 9, 3.0, 0.75)
    assert event.text == "Bullish Gartley, D at 0.786 of XA, forming at 110.7"


def test_armed_pattern_shows_the_extreme_so_far():
    event = told(ACTIVE, stage=ARMED, d=26.0)
    assert event.points[4] == (8, 112.0, "D")
    assert event.text == "Bullish Gartley, D at 0.760 of XA, active at 112"


def test_done_pattern_has_an_entry_and_only_targets_ahead_of_it():
    event = told(DONE, d=27.0, close=113.0)
    assert event.entry == 113.0
    assert event.targets == pytest.approx((111 + 0.382 * 39, 111 + 0.618 * 39))
    assert told(DONE, d=27.0, close=130.0).targets == pytest.approx((111 + 0.618 * 39,))


def test_reached_target_is_a_point_of_its_own():
    event = told(TOUCHED, d=27.0, reached=1)
    assert event.points[-1] == (9, pytest.approx(111 + 0.382 * 39), "T")
    assert event.targets == pytest.approx((111 + 0.618 * 39,))
    assert told(TOUCHED, d=27.0, reached=2).targets == ()


def test_ended_pattern_has_no_levels_left():
    event = told(EXPIRED)
    assert (event.entry, event.stop, event.targets) == (None, None, ())


def test_ab_cd_has_no_x():
    event = told(FORMING, AB_CD)
    assert [label for _, _, label in event.points] == list("ABCD")
    assert event.points[0] == (2, 150.0, "A")


def test_every_pattern_has_its_own_words():
    assert len(KINDS) == N_PATTERNS
    assert len({k.name for k in KINDS}) == N_PATTERNS
    assert len({k.badge for k in KINDS} - {""}) == N_PATTERNS
    assert all(len(k.badge) <= 13 for k in KINDS)


def test_news_are_told_once():
    state = np.zeros(1, STATE)[0]
    state["n"] = 310
    q = state["candidates"][3]
    q["price"], q["side"], q["news"], q["serial"] = (100.0, 150.0, 119.0, 138.0), 1, ACTIVE + 1, 2
    tell(state, (1.5, 3.0, 6.0), 9, 112.0)
    tell(state, (1.5, 3.0, 6.0), 9, 112.0)
    assert state["n_events"] == 1
    assert state["events"][0]["scale"] == 1.5

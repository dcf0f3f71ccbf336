import numpy as np
import pytest

from opportunity.detectors.events import DONE, EVENT, EXPIRED, STATES
from opportunity.detectors.harmonic import STATE
from opportunity.detectors.harmonic_candidates import (
    ARMED,
    COMPLETE,
    FREE,
    N_CANDIDATES,
    PER_SCALE,
    PROJECTED,
)
from opportunity.detectors.harmonic_patterns import AB_CD, BAT, CRAB, GARTLEY
from opportunity.detectors.harmonic_slots import (
    age,
    combine_speaking,
    is_quiet,
    outranks,
    settle,
    take_slot,
    watch,
)

SCALES = (1.5, 3.0, 6.0)


def new_state():
    state = np.zeros(1, STATE)[0]
    state["n"] = 300
    return state


def fill(state, i: int, stage: int, pattern: int = GARTLEY, side: int = 1, **fields: float):
    """Put a candidate into a slot: C at 138, A at 150, zone 25.3 to 29.3 below C."""
    q = state["candidates"][i]
    q["stage"], q["pattern"], q["side"], q["serial"] = stage, pattern, side, i + 1
    q["price"] = (100.0, 150.0, 119.0, 138.0)
    q["near"], q["far"], q["stop"], q["d"] = 25.3, 29.3, 38.25, 27.0
    q["quality"], q["fade"], q["expires"], q["d_bar"] = 0.8, 1.0, 400, 290 + i
    q["c_bar"] = 200 + i
    q["p"] = 0.3 * 0.8 if stage >= ARMED else 0.0
    for name, value in fields.items():
        q[name] = value
    return q


def told(state) -> list[tuple[int, str]]:
    return [
        (int(e["serial"]), STATES[e["state"]]) for e in state["events"][: state["n_events"]]
    ]


def test_patterns_of_the_same_turns_end_when_one_is_done():
    state = new_state()
    fill(state, 0, COMPLETE, BAT, c_bar=200, news=DONE + 1)
    fill(state, 1, PROJECTED, CRAB, c_bar=200)
    fill(state, 2, PROJECTED, CRAB, c_bar=201)  # of other turns
    fill(state, 3, PROJECTED, AB_CD, c_bar=200)  # needs no X
    fill(state, 4, PROJECTED, CRAB, c_bar=200, side=-1)
    fill(state, PER_SCALE, PROJECTED, CRAB, c_bar=200)  # of another scale
    settle(state, SCALES, 0, 112.0)
    assert told(state) == [(1, "done"), (2, "expired")]
    stages = state["candidates"]["stage"]
    assert stages[[0, 2, 3, 4, PER_SCALE]].tolist() == [COMPLETE] + [PROJECTED] * 4
    assert stages[1] == FREE


@pytest.mark.parametrize(
    ("first", "second", "winner"),
    [
        ({"quality": 0.7}, {"quality": 0.8}, 1),
        ({"quality": 0.8}, {"quality": 0.7}, 0),
        ({"quality": 0.5}, {"pattern": AB_CD, "quality": 0.9}, 0),
        ({"quality": 0.8}, {"quality": 0.8}, 1),  # the larger scale
    ],
)
def test_one_d_has_one_done_pattern(first, second, winner):
    state = new_state()
    fill(state, 0, COMPLETE, **{"d_bar": 290, "news": DONE + 1, **first})
    fill(state, 2 * PER_SCALE, COMPLETE, **{"d_bar": 290, "news": DONE + 1, **second})
    settle(state, SCALES, 0, 112.0)
    words = {serial: word for serial, word in told(state)}
    serials = (1, 2 * PER_SCALE + 1)
    assert words == {serials[winner]: "done", serials[1 - winner]: "expired"}


def test_armed_candidates_of_one_d_speak_with_one_voice():
    state = new_state()
    fill(state, 0, ARMED, d_bar=290, quality=0.9)
    fill(state, 1, ARMED, d_bar=290, quality=0.8)
    fill(state, 2, ARMED, d_bar=291, quality=0.7)
    fill(state, 3, ARMED, d_bar=290, quality=0.6, side=-1)
    watch(state)
    assert state["candidates"]["p"][:4] == pytest.approx([0.27, 0.0, 0.21, 0.18])
    assert state["candidates"]["stage"][1] == ARMED


def test_done_pattern_silences_an_armed_one_of_the_same_d():
    state = new_state()
    fill(state, 0, COMPLETE, AB_CD, d_bar=290, quality=0.5)
    fill(state, 1, ARMED, d_bar=290, quality=0.9)
    watch(state)
    assert state["candidates"]["p"][1] == 0
    assert outranks(state["candidates"][0], state["candidates"][1])


def test_quiet_bar_is_one_inside_all_triggers():
    state = new_state()
    fill(state, 0, PROJECTED)  # ends above 138, arms at 112.7
    watch(state)
    assert is_quiet(state, 300, 137.9, 112.8)
    assert not is_quiet(state, 300, 138.1, 120.0)
    assert not is_quiet(state, 300, 120.0, 112.7)
    assert not is_quiet(state, 400, 120.0, 119.0)
    fill(state, 1, COMPLETE, d=27.0, reached=0)  # first target at 111 + 0.382 * 39 = 125.9
    watch(state)
    assert not is_quiet(state, 300, 125.9, 120.0)
    assert is_quiet(state, 300, 125.8, 120.0)
    fill(state, 2, ARMED)
    watch(state)
    assert not is_quiet(state, 300, 120.0, 119.0)


def test_triggers_of_a_bearish_candidate_mirror_those_of_a_bullish_one():
    state = new_state()
    q = fill(state, 0, PROJECTED, side=-1)
    q["price"] = (176.0, 126.0, 157.0, 138.0)
    watch(state)
    assert is_quiet(state, 300, 163.2, 138.1)
    assert not is_quiet(state, 300, 163.3, 150.0)
    assert not is_quiet(state, 300, 150.0, 137.9)


def test_no_candidate_means_every_bar_is_quiet():
    state = new_state()
    watch(state)
    assert is_quiet(state, 10**9, 1e300, 1e-300)
    assert combine_speaking(state, 0.6) == (0.0, 0.0)


def test_evidence_fades_by_its_half_life_and_asks_for_a_look_when_gone():
    state = new_state()
    q = fill(state, 0, COMPLETE, p=0.32, fade=0.5)
    armed = fill(state, 1, ARMED)
    watch(state)
    state["until"] = 900
    for _ in range(4):
        age(state)
    assert q["p"] == pytest.approx(0.02)
    assert state["until"] == 900
    age(state)
    assert q["p"] == 0
    assert state["until"] == 0
    assert armed["p"] == pytest.approx(0.24)


def test_opposite_sides_cancel_and_agreeing_ones_add():
    state = new_state()
    fill(state, 0, COMPLETE, p=0.5)
    fill(state, 1, COMPLETE, p=0.5, side=-1)
    watch(state)
    score, confidence = combine_speaking(state, 0.6)
    assert score == 0
    assert confidence == pytest.approx(0.6 * 0.75 * 0.5)
    state["candidates"][1]["side"] = 1
    assert combine_speaking(state, 0.6) == pytest.approx((0.75, 0.45))


def test_full_scale_gives_the_slot_of_its_least_candidate():
    state = new_state()
    for i in range(PER_SCALE):
        fill(state, i, PROJECTED, quality=0.9)
    fill(state, 3, PROJECTED, AB_CD, quality=0.9)
    fill(state, 5, COMPLETE, p=0.4)
    assert take_slot(state, 0, 0.04, 1.5, 0, 112.0) == -1  # AB=CD is worth 0.045
    assert told(state) == []
    assert take_slot(state, 0, 0.05, 1.5, 0, 112.0) == 3
    assert told(state) == [(4, "expired")]
    fill(state, 3, PROJECTED, quality=0.9)
    assert take_slot(state, 0, 0.1, 1.5, 0, 112.0) == 0  # of equals the oldest
    assert take_slot(state, 1, 0.0, 3.0, 0, 112.0) == PER_SCALE


def test_more_than_twice_the_slots_are_survived():
    state = new_state()
    for i in range(3 * PER_SCALE):
        slot = take_slot(state, 0, 0.01 * (i + 1), 1.5, 0, 112.0)
        assert 0 <= slot < PER_SCALE
        fill(state, slot, PROJECTED, quality=0.1 * (i + 1))
        state["n_events"] = 0
    kept = np.sort(state["candidates"]["quality"][:PER_SCALE])
    np.testing.assert_allclose(kept, 0.1 * np.arange(2 * PER_SCALE + 1, 3 * PER_SCALE + 1))
    assert (state["candidates"]["stage"][PER_SCALE:] == FREE).all()


def test_what_matters_most_is_told_first_when_events_run_out():
    state = new_state()
    for i in range(PER_SCALE):
        fill(state, i, FREE, news=EXPIRED + 1)
    for i in range(PER_SCALE, N_CANDIDATES):
        fill(state, i, COMPLETE, news=DONE + 1)
    settle(state, SCALES, 0, 112.0)
    assert {word for _, word in told(state)} == {"done"}
    assert state["n_events"] == len(state["events"])
    assert state["events"].dtype == EVENT


def test_what_finds_no_room_is_told_on_the_next_bar():
    state = new_state()
    for i in range(PER_SCALE):
        fill(state, i, FREE, news=EXPIRED + 1)
    for i in range(PER_SCALE, 2 * PER_SCALE - 1):
        fill(state, i, COMPLETE, news=DONE + 1)
    settle(state, SCALES, 0, 112.0)
    watch(state)
    assert told(state)[-1] == (1, "expired")
    assert not is_quiet(state, 300, 120.0, 119.0)
    assert take_slot(state, 0, 0.0, 1.5, 0, 112.0) == 0  # its end has been told
    fill(state, 0, PROJECTED, quality=0.9)
    assert take_slot(state, 0, 1.0, 1.5, 0, 112.0) == 0  # the only one that can go
    state["n"], state["n_events"] = 301, 0
    settle(state, SCALES, 0, 112.0)
    watch(state)
    assert told(state) == [(i + 1, "expired") for i in range(1, PER_SCALE)]
    assert (state["candidates"]["news"] == 0).all()
    assert is_quiet(state, 301, 120.0, 119.0)

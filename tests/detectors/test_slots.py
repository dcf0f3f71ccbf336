import numpy as np
import pytest

from opportunity.detectors.breakouts import BREAKOUT
from opportunity.detectors.evidence import drop
from opportunity.detectors.price_action import STATE
from opportunity.detectors.slots import N_ITEMS, age_slots, combine_slots, put


@pytest.fixture
def state():
    s = np.zeros(1, STATE)[0]
    age_slots(s)
    return s


def add(s, serial, quality=1.0, side=1):
    return put(s, side, 0.5, quality, 24.0, BREAKOUT, serial, serial, serial)


def test_the_first_slot_is_left_alone(state):
    slots = [add(state, i) for i in range(N_ITEMS - 1)]
    assert slots == list(range(1, N_ITEMS))
    assert add(state, 99, quality=0.1) == -1
    assert state["items"]["alive"].tolist() == [0] + [1] * (N_ITEMS - 1)


def test_an_overflow_takes_the_weakest(state):
    for i in range(N_ITEMS - 1):
        add(state, i, quality=0.2 + i / 100)
    assert add(state, 99) == 1
    assert state["items"]["serial"][1] == 99


def test_what_is_looked_at_shrinks_with_the_list(state):
    for i in range(5):
        add(state, i)
    assert state["used"] == 6
    for slot in (2, 4, 5):
        drop(state["items"], slot)
    age_slots(state)
    assert state["used"] == 4
    assert state["items"]["age"][[1, 3]].tolist() == [1, 1]
    assert add(state, 9) == 2


def test_combining_looks_at_all_that_lives(state):
    add(state, 1)
    add(state, 2, side=-1)
    assert combine_slots(state, 1.0) == (0.0, 0.75 * 0.5)
    state["items"]["alive"][0] = 1  # the trend
    state["items"]["side"][0] = 1
    state["items"]["p"][0] = 0.5
    assert combine_slots(state, 1.0)[0] == 0.25

import numpy as np
import pytest

from opportunity.detectors.evidence import ITEM, age_items, combine, drop, place
from opportunity.detectors.leg_items import (
    N_ITEMS,
    age_live,
    combine_live,
    end_item,
    is_live,
    item_slot,
    put_item,
)
from opportunity.kernels import kernel

LIST = np.dtype([("n", "i8"), ("live", "i8"), ("items", ITEM, (N_ITEMS,))], align=True)


@kernel
def put(states, slot, side, weight, quality, half_life):
    put_item(states[0], slot, side, weight, quality, half_life, 0, 0, 1)


@kernel
def end(states, slot):
    end_item(states[0], slot)


@kernel
def age(states):
    age_live(states[0])


@kernel
def total(states, c_max):
    return combine_live(states[0], c_max)


@kernel
def live(states, slot):
    return is_live(states[0], slot)


def test_every_leg_has_two_slots_of_its_own():
    slots = [item_slot(j, i, w) for j in range(2) for i in range(N_ITEMS // 4) for w in range(2)]
    assert slots == list(range(N_ITEMS))


def test_it_equals_the_plain_list_bit_for_bit():
    rng = np.random.default_rng(3)
    states, plain = np.zeros(1, LIST), np.zeros(N_ITEMS, ITEM)
    for _ in range(2_000):
        age(states)
        age_items(plain)
        slot = int(rng.integers(N_ITEMS))
        if rng.random() < 0.3:
            end(states, slot)
            drop(plain, slot)
        else:
            item = (int(rng.choice([-1, 1])), 0.5, rng.random(), rng.choice([0.0, 4.0, 20.0]))
            put(states, slot, *item)
            drop(plain, slot)
            place(plain[slot : slot + 1], *item, 0, 0, 0, 1)
        assert total(states, 0.45) == combine(plain, 0.45)
        assert [live(states, i) for i in range(N_ITEMS)] == (plain["alive"] != 0).tolist()


@pytest.mark.parametrize("quality", [0.0, 0.01])
def test_what_is_too_weak_leaves_the_slot_empty(quality):
    states = np.zeros(1, LIST)
    put(states, 4, 1, 0.5, 1.0, 8.0)
    assert live(states, 4)
    put(states, 4, 1, 0.5, quality, 8.0)
    assert not live(states, 4)
    assert total(states, 0.45) == (0.0, 0.0)

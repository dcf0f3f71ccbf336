import numpy as np
import pytest

from opportunity.detectors.evidence import (
    ITEM,
    WEAKEST,
    age_items,
    combine,
    drop,
    place,
    revalue,
)


def put(items, side=1, weight=0.5, quality=1.0, half_life=10.0, bar=0, serial=1):
    return place(items, side, weight, quality, half_life, 0, bar, 0, serial)


def formula(up, down, c_max):
    """The text's formula on lists of strengths."""
    p, n = 1 - np.prod([1 - x for x in up]), 1 - np.prod([1 - x for x in down])
    if max(p, n) == 0:
        return 0.0, 0.0
    return p - n, c_max * (1 - (1 - p) * (1 - n)) * (1 - 0.5 * min(p, n) / max(p, n))


def test_no_evidence_is_no_score_and_no_confidence():
    assert combine(np.zeros(4, ITEM), 0.6) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("up", "down"),
    [([0.5], []), ([], [0.5]), ([0.3, 0.4], []), ([0.5], [0.5]), ([0.9, 0.2, 0.1], [0.3])],
)
def test_items_combine_by_the_formula(up, down):
    items = np.zeros(6, ITEM)
    for p in up:
        put(items, 1, p)
    for p in down:
        put(items, -1, p)
    np.testing.assert_allclose(combine(items, 0.6), formula(up, down, 0.6), rtol=1e-14)


def test_agreeing_items_add_with_saturation_and_opposing_ones_cost_confidence():
    items = np.zeros(3, ITEM)
    put(items, 1, 0.6)
    single = combine(items, 1.0)
    put(items, 1, 0.6)
    double = combine(items, 1.0)
    assert single[0] < double[0] == pytest.approx(0.84)
    put(items, -1, 0.84)
    score, confidence = combine(items, 1.0)
    assert score == pytest.approx(0)
    assert confidence < double[1]


def test_exchanging_the_sides_negates_the_score_bit_for_bit():
    rng = np.random.default_rng(1)
    for _ in range(200):
        items = np.zeros(8, ITEM)
        for _ in range(rng.integers(1, 9)):
            put(items, rng.choice([-1, 1]), rng.random(), rng.random())
        score, confidence = combine(items, 0.45)
        items["side"] = -items["side"]
        assert combine(items, 0.45) == (-score, confidence)
        assert -1 <= score <= 1
        assert 0 <= confidence <= 0.45


def test_strength_halves_with_the_half_life_and_leaves_when_weak():
    items = np.zeros(2, ITEM)
    put(items, 1, 0.5, 0.8, half_life=10.0)
    for age in range(1, 44):
        age_items(items)
        assert items[0]["p"] == pytest.approx(0.4 * 2 ** (-age / 10), rel=1e-12)
    assert items[0]["alive"] == 1
    age_items(items)  # 0.4 * 2 ** -4.4 < 0.02
    assert items[0]["alive"] == 0
    assert combine(items, 0.6) == (0.0, 0.0)


def test_half_life_of_zero_does_not_decay():
    items = np.zeros(1, ITEM)
    put(items, 1, 0.5, 0.5, half_life=0.0)
    for _ in range(1000):
        age_items(items)
    assert items[0]["p"] == 0.25
    assert items[0]["age"] == 1000


def test_full_list_gives_up_its_weakest_and_of_equals_the_oldest():
    items = np.zeros(3, ITEM)
    for serial, (weight, bar) in enumerate([(0.5, 7), (0.3, 9), (0.3, 8)]):
        assert put(items, 1, weight, bar=bar, serial=serial) == serial
    assert put(items, 1, 0.2, bar=10, serial=3) == -1
    assert items["serial"].tolist() == [0, 1, 2]
    assert put(items, -1, 0.3, bar=10, serial=4) == 2
    assert put(items, -1, 0.9, bar=10, serial=5) == 1
    assert items["serial"].tolist() == [0, 5, 4]


def test_twice_as_many_items_as_slots_leave_the_strongest():
    items = np.zeros(8, ITEM)
    weights = np.random.default_rng(2).permutation(np.linspace(0.1, 0.9, 16))
    for weight in weights:
        put(items, 1, weight)
    assert sorted(items["p"]) == sorted(weights)[8:]


def test_too_weak_an_item_is_not_placed():
    items = np.zeros(1, ITEM)
    assert put(items, 1, 0.5, WEAKEST / 0.5 * 0.99) == -1
    assert put(items, 1, 0.5, WEAKEST / 0.5 * 1.01) == 0


def test_dropped_slot_is_used_again_without_memory():
    items = np.zeros(2, ITEM)
    put(items, serial=1)
    items[0]["level"] = 5.0
    drop(items, 0)
    assert put(items, -1, serial=2) == 0
    assert np.isnan(items[0]["level"])
    assert items[0]["age"] == 0


def test_revalued_item_keeps_its_age():
    items = np.zeros(1, ITEM)
    put(items, 1, 0.5, 1.0, half_life=10.0)
    for _ in range(10):
        age_items(items)
    revalue(items, 0, 0.5)
    assert items[0]["p"] == pytest.approx(0.125)
    revalue(items, 0, 0.01)
    assert items[0]["alive"] == 0

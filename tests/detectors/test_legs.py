from itertools import pairwise

import numpy as np
import pytest
from builders import path_bars

from opportunity.detectors.legs import (
    BOOK,
    CONFIRMED,
    CREATED,
    DEAD,
    EXCEEDED,
    EXTENDED,
    LEG,
    LIVE,
    N_LEGS,
    OLD,
    RESTARTED,
    SET,
    follow_legs,
)
from opportunity.detectors.swings import SWINGS, swings_step
from opportunity.kernels import kernel
from opportunity.market.bars import Bars

STREAM = np.dtype([("serial", "i8"), ("book", BOOK), ("swings", SWINGS)], align=True)


@kernel
def drive(streams, time, values, atr, max_age, out):
    s = streams[0]
    for n in range(time.size):
        h, low, c = values[n, 1], values[n, 2], values[n, 3]
        turned = swings_step(s.swings, 3.0, n, time[n], c, h, low, c, atr)
        follow_legs(s, s.book, s.swings, turned, 4.0, max_age, n, time[n], h, low, c, atr)
        for i in range(N_LEGS):
            out[n, i] = s.book.legs[i]


def legs_of(bars: Bars, max_age: int = 300) -> np.ndarray:
    """All slots after every bar, with an ATR of 1 throughout."""
    out = np.zeros((len(bars), N_LEGS), LEG)
    drive(np.zeros(1, STREAM), bars.time, bars.values, 1.0, max_age, out)
    return out


def alive(row: np.ndarray) -> np.ndarray:
    used = row[(row["status"] >= LIVE) & (row["status"] <= EXTENDED)]
    return used[np.argsort(used["serial"])]


def rise_and_fall(*points: float) -> Bars:
    """Down to 100 (a pivot low at bar 20), then one unit a bar through the points."""
    path = [120.0, 100.0, *points]
    return path_bars(path, steps=[int(abs(b - a)) for a, b in pairwise(path)])


def test_leg_lives_as_soon_as_it_spans_enough():
    row = legs_of(rise_and_fall(104))[-1]
    leg = alive(row)[-1]
    assert (leg["side"], leg["status"]) == (1, LIVE)
    assert (leg["a"]["price"], leg["b"]["price"]) == (100, 104)
    up = [x for x in legs_of(rise_and_fall(103))[-1] if x["side"] > 0 and x["status"]]
    assert up == []


def test_new_extreme_moves_b_and_keeps_the_serial():
    rows = legs_of(rise_and_fall(104, 102, 110))
    first = alive(rows[24])[-1]
    last = alive(rows[-1])[-1]
    assert first["news"] & CREATED
    assert last["news"] & RESTARTED
    assert first["serial"] == last["serial"]
    assert last["b"]["price"] == 110


def test_confirmed_pivot_sets_the_leg_and_begins_c():
    rows = legs_of(rise_and_fall(120, 117))
    leg = [x for x in alive(rows[-1]) if x["side"] > 0][-1]
    assert leg["status"] == SET
    assert leg["news"] & CONFIRMED
    assert leg["c"]["price"] == 117
    deeper = [x for x in alive(legs_of(rise_and_fall(120, 110))[-1]) if x["side"] > 0][-1]
    assert deeper["serial"] == leg["serial"]
    assert deeper["c"]["price"] == 110


def test_exceeded_leg_is_extended_and_keeps_c():
    bars = rise_and_fall(120, 110, 125)
    rows = legs_of(bars)
    at = 20 + 20 + 10 + 11
    leg = next(x for x in rows[at] if x["news"] & EXCEEDED)
    assert leg["status"] == EXTENDED
    assert leg["pinned"] == 1
    assert leg["c"]["price"] == 110
    assert {x["status"] for x in alive(rows[-1]) if x["side"] > 0} == {EXTENDED, LIVE}


def test_leg_ends_on_a_close_beyond_its_start():
    rows = legs_of(rise_and_fall(120, 99))
    up = [x for x in rows[-1] if x["side"] > 0 and x["status"] == DEAD]
    assert [x["a"]["price"] for x in up] == [100]
    assert all(x["status"] != DEAD for x in rows[-2])


def test_leg_ends_of_age_counted_from_its_extreme():
    bars = path_bars([120, 100, 120, 118, 118], steps=[20, 20, 2, 30])
    rows = legs_of(bars, max_age=25)
    ended = [n for n in range(len(bars)) if (rows[n]["status"] == OLD).any()]
    assert ended[-1] == 40 + 26
    assert alive(rows[-1]).size == 0  # and does not come back without a new extreme


def test_extension_ends_beyond_its_last_target():
    rows = legs_of(rise_and_fall(120, 110, 180))
    ended = [x for row in rows for x in row if x["status"] == OLD and x["a"]["price"] == 100]
    assert len(ended) == 1
    assert ended[0]["c"]["price"] == 110


@pytest.mark.parametrize("seed", range(3))
def test_book_holds_at_most_three_living_legs(seed):
    turns = 100 + np.cumsum(np.random.default_rng(seed).integers(4, 20, 200) * ([1, -1] * 100))
    path = [float(p) for p in np.maximum(turns, 20)]
    steps = [max(1, int(abs(b - a))) for a, b in pairwise(path)]
    rows = legs_of(path_bars(path, steps=steps))
    counts = [alive(row).size for row in rows]
    assert max(counts) == 3
    for row in rows:
        assert sum(row["status"] == LIVE) <= 1
        for leg in alive(row):
            assert leg["side"] * (leg["b"]["price"] - leg["a"]["price"]) >= 4

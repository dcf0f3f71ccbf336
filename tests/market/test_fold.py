import numpy as np
import pytest

from opportunity.market.fold import FORMING, check, expire, fold, fresh, room

HOUR = 3_600_000


def run(state, rows, times, values, lengths=(HOUR, 4 * HOUR)):
    out = room(2 * len(rows) * len(lengths))
    n = fold(
        state, np.array(rows), np.array(times), np.array(values, float), np.array(lengths),
        np.zeros(len(lengths), np.int64), *out,
    )
    return [tuple(x.tolist() for x in (a[i] for a in out)) for i in range(n)]


def test_fold_by_hand():
    state = fresh(1, 2)
    bars = [[10, 12, 9, 11, 1], [11, 15, 10, 14, 2], [14, 14, 8, 9, 4], [9, 10, 9, 10, 8]]
    closed = run(state, [0] * 4, [0, HOUR, 2 * HOUR, 3 * HOUR], bars)
    assert closed[:4] == [(0, 0, i * HOUR, [float(x) for x in bars[i]], 1) for i in range(4)]
    assert closed[4:] == [(0, 1, 0, [10.0, 15.0, 8.0, 10.0, 15.0], 4)]
    assert state[0, 1]["count"] == 0


def test_a_gap_closes_the_bar_before_it_first():
    state = fresh(1, 2)
    ones = [1.0] * 5
    assert len(run(state, [0], [0], [ones])) == 1
    closed = run(state, [0], [7 * HOUR], [ones])  # also the last constituent of its own bar
    assert [(c[1], c[2], c[4]) for c in closed] == [(0, 7 * HOUR, 1), (1, 0, 1), (1, 4 * HOUR, 1)]


def test_room_is_enough_when_every_bar_closes_two(make):
    state, ones = fresh(3, 2), [[1.0] * 5] * 3
    run(state, [0, 1, 2], [0] * 3, ones)
    assert len(run(state, [0, 1, 2], [7 * HOUR] * 3, ones)) == 9 <= room(12)[0].size


def test_expire_leaves_what_is_still_open():
    state = fresh(2, 2)
    run(state, [0, 1], [0, 4 * HOUR], [[1.0] * 5] * 2)
    lengths, out = np.array([HOUR, 4 * HOUR]), room(4)
    assert expire(state, 4 * HOUR - 1, lengths, *out) == 0
    assert expire(state, 4 * HOUR, lengths, *out) == 1
    assert (out[0][0], out[1][0], out[2][0]) == (0, 1, 0)
    assert state[1, 1]["count"] == 1


def test_expire_takes_a_time_for_each_row():
    state = fresh(3, 2)
    run(state, [0, 1, 2], [0] * 3, [[1.0] * 5] * 3)
    lengths, out = np.array([HOUR, 4 * HOUR]), room(6)
    limits = np.array([4 * HOUR - 1, 4 * HOUR, 9 * HOUR])
    assert expire(state, limits, lengths, *out) == 2
    assert out[0][:2].tolist() == [1, 2]
    assert state["count"][:, 1].tolist() == [1, 0, 0]


@pytest.mark.parametrize(
    ("rows", "times", "place"),
    [([0, 1], [5, 5], -1), ([0, 0], [5, 6], -1), ([0, 2], [5, 5], 1), ([-1], [5], 0),
     ([0, 0], [5, 5], 1), ([1], [4], 0), ([1], [3], 0)],
)  # fmt: skip
def test_check_finds_the_first_bar_that_may_not_come(rows, times, place):
    state = fresh(2, 2)
    state[:, 0]["closed"] = 4 * HOUR
    found = check(state, np.array(rows), np.array(times) * HOUR, HOUR, 0, np.empty(2, np.int64))
    assert found == place
    assert (state[:, 0]["closed"] == 4 * HOUR).all()


def test_check_finds_what_is_off_grid():
    state = fresh(1, 1)
    times = np.array([HOUR + 1])
    assert check(state, np.zeros(1, np.int64), times, HOUR, 0, np.empty(1, np.int64)) == 0
    assert check(state, np.zeros(1, np.int64), times, HOUR, 1, np.empty(1, np.int64)) == -1


def test_a_fresh_state_forms_nothing():
    state = fresh(2, 3)
    assert state.dtype == FORMING
    assert not state["count"].any()
    assert (state["closed"] < -(10**15)).all()

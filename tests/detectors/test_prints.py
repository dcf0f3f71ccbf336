import numpy as np
import pytest

from opportunity.detectors.print_sizes import LEAST
from opportunity.detectors.prints import (
    MINUTE,
    TAPE,
    add_minute,
    clear_minute,
    first_bad,
    fold_prints,
)

START = 1_600_000_020_000 // 60_000 * 60_000


def fold(prints, cuts=()):
    """Fold (ms, price, amount, side) rows, in several pieces if cut; return the minutes."""
    rows = np.array(prints, dtype=np.float64).reshape(-1, 4)
    tape = np.zeros(1, TAPE)[0]
    minutes, bins = np.zeros(len(rows) + 1, MINUTE), np.zeros(len(rows) + 1, np.uint16)
    n = n_prints = 0
    for a, b in zip([0, *cuts], [*cuts, len(rows)], strict=True):
        part = rows[a:b]
        n, n_prints = fold_prints(
            tape, minutes, n, bins, 0, n_prints, part[:, 0].astype(np.int64), part[:, 1].copy(),
            part[:, 2].copy(), part[:, 3].astype(np.int8),
        )  # fmt: skip
    return minutes[:n]


def usual(n=LEAST, amount=1.0, start=START):
    """Prints of one size, one a second, sides in turn."""
    return [(start + 1_000 * i, 10.0, amount, 1 if i % 2 else -1) for i in range(n)]


def test_volume_goes_to_its_minute_and_side():
    minutes = fold([
        (START, 10, 1, 1), (START + 59_999, 11, 2, -1), (START + 60_000, 12, 4, 1),
        (START + 200_000, 9, 8, -1),
    ])
    assert (minutes["time"] - START).tolist() == [0, 60_000, 180_000]
    assert minutes["buy"].tolist() == [1, 4, 0]
    assert minutes["sell"].tolist() == [2, 0, 8]
    assert minutes["largest"].tolist() == [-2, 4, -8]
    assert minutes["price"].tolist() == [11, 12, 9]
    assert minutes["count"].tolist() == [2, 1, 1]


def test_prints_of_one_side_and_millisecond_are_one():
    minutes = fold([
        (START, 10, 1, 1), (START, 11, 5, -1), (START, 12, 2, 1), (START, 13, 4, 1),
        (START + 1, 14, 3, 1),
    ])
    assert minutes["count"].tolist() == [3]  # 7 bought, 5 sold, 3 bought
    assert minutes["largest"].tolist() == [7]
    assert minutes["price"].tolist() == [13]
    assert (minutes["buy"][0], minutes["sell"][0]) == (10, 5)


def test_a_lone_giant_print_is_large_and_the_usual_ones_are_not():
    before = usual()
    after = before[-1][0] // 60_000 * 60_000 + 60_000
    minutes = fold([*before, (after, 10, 0.5, 1), (after + 5, 10, 500, -1), (after + 9, 10, 1, 1)])
    assert (minutes["threshold"][:-1] == 0).all()  # too few prints until then
    assert 1 < minutes["threshold"][-1] < 1.1
    assert (minutes["large_buy"] == 0).all()
    assert minutes["large_sell"].tolist() == [0] * (len(minutes) - 1) + [500]
    assert minutes["largest"][-1] == -500


def test_parts_of_one_order_are_large_together():
    before = usual()
    after = before[-1][0] // 60_000 * 60_000 + 60_000
    parts = [(after + 7, 10, 0.6, 1), (after + 7, 10, 9, -1), (after + 7, 10, 0.9, 1),
             (after + 7, 10, 0.25, 1)]
    last = fold([*before, *parts])[-1]
    assert last["large_buy"] == 1.75  # the first part alone was not
    assert last["large_sell"] == 9


def test_minutes_do_not_depend_on_how_the_tape_is_cut():
    rng = np.random.default_rng(3)
    time = START + np.sort(rng.integers(0, 900_000, 4_000)) // 7 * 7  # many in one millisecond
    rows = np.column_stack([
        time, rng.uniform(9, 11, 4_000), np.exp(rng.normal(0, 1.5, 4_000)),
        np.where(rng.random(4_000) < 0.5, 1, -1),
    ])
    whole = fold(rows)
    parts = fold(rows, cuts=np.sort(rng.integers(0, 4_000, 60)).tolist())
    assert whole.tobytes() == parts.tobytes()
    assert whole["large_buy"].sum() > 0


def test_swapped_sides_swap_everything():
    rng = np.random.default_rng(4)
    time = START + np.sort(rng.integers(0, 600_000, 3_000))
    amount, side = np.exp(rng.normal(0, 1.5, 3_000)), np.where(rng.random(3_000) < 0.6, 1, -1)
    rows = np.column_stack([time, np.full(3_000, 10.0), amount, side])
    one, other = fold(rows), fold(rows * [1, 1, 1, -1])
    for a, b in (("buy", "sell"), ("large_buy", "large_sell")):
        np.testing.assert_array_equal(one[a], other[b])
        np.testing.assert_array_equal(one[b], other[a])
    np.testing.assert_array_equal(one["largest"], -other["largest"])
    np.testing.assert_array_equal(one["threshold"], other["threshold"])


@pytest.mark.parametrize(
    ("column", "bad"), [(0, START - 1), (1, 0.0), (1, np.nan), (2, -1.0), (2, np.inf)]
)
def test_first_bad_print_is_found(column, bad):
    tape = np.zeros(1, TAPE)[0]
    tape["time"] = START
    columns = [np.full(5, START), np.ones(5), np.ones(5)]
    assert first_bad(tape, *columns) == -1
    columns[column][3] = bad
    assert first_bad(tape, *columns) == 3


def test_a_sum_keeps_the_newest_threshold_and_the_largest_print():
    rows = np.zeros(4, MINUTE)
    rows["buy"], rows["count"] = [1, 2, 3, 0], 1
    rows["largest"], rows["price"] = [5, -7, 7, 0], [1, 2, 3, 0]
    rows["threshold"] = [4, 6, 0, 0]
    total = rows[3]
    clear_minute(total)
    for i in range(3):
        add_minute(total, rows[i])
    assert (total["buy"], total["count"], total["threshold"]) == (6, 3, 6)
    assert (total["largest"], total["price"]) == (-7, 2)  # of equals the first

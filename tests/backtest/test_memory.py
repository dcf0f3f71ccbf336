import sys

import numpy as np

from opportunity.backtest.memory import fetch, lent
from opportunity.kernels import kernel
from opportunity.trading.records import FILL


@kernel
def total(values, rows):
    found = 0.0
    for i in range(values.shape[0]):
        fetch(values, i + 4)
        fetch(rows, i - 1_000_000)
        found += values[i, 0]
    return found


@kernel
def changed(arrays, rows):
    first, (second, third, _number) = lent(arrays)
    rows = lent(rows)
    first[0] = 1.0
    second[1] = 2
    third[0, 1] = first[0] + rows[0].price
    rows[1].price = third[0, 1]
    return first.size + second.size


def test_rows_beyond_an_array_may_be_asked_for():
    """Far outside of what is ours: a load would end the process."""
    values = np.arange(40.0).reshape(10, 4)
    assert total(values, np.zeros(2, FILL)) == values[:, 0].sum()
    assert total(values[::2], np.zeros(0, FILL)) == values[::2, 0].sum()


def test_what_is_lent_is_the_array_itself():
    first, second, third = np.zeros(3), np.zeros(2, np.int64), np.zeros((1, 2))
    rows = np.zeros(2, FILL)
    rows["price"][0] = 5.0
    assert changed((first, (second, third, 7)), rows) == 5
    assert (first[0], second[1], third[0, 1], rows["price"][1]) == (1.0, 2, 6.0, 6.0)


def test_nobody_counts_what_is_lent():
    first, rows = np.zeros(3), np.zeros(2, FILL)
    others = (np.zeros(2, np.int64), np.zeros((1, 2)), 7)
    before = sys.getrefcount(first), sys.getrefcount(rows)
    for _ in range(100):
        changed((first, others), rows)
    assert (sys.getrefcount(first), sys.getrefcount(rows)) == before

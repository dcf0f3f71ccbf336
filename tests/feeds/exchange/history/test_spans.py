from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opportunity.feeds.exchange.history.spans import covers, join, runs, without

SPANS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=8)


def points(spans):
    return {x for a, b in spans for x in range(a, b)}


@given(SPANS)
def test_joined_spans_hold_the_same_and_never_touch(spans):
    joined = join(spans)
    assert points(joined) == points(spans)
    assert all(a[1] < b[0] for a, b in pairwise(joined))


@given(SPANS, st.integers(0, 40), st.integers(0, 40))
def test_what_is_left_is_what_nobody_holds(spans, start, end):
    left = without((start, end), spans)
    assert points(left) == set(range(start, end)) - points(spans)
    assert covers(spans, (start, end)) == (not points(left))


def test_slack_joins_near_ones():
    assert join([(0, 2), (4, 6), (20, 21)], slack=2) == ((0, 6), (20, 21))


@pytest.mark.parametrize(
    ("times", "expected"),
    [([], ()), ([5], ((5, 10),)), ([0, 5, 15, 20, 40], ((0, 10), (15, 25), (40, 45)))],
)
def test_runs_are_cut_at_holes(times, expected):
    assert runs(np.array(times, np.int64), 5) == expected

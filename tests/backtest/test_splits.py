from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from opportunity.backtest.splits import Gaps, Split, Steps, forward, k_fold, learnable

spans = st.tuples(st.integers(0, 1_000), st.integers(20, 3_000)).map(
    lambda t: Steps(t[0], t[0] + t[1])
)
gaps = st.builds(Gaps, st.integers(0, 60), st.integers(0, 60))


def touched(span: Steps, horizon: int) -> set[int]:
    """Steps that samples of a span and their labels tell of."""
    return set(range(span.start, span.end + horizon))


@given(spans, st.integers(1, 9), gaps, st.floats(0.1, 0.9), st.booleans())
def test_forward_never_trains_on_what_a_test_tells(span, n, gaps, share, anchored):
    try:
        splits = forward(span, n, gaps, share, anchored)
    except ValueError:
        assume(False)
        raise
    for split in splits:
        (train,) = split.train
        assert train.length > 0
        assert train.start >= span.start
        # The last label that trains is known before the test begins.
        assert max(touched(train, gaps.horizon)) < split.test.start
        assert split.test.start - train.end == gaps.total


@given(spans, st.integers(1, 9), st.floats(0.1, 0.5))
def test_forward_tests_follow_each_other_to_the_end(span, n, share):
    splits = forward(span, n, Gaps(), share)
    assert splits[-1].test.end == span.end
    assert all(a.test.end == b.test.start for a, b in pairwise(splits))
    lengths = [s.test.length for s in splits]
    assert max(lengths) - min(lengths) <= 1


def test_anchored_grows_and_rolling_slides():
    grown = forward(Steps(100, 1_100), 5, Gaps(10, 5), 0.5)
    assert [s.train[0] for s in grown] == [
        (100, 585), (100, 685), (100, 785), (100, 885), (100, 985)
    ]  # fmt: skip
    slid = forward(Steps(100, 1_100), 5, Gaps(10, 5), 500, anchored=False)
    assert [s.train[0] for s in slid] == [
        (100, 585), (200, 685), (300, 785), (400, 885), (500, 985)
    ]  # fmt: skip
    assert [s.test for s in slid] == [s.test for s in grown]


@given(spans, st.integers(2, 9), gaps)
def test_k_fold_labels_of_training_and_test_never_meet(span, n, gaps):
    try:
        splits = k_fold(span, n, gaps)
    except ValueError:
        assume(False)
        raise
    assert [s.test.start for s in splits[1:]] == [s.test.end for s in splits[:-1]]
    assert (splits[0].test.start, splits[-1].test.end) == span
    for split in splits:
        known = touched(split.test, gaps.horizon)
        for train in split.train:
            assert not known & touched(train, gaps.horizon)
            if train.start > split.test.start:
                assert train.start - max(known) > gaps.embargo


@given(st.integers(5, 200), st.integers(2, 6), st.integers(0, 8), st.integers(0, 2**32))
def test_learnable_leaves_no_label_that_overlaps_a_test(n, n_folds, embargo, seed):
    rng = np.random.default_rng(seed)
    starts = np.sort(rng.integers(0, n, n))
    ends = starts + rng.integers(0, 12, n)
    for split in k_fold(Steps(0, n), min(n_folds, n), Gaps()):
        tested = (starts >= split.test.start) & (starts < split.test.end)
        kept = learnable(starts, ends, split.test, embargo)
        assert not (kept & tested).any()
        for i in np.flatnonzero(kept):
            overlap = (starts[i] <= ends[tested]) & (ends[i] >= starts[tested])
            assert not overlap.any()
            assert not split.test.start <= ends[i] < split.test.end
        # Nothing is thrown away that lies clear of the test on its left.
        assert kept[ends < split.test.start].all()


def test_learnable_equals_the_spans_of_a_fixed_horizon():
    n, horizon, embargo = 200, 7, 4
    starts = np.arange(n)
    for split in k_fold(Steps(0, n), 5, Gaps(horizon, embargo)):
        kept = np.flatnonzero(learnable(starts, starts + horizon, split.test, embargo))
        told = np.concatenate([np.arange(*s) for s in split.train])
        np.testing.assert_array_equal(kept, told)


def test_length_of_training():
    assert Split((Steps(0, 10), Steps(20, 25)), Steps(12, 18)).n_train == 15


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: Gaps(-1), "horizon must be >= 0"),
        (lambda: Gaps(0, -1), "embargo must be >= 0"),
        (lambda: forward(Steps(0, 100), 0, Gaps()), "n_folds must be >= 1"),
        (lambda: k_fold(Steps(0, 100), 1, Gaps()), "n_folds must be >= 2"),
        (lambda: forward(Steps(0, 100), 3, Gaps(40, 10)), "train must be more"),
        (lambda: forward(Steps(0, 10), 8, Gaps()), "a step for each of 8"),
        (lambda: k_fold(Steps(0, 10), 2, Gaps(8, 5)), "something to learn from"),
    ],
)
def test_impossible_splits_are_refused(call, text):
    with pytest.raises(ValueError, match=text):
        call()


def test_a_negative_embargo_is_refused():
    with pytest.raises(ValueError, match="embargo must be >= 0"):
        learnable([0, 5], [1, 6], Steps(2, 4), -3)

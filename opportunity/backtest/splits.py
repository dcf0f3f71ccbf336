"""Cut a span into what may be learnt from and what it is tested on, so that neither knows of both.

A sample's label looks ahead: it is known only `horizon` steps later. A training sample whose
label reaches into a test would teach the answers of that test, and so is purged; samples soon
after a test are still correlated with it, and so are embargoed.

Source: López de Prado, *Advances in Financial Machine Learning*, 2018, chapter 7.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Steps(NamedTuple):
    """Steps `start` to `end`, the end not included."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """How many steps."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Gaps:
    """What is left out around a test.

    Parameters
    ----------
    horizon : int
        Steps after a sample until its label is known, >= 0.
    embargo : int
        Further steps, >= 0.

    Raises
    ------
    ValueError
        If one is negative.
    """

    horizon: int = 0
    embargo: int = 0

    def __post_init__(self) -> None:
        for name in ("horizon", "embargo"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be >= 0 steps, was {getattr(self, name)}")

    @property
    def total(self) -> int:
        """Steps of both."""
        return self.horizon + self.embargo


@dataclass(frozen=True, slots=True)
class Split:
    """One test and the spans that may be learnt from for it, in order."""

    train: tuple[Steps, ...]
    test: Steps

    @property
    def n_train(self) -> int:
        """Steps to learn from."""
        return sum(span.length for span in self.train)


def forward(
    span: Steps, n_folds: int, gaps: Gaps, train: int | float = 0.5, anchored: bool = True
) -> tuple[Split, ...]:
    """Walk forward: learn from the past, test on what came next, again and again.

    The tests are equally long, follow each other without a hole and reach the end of the span.

    Parameters
    ----------
    span : Steps
        What there is.
    n_folds : int
        Tests, >= 1.
    gaps : Gaps
        Horizon and embargo, both left out before each test.
    train : int or float
        Where the first test begins: so many steps after the start, or that share of the span.
    anchored : bool
        Learn from everything before a test; False: from the last `train` steps (less the gaps).

    Raises
    ------
    ValueError
        If a number is out of its range or the span too short for it.
    """
    _check_folds(n_folds, 1)
    first = round(train * span.length) if isinstance(train, float) else train
    if first <= gaps.total:
        raise ValueError(
            f"train must be more than horizon and embargo ({gaps.total} steps), was {first}"
        )
    edges = _edges(Steps(span.start + first, span.end), n_folds)
    splits = []
    for start, end in pairwise(edges):
        begin = span.start if anchored else start - first
        splits.append(Split((Steps(begin, start - gaps.total),), Steps(start, end)))
    return tuple(splits)


def k_fold(span: Steps, n_folds: int, gaps: Gaps) -> tuple[Split, ...]:
    """Test each of `n_folds` parts, learning from all others but for the gaps.

    Before a test the horizon is left out; behind it the horizon (labels of the test reach so
    far) and the embargo.

    Raises
    ------
    ValueError
        If a number is out of its range, or the span so short that a fold has nothing to learn
        from.
    """
    _check_folds(n_folds, 2)
    edges = _edges(span, n_folds)
    splits = []
    for start, end in pairwise(edges):
        around = (Steps(span.start, start - gaps.horizon), Steps(end + gaps.total, span.end))
        split = Split(tuple(s for s in around if s.length > 0), Steps(start, end))
        if not split.train:
            raise ValueError(
                f"span must leave something to learn from beside {gaps.total} steps of gaps, "
                f"was {span.length} steps"
            )
        splits.append(split)
    return tuple(splits)


def learnable(starts: Any, ends: Any, test: Steps, embargo: int = 0) -> NDArray[np.bool_]:
    """Return which samples may be learnt from when `test` is tested, whatever their labels span.

    Parameters
    ----------
    starts, ends : ndarray of int, shape (n,)
        First and last step that a sample and its label tell of; `ends` >= `starts`.
    test : Steps
        Samples that start in it are tested.
    embargo : int
        Steps left out behind the last label of the test.

    Returns
    -------
    ndarray of bool, shape (n,)
        False for the tested samples, those whose label reaches into the test, and those that
        start before the last label of the test is known and the embargo is over.

    Raises
    ------
    ValueError
        If the embargo is negative.
    """
    if embargo < 0:
        raise ValueError(f"embargo must be >= 0 steps, was {embargo}")
    starts, ends = np.asarray(starts), np.asarray(ends)
    tested = (starts >= test.start) & (starts < test.end)
    last = max(test.end - 1, int(ends[tested].max(initial=test.end - 1)))
    return np.asarray((ends < test.start) | (starts > last + embargo))


def _edges(span: Steps, n: int) -> list[int]:
    if span.length < n:
        raise ValueError(f"span must have a step for each of {n} tests, has {span.length}")
    return [span.start + span.length * i // n for i in range(n + 1)]


def _check_folds(n: int, least: int) -> None:
    if n < least:
        raise ValueError(f"n_folds must be >= {least}, was {n}")

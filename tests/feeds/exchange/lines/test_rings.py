"""The ring against a plain list."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opportunity.feeds.exchange.lines.rings import Ring

KIND = np.dtype([("heard", np.int64), ("value", np.int64)])


def rows(heard: list[int], first: int) -> np.ndarray:
    made = np.zeros(len(heard), KIND)
    made["heard"], made["value"] = heard, np.arange(first, first + len(heard))
    return made


@given(
    st.integers(1, 12), st.lists(st.lists(st.integers(0, 3), max_size=30), max_size=8),
    st.integers(0, 40), st.integers(0, 40), st.integers(0, 40),
)  # fmt: skip
def test_ring_equals_the_end_of_a_list(
    size: int, steps: list[list[int]], since: int, until: int, asked: int
) -> None:
    ring, kept, now, lost = Ring(KIND, size), [], 0, 0
    for step in steps:
        heard = [now := now + s for s in step]
        lost += ring.extend(rows(heard, len(kept)), asked)
        kept += [(h, len(kept) + i) for i, h in enumerate(heard)]
    newest = kept[-size:]
    assert len(ring) == len(newest)
    assert ring.last == (newest[-1][0] if newest else 0)
    assert ring.between(since, until).tolist() == [r for r in newest if since <= r[0] < until]
    assert lost == sum(h >= asked for h, _ in kept[: max(0, len(kept) - size)])
    assert all(a <= b for a, b in pairwise(ring.between(0, 10**9)["heard"].tolist()))


def test_what_was_given_out_does_not_change() -> None:
    ring = Ring(KIND, 2)
    ring.extend(rows([1, 2], 0))
    given_out = ring.between(0, 10)
    ring.extend(rows([3, 4], 2))
    assert given_out["value"].tolist() == [0, 1]


def test_ring_refuses_no_room() -> None:
    with pytest.raises(ValueError, match="size must be >= 1"):
        Ring(KIND, 0)

"""Spans of time, [start, end) in ms UTC: join them, cut them out of each other."""

from collections.abc import Iterable, Sequence

import numpy as np

from opportunity.market.timeframe import TimeArray

Span = tuple[int, int]


def join(spans: Iterable[Span], slack: int = 0) -> tuple[Span, ...]:
    """Return the spans in order, those joined that touch, overlap or lie within `slack` ms."""
    joined: list[Span] = []
    for start, end in sorted(s for s in spans if s[0] < s[1]):
        if joined and start <= joined[-1][1] + slack:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def without(span: Span, known: Iterable[Span]) -> tuple[Span, ...]:
    """Return the parts of `span` that no span of `known` holds, in order."""
    left: list[Span] = []
    at, until = span
    for start, end in join(known):
        if start >= until:
            break
        if start > at:
            left.append((at, start))
        at = max(at, end)
    if at < until:
        left.append((at, until))
    return tuple(left)


def covers(spans: Sequence[Span], span: Span) -> bool:
    """Tell whether the spans together hold all of `span`."""
    return not without(span, spans)


def runs(times: TimeArray, length: int) -> tuple[Span, ...]:
    """Return the spans that bars of `length` ms fill without a hole.

    Parameters
    ----------
    times : ndarray of int64, shape (n,)
        Opening times, ascending.
    length : int
        Length of a bar, ms.
    """
    if not times.size:
        return ()
    breaks = np.flatnonzero(np.diff(times) != length)
    starts = times[np.concatenate([[0], breaks + 1])]
    ends = times[np.concatenate([breaks, [times.size - 1]])] + length
    return tuple(zip(starts.tolist(), ends.tolist(), strict=True))

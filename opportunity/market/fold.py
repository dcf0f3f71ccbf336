"""The fold that makes longer bars from shorter ones, compiled, for many symbols at once.

A state row belongs to a symbol, a state column to a timeframe; column 0 is the base itself.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from opportunity.kernels import kernel

NEVER: Final = int(np.iinfo(np.int64).min)

FORMING: Final = np.dtype(
    [
        ("time", "i8"),  # opening time of the bar that is forming
        ("closed", "i8"),  # opening time of the newest bar that closed
        ("count", "i8"),  # constituents so far; 0: nothing is forming
        ("late", "i8"),  # constituents that came after their bar had closed
        ("value", "f8", (5,)),
    ],
    align=True,
)
"""State of one symbol and timeframe. In column 0, the base, `closed` is its newest bar."""


@kernel
def check(state: Any, rows: Any, times: Any, length: Any, offset: Any, scratch: Any) -> Any:
    """Return the place of the first base bar that may not come now, -1 if all may.

    `scratch` (n_symbols) takes the newest time of each row, so that nothing is changed yet.
    """
    for row in range(scratch.size):
        scratch[row] = state[row, 0].closed
    for i in range(rows.size):
        row = rows[i]
        if row < 0 or row >= scratch.size:
            return i
        if times[i] <= scratch[row] or (times[i] - offset) % length != 0:
            return i
        scratch[row] = times[i]
    return -1


@kernel
def emit(
    bar: Any, row: Any, frame: Any, n: Any,
    out_rows: Any, out_frames: Any, out_times: Any, out_values: Any, out_counts: Any,
) -> Any:
    """Close the forming bar: copy it out as number `n` and forget it; return n + 1."""
    out_rows[n] = row
    out_frames[n] = frame
    out_times[n] = bar.time
    for c in range(5):
        out_values[n, c] = bar.value[c]
    out_counts[n] = bar.count
    bar.closed = bar.time
    bar.count = 0
    return n + 1


@kernel
def fold(
    state: Any, rows: Any, times: Any, values: Any, lengths: Any, offsets: Any,
    out_rows: Any, out_frames: Any, out_times: Any, out_values: Any, out_counts: Any,
) -> Any:
    """Fold base bars into every timeframe (column 0 is the base); return how many bars closed."""
    n = 0
    for frame in range(lengths.size):
        length, offset = lengths[frame], offsets[frame]
        for i in range(rows.size):
            bar = state[rows[i], frame]
            t = times[i]
            start = (t - offset) // length * length + offset
            if bar.count > 0 and start != bar.time:  # a gap swallowed its last constituents
                n = emit(bar, rows[i], frame, n,
                         out_rows, out_frames, out_times, out_values, out_counts)
            if start <= bar.closed:
                bar.late += 1
                continue
            if bar.count == 0:
                bar.time = start
                for c in range(5):
                    bar.value[c] = values[i, c]
            else:
                if values[i, 1] > bar.value[1]:
                    bar.value[1] = values[i, 1]
                if values[i, 2] < bar.value[2]:
                    bar.value[2] = values[i, 2]
                bar.value[3] = values[i, 3]
                bar.value[4] += values[i, 4]
            bar.count += 1
            if t + lengths[0] == start + length:
                n = emit(bar, rows[i], frame, n,
                         out_rows, out_frames, out_times, out_values, out_counts)
    return n


def expire(state: Any, now: Any, lengths: Any, *out: Any) -> int:
    """Close every forming bar whose close time is not after `now`; return how many closed.

    `now` is one time for all rows, or one for each.
    """
    limits = np.ascontiguousarray(np.broadcast_to(np.asarray(now, np.int64), state.shape[:1]))
    return int(_expire(state, limits, lengths, *out))


@kernel
def _expire(
    state: Any, limits: Any, lengths: Any,
    out_rows: Any, out_frames: Any, out_times: Any, out_values: Any, out_counts: Any,
) -> Any:
    n = 0
    for frame in range(lengths.size):
        for row in range(state.shape[0]):
            bar = state[row, frame]
            if bar.count > 0 and bar.time + lengths[frame] <= limits[row]:
                n = emit(bar, row, frame, n,
                         out_rows, out_frames, out_times, out_values, out_counts)
    return n


def fresh(n_symbols: int, n_frames: int) -> NDArray[Any]:
    """Return the state of symbols that have seen no bar."""
    state = np.zeros((n_symbols, n_frames), FORMING)
    state["closed"] = NEVER
    return state


def room(size: int) -> tuple[NDArray[Any], ...]:
    """Return empty rows, frames, times, values and counts for `size` closed bars."""
    whole = [np.empty(size, np.int64) for _ in range(4)]
    return whole[0], whole[1], whole[2], np.empty((size, 5)), whole[3]

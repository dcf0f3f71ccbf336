"""The exact half of a sweep's scoring: one decision by the functions of the engine."""

from typing import Any, Final

import numpy as np

from opportunity.kernels import kernel
from opportunity.scoring.combination import (
    AGREED,
    COVERAGE,
    DISAGREEMENT,
    N_COLUMNS,
    NET,
    combine_rows,
    gate_table,
)
from opportunity.scoring.consensus import CONFIDENCE, aggregate_rows
from opportunity.scoring.consensus import DISAGREEMENT as MEAN_DISAGREEMENT
from opportunity.scoring.consensus import N_COLUMNS as N_MEANS
from opportunity.scoring.consensus import NET as MEAN_NET

GATES: Final = gate_table()


def exact_room(n_timeframes: int, n_detectors: int) -> tuple[Any, ...]:
    """Return what `exact_side` writes to; each thread needs its own."""
    f, n = n_timeframes, n_detectors
    return (
        np.empty((f, n)), np.empty((f, n)), np.empty(f), np.empty(f),
        np.empty((1, f, n)), np.empty((f, n)), np.empty((N_COLUMNS, f)),
        np.empty(f, np.int8), np.empty(f, np.int8),
        np.empty((N_MEANS, 1)), np.empty((1, n)),
        np.empty(1, np.int8), np.empty(1, np.int8), np.empty(1, np.int64),
    )  # fmt: skip


@kernel
def exact_side(weights: Any, seen: Any, asked: Any, room: Any, d: Any) -> Any:
    """Return the side of the entry that the rules let through at decision `d`: +1, -1, 0.

    Parameters
    ----------
    weights : float64 (n_detectors,)
    seen : tuple
        Of each timeframe and decision the row and the trust (n_timeframes, n); which set of
        detectors exists at each decision (n,), and the sets; of each row the scores, confidences,
        trend and volatility; the gates and the weights of the timeframes.
    asked : tuple
        Least score, least confidence, most disagreement and wanted side, 0 for both; and where the
        data can be trusted, bool (n,).
    room : tuple
        `exact_room(...)`.

    Notes
    -----
    The arithmetic of `judging.judge` and `entries.entry_sides`: `combine_rows`, then the trust,
    then `aggregate_rows`. A test holds them together.
    """
    rows, trust, sets, exists, scores, confidences, trend, volatility, gates, by_frame = seen
    least, confident, widest, wanted, trusted = asked
    s, c, t, v, gated, shares, columns, sides, advices, means, parts, side, action, count = room
    if not trusted[d]:
        return 0
    n_frames, n = s.shape
    for f in range(n_frames):
        row = rows[f, d]
        t[f] = trend[row] if row >= 0 else 0.0
        v[f] = volatility[row] if row >= 0 else np.nan
        for i in range(n):
            s[f, i] = scores[row, i] if row >= 0 else np.nan
            c[f, i] = confidences[row, i] if row >= 0 else np.nan
    combine_rows(
        s, c, t, v, weights, exists[sets[d]], gates, gated[0], shares, columns, sides, advices
    )
    for f in range(n_frames):
        columns[AGREED, f] *= trust[f, d]
    aggregate_rows(
        columns[NET].reshape(1, n_frames), columns[AGREED].reshape(1, n_frames),
        columns[DISAGREEMENT].reshape(1, n_frames), columns[COVERAGE].reshape(1, n_frames),
        v.reshape(1, n_frames), sides.reshape(1, n_frames), gated, by_frame, means, parts, side,
        action, count,
    )
    found = side[0]
    passed = (
        count[0] > 0
        and found != 0
        and (1.0 + found * means[MEAN_NET, 0]) / 2.0 >= least
        and means[CONFIDENCE, 0] >= confident
        and means[MEAN_DISAGREEMENT, 0] <= widest
        and (wanted == 0 or wanted == found)
    )
    return found if passed else 0


@kernel
def exact_confidence(weights: Any, seen: Any, asked: Any, room: Any, d: Any) -> Any:
    """Return the confidence of decision `d`, at which a side is let through; see `exact_side`."""
    exact_side(weights, seen, asked, room, d)
    return room[9][CONFIDENCE, 0]

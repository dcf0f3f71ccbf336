"""harmonic: ten patterns of four turns whose ratios say where a fifth may be.

The zone of the fifth turn, D, is known before price gets there. No study known to us shows that
markets prefer these ratios; the detector says what many traders watch, with a low confidence.

Source: Gartley, *Profits in the Stock Market* (1935); Pesavento, *Fibonacci Ratios with Pattern
Recognition* (1997); Carney, *Harmonic Trading* 1-3 (2010, 2016).
"""

from typing import Any, Final

import numpy as np
import param

from opportunity.detectors.ahead import AHEAD, fetch, lines, span
from opportunity.detectors.base import Detector, copy_events, report
from opportunity.detectors.events import EVENT, N_EVENTS
from opportunity.detectors.harmonic_candidates import CANDIDATE, N_CANDIDATES, N_SCALES, follow
from opportunity.detectors.harmonic_marks import KINDS
from opportunity.detectors.harmonic_matches import open_candidates
from opportunity.detectors.harmonic_slots import age, combine_speaking, is_quiet, settle, watch
from opportunity.detectors.swings import SWINGS, swings_step
from opportunity.indicators.atr import ATR, atr_step
from opportunity.kernels import kernel

ATR_PERIOD: Final = 14

STATE: Final = np.dtype(
    [
        ("n", "i8"),
        ("serial", "i8"),
        ("atr", ATR),
        ("n_events", "i4"),
        ("used", "i4"),  # a bit for each slot of `candidates` in use
        ("speaking", "i4"),  # and for each that is evidence
        ("armed", "i4"),  # whether one is armed
        ("floor", "f8"),  # between these prices and before this bar no candidate changes
        ("ceiling", "f8"),
        ("until", "i8"),
        ("swings", SWINGS, (N_SCALES,)),
        ("candidates", CANDIDATE, (N_CANDIDATES,)),
        ("events", EVENT, (N_EVENTS,)),
    ],
    align=True,
)

_SWINGS: Final = span(STATE, "swings", "swings")[0]

HOT: Final = lines(
    span(STATE, "n", "until"),
    *(
        span(SWINGS, "direction", "low_time", _SWINGS + i * SWINGS.itemsize)
        for i in range(N_SCALES)
    ),
)
"""What every bar reads; see `opportunity.detectors.ahead`."""

PARAMS: Final = np.dtype(
    [
        ("internal", "f8"),
        ("swing", "f8"),
        ("major", "f8"),
        ("tolerance", "f8"),
        ("turn", "f8"),
        ("max_age", "i8"),
        ("c_max", "f8"),
    ],
    align=True,
)


@kernel
def _look(
    state: Any, params: Any, t: Any, o: Any, h: Any, low: Any, c: Any, atr: Any
) -> None:
    """Do everything that needs an ATR: candidates first, then pivots and new candidates."""
    n = state.n - 1
    scales = (params.internal, params.swing, params.major)
    changed = not is_quiet(state, n, h, low)
    if changed:
        follow(state, n, t, h, low, c, params.turn * atr)
        settle(state, scales, t, c)
    for j in range(N_SCALES):
        if swings_step(state.swings[j], scales[j], n, t, o, h, low, c, atr) != 0:
            open_candidates(state, params, j, scales[j], n, t, c, atr)
            changed = True
    if changed:
        watch(state)


@kernel
def step(
    state: Any, params: Any, t: Any, o: Any, h: Any, low: Any, c: Any, v: Any, obs: Any, out: Any
) -> None:
    """Advance one stream by one closed bar."""
    state.n += 1
    state.n_events = 0
    atr = atr_step(state.atr, ATR_PERIOD, h, low, c)
    age(state)
    if atr > 0.0:
        _look(state, params, t, o, h, low, c, atr)
    score, confidence = combine_speaking(state, params.c_max)
    report(out, state.n, score, confidence)


@kernel
def run(
    states: Any, rows: Any, params: Any, time: Any, values: Any,
    obs: Any, out: Any, events: Any, counts: Any,
) -> None:  # fmt: skip
    """Drive `step` over streams and bars; see `Detector`."""
    for k in range(rows.size):
        fetch(states, rows, k + AHEAD, HOT)
        state = states[rows[k]]
        for j in range(time.shape[1]):
            bar = values[k, j]
            if not np.isnan(bar[3]):
                step(
                    state, params, time[k, j], bar[0], bar[1], bar[2], bar[3], bar[4],
                    obs[k, j], out[k, j],
                )  # fmt: skip
                counts[k] = copy_events(state, events[k], counts[k])


class Harmonic(Detector):
    """Ten patterns of four turns whose ratios say where a fifth, D, may be.

    Gartley, Bat, Alternate Bat, Butterfly, Crab, Deep Crab, Shark, Cypher, 5-0 and AB=CD on the
    turns of three swing scales. Price inside the zone of D is weak evidence for a turn, a close
    back out of it by `turn` ATR is stronger; it halves after 12, 24 or 48 bars (by scale) and at
    the first target, and ends at the second or at a close beyond the stop. Silent (score 0,
    confidence 0) on bars without such a pattern.

    Source: Gartley, Profits in the Stock Market, 1935; Carney, Harmonic Trading 1-3, 2010-2016.
    """

    name = param.String("harmonic", constant=True, doc="Name on the wire and in weights.")
    internal = param.Number(
        1.5, bounds=(0.5, 20.0), doc="Reversal that makes a pivot of the internal scale, ATR."
    )
    swing = param.Number(
        3.0, bounds=(0.5, 20.0), doc="Reversal that makes a pivot of the swing scale, ATR."
    )
    major = param.Number(
        6.0, bounds=(0.5, 50.0), doc="Reversal that makes a pivot of the major scale, ATR."
    )
    tolerance = param.Number(
        0.04, bounds=(0.0, 0.2), doc="Half-width of the zone of D, fraction of XA."
    )
    turn = param.Number(
        1.0, bounds=(0.0, 10.0), doc="Distance of a close from D that completes a pattern, ATR."
    )
    max_age = param.Integer(
        200, bounds=(1, 10_000), doc="Bars after C at which it is too late for D."
    )
    c_max = param.Number(
        0.60, bounds=(0.0, 1.0), doc="Confidence that the method deserves at most, [0, 1]."
    )

    title = "Harmonic"
    kinds = KINDS
    state_type = STATE
    params_type = PARAMS
    run = staticmethod(run)

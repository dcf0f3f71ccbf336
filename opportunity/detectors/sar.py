"""sar: Wilder's parabolic stop and reverse, weighed by how directional the market is.

The stop says which side the trend is on; the score grows with the distance of the close from
the stop in ATR, with the first bars after a turn, and with ADX, and shrinks when price has run
far ahead of its stop.

Source: Wilder, *New Concepts in Technical Trading Systems*, 1978 (SAR, ADX, ATR); computed as
TA-Lib computes them.
"""

from typing import Any, Final

import numpy as np
import param

from opportunity.detectors.base import Detector, copy_events, report
from opportunity.detectors.events import ACTIVE, DONE, EVENT, N_EVENTS, Kind
from opportunity.indicators.adx import ADX, adx_step
from opportunity.indicators.atr import ATR, atr_step
from opportunity.indicators.sar import SAR, sar_step
from opportunity.kernels import kernel

STOP, GATE = 2, 3  # columns of the output row
FULL_AGE: Final = 5
OLD_AGE: Final = 20
AGE_HALF_LIFE: Final = 40.0
STRETCH: Final = 4.0

NOISE: Final = 1e-12
"""A stop nearer to the close than this part of the price is where rounding left it."""

TURN: Final = np.dtype(
    [("serial", "i8"), ("time", "i8"), ("price", "f8"), ("active", "i1"), ("side", "i1")],
    align=True,
)

STATE: Final = np.dtype(
    [
        ("n", "i8"),
        ("atr", ATR),
        ("adx", ADX),
        ("sar", SAR),
        ("turn", TURN),  # the newest turn that was reported as an event
        ("n_events", "i4"),
        ("events", EVENT, (N_EVENTS,)),
    ],
    align=True,
)

PARAMS: Final = np.dtype(
    [("start", "f8"), ("step", "f8"), ("maximum", "f8"), ("period", "i8")], align=True
)


@kernel
def gate(adx: Any, lean: Any, side: Any) -> Any:
    """Return how much a trend deserves belief, in [0.1, 1]; NaN while ADX is.

    ADX 15 and below gives 0.2, ADX 30 and above 1; halved when the directional indicators lean
    (+DI - -DI) to the other side.
    """
    if np.isnan(adx):
        return np.nan
    trust = min(max((adx - 15.0) / 15.0, 0.2), 1.0)
    return 0.5 * trust if lean * side < 0.0 else trust


@kernel
def freshness(age: Any) -> Any:
    """Return the worth of a trend `age` bars after its turn: 0.5 rising to 1, then halving."""
    if age < FULL_AGE:
        return 0.5 + 0.5 * age / FULL_AGE
    if age <= OLD_AGE:
        return 1.0
    return np.exp2(-(age - OLD_AGE) / AGE_HALF_LIFE)


@kernel
def reach(distance: Any, atr: Any) -> Any:
    """Map the distance of close and stop to [0, 1): x / (1 + x) for x ATR, over-stretch damped.

    Written without dividing by ATR, which may be tiny after a long standstill.
    """
    if atr <= 0.0:
        return 0.0
    value = distance / (atr + distance)
    return value * (STRETCH * atr / distance) if distance > STRETCH * atr else value


@kernel
def _record(state: Any, condition: Any, quality: Any, t: Any) -> Any:
    """Take the next event record of this bar and fill what all records of a turn share."""
    event = state.events[state.n_events]
    state.n_events += 1
    event.serial = state.turn.serial
    event.kind = 0
    event.side = state.turn.side
    event.state = condition
    event.n_points = 1
    event.scale = 0.0
    event.bar = state.n - 1
    event.known = t
    event.quality = quality
    event.time[0] = state.turn.time
    event.price[0] = state.turn.price
    event.top = np.nan
    event.bottom = np.nan
    event.entry = np.nan
    event.stop = np.nan
    event.target[:] = np.nan
    event.x = state.adx.adx
    return event


@kernel
def _turned(
    state: Any, t: Any, stop: Any, touched: Any, close: Any, moved: Any, quality: Any
) -> None:
    """Report the end of the trend that was stopped and the beginning of the other one."""
    turn = state.turn
    if turn.active != 0:
        event = _record(state, DONE, quality, t)
        event.n_points = 2
        event.time[1] = t
        event.price[1] = touched
        turn.active = 0
    # In a market that stands still the stop sits on the price and turns on every bar.
    if moved:
        turn.serial += 1
        turn.time = t
        turn.price = stop
        turn.side = state.sar.side
        turn.active = 1
        event = _record(state, ACTIVE, quality, t)
        event.entry = close
        event.stop = stop


@kernel
def step(
    state: Any, params: Any, t: Any, o: Any, h: Any, low: Any, c: Any, v: Any, obs: Any, out: Any
) -> None:
    """Advance one stream by one closed bar."""
    state.n += 1
    state.n_events = 0
    atr = atr_step(state.atr, params.period, h, low, c)
    adx = adx_step(state.adx, params.period, h, low, c)
    touched = state.sar.next
    stop = sar_step(state.sar, params.start, params.step, params.maximum, h, low)
    side = state.sar.side
    trust = gate(adx, state.adx.plus_di - state.adx.minus_di, side)
    if state.sar.flipped != 0 and not np.isnan(trust):
        _turned(state, t, stop, touched, c, atr > 0.0 and (h > low or stop != c), trust)
    out[STOP] = stop
    out[GATE] = trust
    distance = abs(c - stop)
    known = reach(distance, atr) if distance > NOISE * c else 0.0
    score = side * known * freshness(state.sar.age) * trust
    report(out, state.n, score, 0.15 + 0.35 * trust if atr > 0.0 else 0.0)


@kernel
def run(
    states: Any, rows: Any, params: Any, time: Any, values: Any,
    obs: Any, out: Any, events: Any, counts: Any,
) -> None:  # fmt: skip
    """Drive `step` over streams and bars; see `Detector`."""
    for k in range(rows.size):
        state = states[rows[k]]
        for j in range(time.shape[1]):
            bar = values[k, j]
            if not np.isnan(bar[3]):
                step(
                    state, params, time[k, j], bar[0], bar[1], bar[2], bar[3], bar[4],
                    obs[k, j], out[k, j],
                )  # fmt: skip
                counts[k] = copy_events(state, events[k], counts[k])


class Sar(Detector):
    """Side of the parabolic stop, weighed by distance, age and ADX.

    `score = side * D * A * G`: D grows with the distance of close and stop in ATR (median 0.65),
    A with the first bars after a turn, G is the gate of ADX 14 and the directional indicators.
    `confidence = 0.15 + 0.35 G`, at most 0.5. Auxiliary outputs: `stop`, the stop in force on
    the bar (quote currency), and `gate`, G in [0.1, 1].

    Source: Wilder, New Concepts in Technical Trading Systems, 1978.
    """

    name = param.String("sar", constant=True, doc="Name on the wire and in weights.")
    start = param.Number(
        0.02, bounds=(0.0, 1.0), inclusive_bounds=(False, True),
        doc="Acceleration at a turn, fraction of the distance to the extreme per bar.",
    )  # fmt: skip
    step = param.Number(
        0.02, bounds=(0.0, 1.0), doc="Increase of the acceleration at each new extreme."
    )
    maximum = param.Number(
        0.20, bounds=(0.0, 1.0), inclusive_bounds=(False, True),
        doc="Limit of the acceleration.",
    )  # fmt: skip
    period = param.Integer(14, bounds=(2, 100), doc="Bars of ATR, ADX and DI.")

    title = "SAR"
    aux = ("stop", "gate")
    kinds = (
        Kind(
            "SAR flip", "{side} SAR flip at {price:.8g}, ADX {x:.0f} ({state})", ("SAR",),
            badge="SAR flip",
            lasting=True,
        ),
    )
    state_type = STATE
    params_type = PARAMS
    run = staticmethod(run)

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        if self.start > self.maximum:
            raise ValueError(f"start must be <= maximum ({self.maximum}), was {self.start}")

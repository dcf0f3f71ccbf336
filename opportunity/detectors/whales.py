"""whales: large prints, order flow, the book and transfers on the chain.

What large traders did, where it can be seen: in prints above the 99th percentile, in who took
whose offer, in what was added to the book, in coins moved to and from exchanges. Without such
records the detector is unavailable; a guess from bars, labelled as one, only on request.

Source: Cont, Kukanov and Stoikov, *The price impact of order book events*, Journal of Financial
Econometrics, 2014; Easley, Lopez de Prado and O'Hara, Review of Financial Studies, 2012 (VPIN).
"""

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import param

from opportunity.detectors.ahead import AHEAD, fetch, lines, span
from opportunity.detectors.bar_flow import BAR_FLOW, bar_flow_step
from opportunity.detectors.base import CONFIDENCE, SCORE, Detector, copy_events, report
from opportunity.detectors.deviations import VOLUMES, median_volume, push_volume, replace_volume
from opportunity.detectors.events import EVENT, N_EVENTS
from opportunity.detectors.whale_flow import (
    BUY,
    FLOW,
    SELL,
    SPELL,
    VPIN,
    take_books,
    take_prints,
    take_transfers,
    weigh_inputs,
)
from opportunity.detectors.whale_marks import KINDS, PROXY, follow_spell
from opportunity.detectors.whales_inputs import COLUMNS, NEEDS, WhalesInputs
from opportunity.kernels import kernel

BY_BARS, DELTA, TOXICITY = 2, 3, 4  # columns of the output row
QUIET: Final = 0.3
"""What a bar of very little volume leaves of the confidence."""

PROXY_ON: Final = 0.6
PROXY_OFF: Final = 0.3

STATE: Final = np.dtype(
    [
        ("n", "i8"),
        ("serial", "i4"),
        ("n_events", "i4"),
        ("guess", SPELL),  # the flow guessed from bars
        ("volumes", VOLUMES),
        ("flow", FLOW),
        ("bars", BAR_FLOW),
        ("events", EVENT, (N_EVENTS,)),
    ],
    align=True,
)

HOT: Final = lines(
    span(STATE, "n", "volumes"), span(FLOW, "seen", "ring", span(STATE, "flow", "flow")[0])
)
"""What every bar reads; see `opportunity.detectors.ahead`."""

PARAMS: Final = np.dtype(
    [
        ("proxy", "i8"),
        ("half_life", "f8"),
        ("full_share", "f8"),
        ("c_max", "f8"),
        ("proxy_c_max", "f8"),
    ],
    align=True,
)


@kernel
def _busy(s: Any, v: Any) -> Any:
    """Return how the volume compares with the usual one, in [0.3, 1], and take it in."""
    usual = median_volume(s)
    replace_volume(s, v)
    if usual <= 0.0:
        return 1.0 if v > 0.0 else QUIET
    return min(max(v / usual, QUIET), 1.0)


@kernel
def _guess(state: Any, params: Any, h: Any, low: Any, c: Any, v: Any, silent: Any, t: Any) -> Any:
    """Return the score that bars alone suggest; report it as a proxy while nothing else speaks."""
    value, sided = bar_flow_step(state.bars, h, low, c, v)
    side = 1 if value > 0.0 else -1
    on = silent and abs(value) >= PROXY_ON
    off = not silent or value * state.guess.side < PROXY_OFF
    follow_spell(state, state.guess, PROXY, side, on, off, abs(value), min(abs(value), 1.0), c, t)
    return value, sided


@kernel
def step(
    state: Any, params: Any, t: Any, o: Any, h: Any, low: Any, c: Any, v: Any, obs: Any, out: Any
) -> None:
    """Advance one stream by one closed bar."""
    state.n += 1
    state.n_events = 0
    take_prints(state, params, obs, v, c, t)
    take_books(state, obs)
    take_transfers(state, obs, c, t)
    score, coverage, said = weigh_inputs(state)
    confidence = 0.0
    silent = coverage <= 0.0
    busy = 0.0
    if silent and params.proxy == 0:
        push_volume(state.volumes, v)
    else:
        busy = _busy(state.volumes, v)
    if said:
        toxic = state.flow.vpin_rank
        trust = 1.0 if np.isnan(toxic) else 0.9 + 0.2 * toxic
        confidence = min(params.c_max * coverage * busy * trust, params.c_max)
    by_bars = 0.0
    if params.proxy != 0:
        value, sided = _guess(state, params, h, low, c, v, silent, t)
        if silent:
            by_bars = 1.0
            score = value
            trust = 0.9 + 0.2 * sided
            if value != 0.0:
                confidence = min(params.proxy_c_max * busy * trust, params.proxy_c_max)
    report(out, state.n, score, confidence)
    if silent and by_bars == 0.0:
        out[SCORE] = np.nan
        out[CONFIDENCE] = np.nan
    out[BY_BARS] = by_bars
    out[DELTA] = obs[BUY] - obs[SELL]
    out[TOXICITY] = obs[VPIN]


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


class Whales(Detector):
    """Large prints, order flow, the book and transfers, each as far as it is known.

    `score` is the mean of five inputs, by weight and freshness: large prints 0.35 (noisy-or of
    the last bars' net large flow), net aggressor volume of 24 bars 0.25, order flow imbalance of
    the book 0.20 (bars up to 15m), depth imbalance 0.10, transfers from (+) and to (-)
    exchanges 0.15. `confidence` is `c_max` times the part of the known inputs that is fresh,
    the bar's volume against the usual one, and 0.9 to 1.1 by the rank of VPIN.

    Unavailable without prints, books and transfers. With `proxy` bars alone are read where these
    are missing, at a lower confidence. Auxiliary outputs: `proxy`, 1 on bars that are scored
    from bars alone; `delta`, bought less sold, base currency; `vpin`, in [0, 1].

    Source: Cont, Kukanov and Stoikov, 2014; Easley, Lopez de Prado and O'Hara, 2012.
    """

    name = param.String("whales", constant=True, doc="Name on the wire and in weights.")
    proxy = param.Boolean(
        False, doc="Whether bars alone may be read where prints, books and transfers are missing."
    )
    half_life = param.Number(
        6.0, bounds=(0.5, 100.0), doc="Bars after which large prints count for half."
    )
    full_share = param.Number(
        0.3, bounds=(0.01, 1.0), doc="Share of the volume at which large prints count in full."
    )
    c_max = param.Number(
        0.5, bounds=(0.0, 1.0), doc="Confidence that the method deserves at most, [0, 1]."
    )
    proxy_c_max = param.Number(
        0.2, bounds=(0.0, 1.0), doc="Confidence that the proxy deserves at most, [0, 1]."
    )

    title = "Whales"
    needs = NEEDS
    columns = COLUMNS
    aux = ("proxy", "delta", "vpin")
    kinds = KINDS
    state_type = STATE
    params_type = PARAMS
    run = staticmethod(run)

    def remark(self, outputs: Mapping[str, float]) -> str:
        """Say who was ahead on the bar: ``bought less sold +12.3``, in base currency."""
        delta = outputs["delta"]
        return "" if math.isnan(delta) else f"bought less sold {delta:+,.4g}"

    def new_inputs(self, symbols: tuple[str, ...]) -> WhalesInputs:
        """Return what reads prints, books and transfers for `symbols`."""
        return WhalesInputs(symbols)

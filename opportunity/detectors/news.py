"""news: what headlines say about a coin and its market, weighed by impact and source, fading.

The tone comes from a list of words (`news_tone`), the link from names and codes (`news_links`),
repeats from other publishers corroborate (`news_repeats`), and the time is when a headline
arrived, never when it says it was written.

Source: Loughran and McDonald, Journal of Finance, 2011 (tone by field-specific word lists);
Tetlock, Journal of Finance, 2007 (the tone of news fades within days).
"""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import param

from opportunity.detectors.base import CONFIDENCE, SCORE, Detector, copy_events, report
from opportunity.detectors.events import ACTIVE, EVENT, N_EVENTS, TOUCHED, Kind
from opportunity.detectors.marks import mark, mark_number, mark_point
from opportunity.detectors.news_book import (
    BALANCE,
    COLUMNS,
    FIRST_PIN,
    ITEMS,
    N_PINS,
    PIN_WIDTH,
    REPEATED,
    STRENGTH,
)
from opportunity.detectors.news_inputs import MEMORY_MS, NewsInputs
from opportunity.kernels import kernel
from opportunity.market.observations import Headline, Heartbeat

AUX_BALANCE, AUX_ITEMS = 2, 3  # columns of the output row

STATE: Final = np.dtype(
    [("n", "i8"), ("n_events", "i4"), ("events", EVENT, (N_EVENTS,))], align=True
)
PARAMS: Final = np.dtype([("c_max", "f8")])


@kernel
def weigh_news(balance: Any, strength: Any, c_max: Any) -> Any:
    """Return score and confidence of the sums of p and of |p|.

    The score saturates: `T / (1 + |T|)`. The confidence `c_max n / (1 + n) (1 + |T| / n) / 2`
    grows with how much there is, and is halved where as much speaks for as against.
    """
    size = abs(balance)
    return balance / (1.0 + size), 0.5 * c_max * (strength + size) / (1.0 + strength)


@kernel
def _mark_pins(state: Any, t: Any, c: Any, obs: Any) -> None:
    """Report the strongest of the headlines that became known during the bar."""
    for i in range(N_PINS):
        at = FIRST_PIN + PIN_WIDTH * i
        if np.isnan(obs[at]):
            return
        serial, tone, what, quality = np.int64(obs[at]), obs[at + 1], obs[at + 2], obs[at + 3]
        repeated = what >= REPEATED
        kind = np.int64(what) - (REPEATED if repeated else 0)
        event = mark(
            state, kind, 1 if tone > 0.0 else -1, TOUCHED if repeated else ACTIVE, serial,
            state.n - 1, t, quality,
        )
        mark_point(state, event, t, c)
        mark_number(state, event, tone, 0.0)


@kernel
def step(
    state: Any, params: Any, t: Any, o: Any, h: Any, low: Any, c: Any, v: Any, obs: Any, out: Any
) -> None:
    """Advance one stream by one closed bar."""
    state.n += 1
    state.n_events = 0
    out[AUX_BALANCE] = obs[BALANCE]
    out[AUX_ITEMS] = obs[ITEMS]
    if np.isnan(obs[BALANCE]):
        out[SCORE] = np.nan
        out[CONFIDENCE] = np.nan
        return
    if not np.isnan(obs[FIRST_PIN]):
        _mark_pins(state, t, c, obs)
    score, confidence = weigh_news(obs[BALANCE], obs[STRENGTH], params.c_max)
    report(out, state.n, score, confidence)


@kernel
def run(
    states: Any, rows: Any, params: Any, time: Any, values: Any,
    obs: Any, out: Any, events: Any, counts: Any,
) -> None:  # fmt: skip
    """Drive `step` over streams and bars; see `Detector`."""
    for k in range(rows.size):
        state = states[rows[k]]
        # A slice of an array costs 4 ns, a fifth of a whole step here: few inside the loop.
        times, bars, known, told, room = time[k], values[k], obs[k], out[k], events[k]
        for j in range(times.size):
            if not np.isnan(bars[j, 3]):
                step(
                    state, params, times[j], bars[j, 0], bars[j, 1], bars[j, 2], bars[j, 3],
                    bars[j, 4], known[j], told[j],
                )  # fmt: skip
                counts[k] = copy_events(state, room, counts[k])


class News(Detector):
    """Tone and impact of headlines about a coin or the whole market.

    `score = T / (1 + |T|)` and `confidence = 0.4 n / (1 + n) (0.5 + 0.5 |T| / n)`, with T the
    sum of the strengths of the living headlines and n that of their sizes. Available while a
    source of headlines is alive: a headline or a heartbeat in the last 30 minutes. Alive and
    nothing to tell: score 0, confidence 0. Auxiliary outputs: `balance`, T, and `items`, how
    many headlines with a tone live.

    Source: Loughran and McDonald, Journal of Finance, 2011; Tetlock, Journal of Finance, 2007.
    """

    name = param.String("news", constant=True, doc="Name on the wire and in weights.")
    c_max = param.Number(
        0.4, bounds=(0.0, 1.0), doc="Confidence that the method deserves at most, [0, 1]."
    )
    tone = param.Callable(
        None, allow_None=True,
        doc="From a title to its tone in [-1, 1], for a model of your own; None: our word list.",
    )  # fmt: skip
    publishers = param.Dict(
        {}, doc="Weights in [0, 1] by publisher, over the built-in table; unknown ones have 0.4."
    )

    title = "News"
    needs = MappingProxyType({Headline: MEMORY_MS, Heartbeat: MEMORY_MS})
    columns = COLUMNS
    aux = ("balance", "items")
    kinds = (
        Kind("minor", "{side} view or price report, tone {x:+.2f} ({state})", ("N",)),
        Kind("headline", "{side} headline, tone {x:+.2f} ({state})", ("N",), badge="News"),
        Kind("major", "{side} major headline, tone {x:+.2f} ({state})", ("N",), badge="Major news"),
    )
    state_type = STATE
    params_type = PARAMS
    run = staticmethod(run)

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        for publisher, weight in self.publishers.items():
            if not 0.0 <= weight <= 1.0:
                raise ValueError(f"publishers[{publisher!r}] must be in [0, 1], was {weight}")

    def remark(self, outputs: Mapping[str, float]) -> str:
        """Count the headlines that still matter: ``3 headlines with a tone, balance +0.42``."""
        if math.isnan(outputs["items"]):
            return ""
        n = round(outputs["items"])
        if not n:
            return "no headline with a tone"
        return f"{n} headline{'' if n == 1 else 's'} with a tone, balance {outputs['balance']:+.2f}"

    def new_inputs(self, symbols: tuple[str, ...]) -> NewsInputs:
        """Return what reads headlines for `symbols`."""
        return NewsInputs(symbols, self.tone, self.publishers)

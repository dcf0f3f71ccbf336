"""sentiment: what the crowd feels and pays, with it in the middle and against it at extremes.

Reads point-in-time records only: Fear & Greed, funding, open interest, long/short ratio, tone of
headlines, social volume. Each counts by its freshness; what is missing drops out, and with
nothing fresh the detector is not available.

Source: product rules of our own after Schmeling, Schrimpf, Todorov (BIS 2023) on crowded carry
and the contrarian reading of Fear & Greed (alternative.me); see docs/detectors/sentiment.md.
"""

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import param

from opportunity.detectors.base import CONFIDENCE, SCORE, Detector, copy_events, report
from opportunity.detectors.events import EVENT, N_EVENTS
from opportunity.detectors.inputs import Inputs
from opportunity.detectors.sentiment_extremes import EXTREMES, KINDS, tell_extremes
from opportunity.detectors.sentiment_inputs import COLUMNS, NEEDS, SentimentInputs
from opportunity.detectors.sentiment_maps import (
    MOOD_SCALE,
    change_worth,
    funding_worth,
    interest_worth,
    mood_worth,
    ratio_worth,
)
from opportunity.kernels import kernel
from opportunity.market.timeframe import DAY_MS, HOUR_MS

SOCIAL_SCALE: Final = 1 / 3
N_PRICES: Final = 32
"""Closes remembered, one an hour: 26 are needed when bars are missing; a power of two."""

_PLACE: Final = N_PRICES - 1  # number & _PLACE = place in the ring

STATE: Final = np.dtype(
    [
        ("n", "i8"),
        ("pushed", "i8"),  # closes remembered so far
        ("day", "i8"),  # how many of them are at least 24 hours old
        ("hour", "i8"),  # when the next close is to be remembered
        ("extremes", EXTREMES),
        ("times", "i8", (N_PRICES,)),
        ("closes", "f8", (N_PRICES,)),
        ("n_events", "i4"),
        ("events", EVENT, (N_EVENTS,)),
    ],
    align=True,
)

PARAMS: Final = np.dtype(
    [
        ("mood_weight", "f8"), ("change_weight", "f8"), ("funding_weight", "f8"),
        ("open_interest_weight", "f8"), ("long_short_weight", "f8"), ("tone_weight", "f8"),
        ("attention", "f8"), ("c_max", "f8"),
    ],
    align=True,
)  # fmt: skip


@kernel
def _moved(s: Any, t: Any, close: Any) -> Any:
    """Remember the close; return its change over 24 hours, NaN while that is unknown."""
    while s.day < s.pushed and s.times[s.day & _PLACE] <= t - DAY_MS:
        s.day += 1
    if t >= s.hour:
        s.hour = (t // HOUR_MS + 1) * HOUR_MS
        s.times[s.pushed & _PLACE] = t
        s.closes[s.pushed & _PLACE] = close
        s.pushed += 1
    return close - s.closes[(s.day - 1) & _PLACE] if s.day > 0 else np.nan


@kernel
def step(
    state: Any, params: Any, t: Any, o: Any, h: Any, low: Any, c: Any, v: Any, obs: Any, out: Any
) -> None:
    """Advance one stream by one closed bar; `obs` holds the columns of `SentimentInputs`."""
    state.n += 1
    state.n_events = 0
    moved = _moved(state, t, c)
    fear_greed, points, rank = obs[0], obs[1], obs[3]
    growth, ratio, tone, social = obs[5], obs[7], obs[9], obs[11]
    mass = connected = level = change = funding = interest = crowd = news = 0.0
    # A freshness is NaN while its input is not connected, a reading while it is unknown or stale.
    if obs[2] >= 0.0:
        connected += params.mood_weight + params.change_weight
        if fear_greed >= 0.0:
            x = (fear_greed - 50.0) / MOOD_SCALE  # divided: 15 points have to be -0.7 exactly
            mass += params.mood_weight * obs[2]
            level = params.mood_weight * obs[2] * mood_worth(x)
            if not np.isnan(points):
                mass += params.change_weight * obs[2]
                change = params.change_weight * obs[2] * change_worth(points, x)
    if obs[4] >= 0.0:
        connected += params.funding_weight
        if not np.isnan(rank):
            mass += params.funding_weight * obs[4]
            funding = params.funding_weight * obs[4] * funding_worth(rank)
    if obs[6] >= 0.0:
        connected += params.open_interest_weight
        worth = interest_worth(growth, moved, rank)
        if not np.isnan(worth):
            mass += params.open_interest_weight * obs[6]
            interest = params.open_interest_weight * obs[6] * worth
    if obs[8] >= 0.0:
        connected += params.long_short_weight
        if not np.isnan(ratio):
            mass += params.long_short_weight * obs[8]
            crowd = params.long_short_weight * obs[8] * ratio_worth(ratio)
    if obs[10] >= 0.0:
        connected += params.tone_weight
        if not np.isnan(tone):
            mass += params.tone_weight * obs[10]
            news = params.tone_weight * obs[10] * tone

    tell_extremes(state, t, c, fear_greed, rank, growth)
    out[2] = fear_greed
    out[3] = 0.5 * (1.0 + rank)
    if mass > 0.0:
        share = 1.0 / mass
        confidence = params.c_max * mass / connected
        if social > 0.0 and obs[12] > 0.0:
            confidence += params.attention * min(SOCIAL_SCALE * social, 1.0) * obs[12]
        total = level + change + funding + interest + crowd + news
        report(out, state.n, total / mass, min(confidence, params.c_max))
    else:
        out[SCORE] = np.nan
        out[CONFIDENCE] = np.nan
        share = np.nan
    out[4] = share * (level + change)
    out[5] = share * funding
    out[6] = share * interest
    out[7] = share * crowd
    out[8] = share * news


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


def _weight(default: float, doc: str) -> Any:
    return param.Number(default, bounds=(0.0, 1.0), doc=f"Weight of {doc}.")


class Sentiment(Detector):
    """What the crowd feels and pays, from Fear & Greed, funding, positions and headlines.

    `score = sum w f s / sum w f` over the inputs, s their worth in [-1, 1] and f their freshness;
    `confidence = c_max * sum w f / sum w of connected inputs`, raised by social volume, at most
    c_max. NaN while nothing is fresh, whatever was known before.

    Auxiliary outputs: `fear_greed` (0 to 100), `funding_percentile` (0 to 1), and the parts of
    the score `by_fear_greed`, `by_funding`, `by_open_interest`, `by_long_short`, `by_tone`,
    which sum to it.

    Source: see docs/detectors/sentiment.md; weights and corners are our defaults.
    """

    name = param.String("sentiment", constant=True, doc="Name on the wire and in weights.")
    mood_weight = _weight(0.25, "the level of Fear & Greed")
    change_weight = _weight(0.10, "the change of Fear & Greed in seven days")
    funding_weight = _weight(0.25, "the percentile of funding")
    open_interest_weight = _weight(0.15, "the growth of open interest")
    long_short_weight = _weight(0.15, "the long/short ratio")
    tone_weight = _weight(0.10, "the tone of headlines")
    tone = param.Callable(
        None, allow_None=True,
        doc="From a title to its tone in [-1, 1], for a model of your own; None: our word list.",
    )  # fmt: skip
    attention = param.Number(
        0.10, bounds=(0.0, 1.0), doc="What unusual social volume adds to the confidence at most."
    )
    c_max = param.Number(
        0.40, bounds=(0.0, 1.0), doc="Confidence that the method deserves at most."
    )

    title = "Sentiment"
    needs = NEEDS
    columns = COLUMNS
    aux = (
        "fear_greed", "funding_percentile",
        "by_fear_greed", "by_funding", "by_open_interest", "by_long_short", "by_tone",
    )  # fmt: skip
    kinds = KINDS
    state_type = STATE
    params_type = PARAMS
    run = staticmethod(run)

    def remark(self, outputs: Mapping[str, float]) -> str:
        """Name the levels that are known: ``Fear & Greed 71, funding above 93 % of its past``."""
        mood, rank = outputs["fear_greed"], outputs["funding_percentile"]
        told = [] if math.isnan(mood) else [f"Fear & Greed {mood:.0f}"]
        if not math.isnan(rank):
            told.append(f"funding above {100 * rank:.0f} % of its past")
        return ", ".join(told)

    def new_inputs(self, symbols: tuple[str, ...]) -> Inputs:
        """Return what reads records for `symbols`."""
        return SentimentInputs(symbols, self.tone)

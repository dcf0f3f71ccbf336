"""Price action: candles in context, breakouts, levels, chart formations and the trend."""

from typing import Any, Final

import numpy as np
import param

from opportunity.detectors.ahead import AHEAD, fetch, lines, span
from opportunity.detectors.base import WARMUP, Detector, copy_events, report
from opportunity.detectors.breakouts import BREAKOUT, find_breakout, follow_breakout, is_open
from opportunity.detectors.candle_evidence import (
    MOTHER,
    find_candle,
    follow_candle,
    mother_step,
)
from opportunity.detectors.candles import N_CANDLES
from opportunity.detectors.events import ACTIVE, DONE, EVENT, N_EVENTS, Kind
from opportunity.detectors.evidence import ITEM
from opportunity.detectors.formations import (
    DOUBLE,
    FORMATION,
    SHOULDERS,
    find_formation,
    follow_formation,
    formations_step,
)
from opportunity.detectors.levels import BAND, N_BANDS, N_WATCHED, add_pivot, bands_step
from opportunity.detectors.marks import mark, mark_point, mark_zone
from opportunity.detectors.rolling import N_MEDIAN, N_RING, RANGE, range_step
from opportunity.detectors.slots import N_ITEMS, age_slots, combine_slots
from opportunity.detectors.swings import SWINGS, pivot, swings_step
from opportunity.indicators import ATR, EMA, atr_step, ema_step
from opportunity.kernels import kernel

INTERNAL, SWING = 1.5, 3.0
CONSOLIDATION: Final = 16
TREND: Final = 17
TREND_WEIGHT: Final = 0.25
TIGHT: Final = 3.0
"""Range of the last bars, in ATR, below which they are a consolidation."""

STATE: Final = np.dtype(
    [
        ("n", "i8"),
        ("n_events", "i4"),
        ("serial", "i8"),
        ("lead", "i1"),  # side of the last bar that had one; breaks ties in the order of sides
        ("beyond", "i1"),  # side to which the last bar closed beyond the bars before it
        ("tight", "i1"),
        ("still", "i8"),  # bars since price last moved
        ("tight_serial", "i8"),
        ("tight_time", "i8"),
        ("origin", "f8"),  # first close: averages are taken of differences, which mirror exactly
        ("atr", ATR),
        ("fast", EMA),
        ("slow", EMA),
        ("oldest", "i8"),  # place of the oldest volume
        ("base", RANGE),
        ("mother", MOTHER),
        ("n_bands", "i8"),
        ("used", "i8"),
        ("watch", "f8", (N_WATCHED, N_BANDS)),
        ("items", ITEM, (N_ITEMS,)),
        ("internal", SWINGS),
        ("swings", SWINGS),
        ("formations", FORMATION, (2, 2)),
        ("bars", "f8", (N_RING, 5)),  # open, high, low, close, ATR before the bar
        ("times", "i8", (N_RING,)),
        ("volumes", "f8", (N_MEDIAN,)),
        ("bands", BAND, (N_BANDS,)),
        ("events", EVENT, (N_EVENTS,)),
    ],
    align=True,
)

_SWINGS: Final = [span(STATE, f, f)[0] for f in ("internal", "swings")]

HOT: Final = lines(
    span(STATE, "n", "items"),
    *(span(SWINGS, "direction", "low_time", begin) for begin in _SWINGS),
    span(STATE, "formations", "bars"),
)
"""What nearly every bar reads; see `opportunity.detectors.ahead`."""

PARAMS: Final = np.dtype(
    [
        ("lookback", "i8"),
        ("margin", "f8"),
        ("volume", "f8"),
        ("join", "f8"),
        ("near", "f8"),
        ("c_max", "f8"),
    ],
    align=True,
)


@kernel
def _remember(s: Any, n: Any, t: Any, o: Any, h: Any, l: Any, c: Any, unit: Any) -> None:  # noqa: E741
    """Write the bar into the ring and note its side and whether price moved at all."""
    before = s.bars[(n - 1) & (N_RING - 1), 3] if n > 0 else c
    if c != o:
        s.lead = 1 if c > o else -1
    elif c != before:
        s.lead = 1 if c > before else -1
    elif s.lead == 0:
        s.lead = 1
    s.still = s.still + 1 if h == l and c == before else 0
    row = s.bars[n & (N_RING - 1)]
    row[0] = o
    row[1] = h
    row[2] = l
    row[3] = c
    row[4] = unit
    s.times[n & (N_RING - 1)] = t


@kernel
def _is_measured(s: Any, n: Any) -> Any:
    """Tell whether the last three bars have a unit: patterns are measured in it."""
    last = N_RING - 1
    return (
        s.bars[(n - 2) & last, 4] > 0.0
        and s.bars[(n - 1) & last, 4] > 0.0
        and s.bars[n & last, 4] > 0.0
    )


@kernel
def _follow(s: Any, p: Any, n: Any, t: Any, h: Any, l: Any, c: Any, a: Any) -> None:  # noqa: E741
    """Test every item against the bar, except those placed on it."""
    for k in range(1, s.used):
        item = s.items[k]
        if item.alive == 0 or item.age == 0:
            continue
        if item.kind < N_CANDLES:
            follow_candle(s, k, n, t, c)
        elif item.kind == BREAKOUT:
            if is_open(item):
                follow_breakout(s, p, k, n, t, h, l, c, a)
        elif item.kind == DOUBLE or item.kind == SHOULDERS:
            follow_formation(s, k, n, t, h, l, c)


@kernel
def _tight_step(s: Any, p: Any, n: Any, t: Any, a: Any) -> None:
    """Report the begin and the end of a consolidation; it has no side and no score."""
    span = s.base.high - s.base.low
    tight = span > 0.0 and span < TIGHT * a
    if tight == (s.tight != 0):
        return
    if tight:
        s.tight = 1
        s.serial += 1
        s.tight_serial = s.serial
        s.tight_time = s.times[(n - p.lookback + 1) & (N_RING - 1)]
    else:
        s.tight = 0
    i = mark(s, CONSOLIDATION, 0, ACTIVE if tight else DONE, s.tight_serial, n, t, 0.0)
    mark_point(s, i, s.tight_time, s.base.low)
    mark_point(s, i, t, s.base.high)
    mark_zone(s, i, s.base.high, s.base.low)


@kernel
def _trend(s: Any, fast: Any, slow: Any, a: Any) -> None:
    """Keep the trend in the first slot; a market that stands still has none."""
    item = s.items[0]
    gap = fast - slow
    item.alive = 0
    if a > 0.0 and abs(gap) > 0.0 and s.still < WARMUP:
        item.alive = 1
        item.kind = TREND
        item.side = 1 if gap > 0.0 else -1
        item.weight = TREND_WEIGHT
        item.quality = min(abs(gap) / (2.0 * a), 1.0)
        item.p = item.weight * item.quality


@kernel
def step(
    s: Any, p: Any, t: Any, o: Any, h: Any, l: Any, c: Any, v: Any, obs: Any, out: Any  # noqa: E741
) -> None:
    """Advance one stream by one closed bar; see `PriceAction`."""
    n = s.n
    if n == 0:
        s.origin = c
    s.n += 1
    s.n_events = 0
    unit = s.atr.value if s.atr.n > 14 else np.nan
    a = atr_step(s.atr, 14, h, l, c)
    fast = ema_step(s.fast, 12, c - s.origin)
    slow = ema_step(s.slow, 26, c - s.origin)
    _remember(s, n, t, o, h, l, c, unit)

    age_slots(s)
    moving = a > 0.0
    if moving:
        _follow(s, p, n, t, h, l, c, a)
        bands_step(s, p, n, t, c, a)
    internal = swings_step(s.internal, INTERNAL, n, t, o, h, l, c, a)
    swing = swings_step(s.swings, SWING, n, t, o, h, l, c, a)
    full = moving and n >= p.lookback and _is_measured(s, n)
    if full:
        find_breakout(s, p, n, t, c, a, v)
        find_candle(s, p, s.lead, n, t, a, v)
        find_candle(s, p, -s.lead, n, t, a, v)
    if moving:
        if swing != 0:
            find_formation(s, n, t, a)
        formations_step(s, s.lead, n, t, c)
        if internal != 0:
            add_pivot(s, p, s.internal.pivots[pivot(s.internal, 0)], 1.0, n, t, c, a)
        if swing != 0:
            add_pivot(s, p, s.swings.pivots[pivot(s.swings, 0)], 2.0, n, t, c, a)
    range_step(s.base, s.bars, n, p.lookback)
    s.volumes[s.oldest] = v
    s.oldest = s.oldest + 1 if s.oldest + 1 < N_MEDIAN else 0
    if full:
        mother_step(s, n, t, c)
        _tight_step(s, p, n, t, a)
    _trend(s, fast, slow, a)
    score, confidence = combine_slots(s, p.c_max)
    report(out, s.n, score, confidence)


@kernel
def run(
    states: Any, rows: Any, params: Any, time: Any, values: Any, obs: Any, out: Any,
    events: Any, counts: Any,
) -> None:
    """Drive streams over bars; see `opportunity.detectors.base`."""
    for k in range(rows.size):
        fetch(states, rows, k + AHEAD, HOT)
        state = states[rows[k]]
        for j in range(time.shape[1]):
            bar = values[k, j]
            if not np.isnan(bar[3]):  # rows padded with NaN: a shorter stream in a batch
                step(
                    state, params, time[k, j], bar[0], bar[1], bar[2], bar[3], bar[4],
                    obs[k, j], out[k, j],
                )
                counts[k] = copy_events(state, events[k], counts[k])


class PriceAction(Detector):
    """Candle patterns in context, breakouts, support and resistance, formations and trend.

    Reversal candles count only at a 10-bar extreme after a move, breakouts more with volume
    and out of a narrow base, levels where price returns to them from afar, formations once
    their neckline is broken. A term for the trend of two averages keeps it from silence.

    Notes
    -----
    Score in [-1, 1], confidence in [0, `c_max`]; NaN on the first 99 bars. Causal, one pass,
    fixed memory. Distances are measured in Wilder's ATR 14.

    Source: Nison, *Japanese Candlestick Charting Techniques* (1991); Bulkowski, *Encyclopedia
    of Candlestick Charts* (2008) and *of Chart Patterns* (2005); Edwards and Magee, *Technical
    Analysis of Stock Trends* (1948); Brooks, *Reading Price Charts Bar by Bar* (2009).
    """

    name = param.String("price_action", constant=True, doc="Name on the wire and in weights")
    title = "Price action"
    state_type = STATE
    params_type = PARAMS
    run = staticmethod(run)
    kinds = (
        Kind("pin_bar", "{side} pin bar", badge="Pin bar"),
        Kind("engulfing", "{side} engulfing bar", badge="Engulfing"),
        Kind("piercing", "{side} piercing bar (dark cloud if bearish)", badge="Piercing"),
        Kind("harami", "{side} harami", badge="Harami"),
        Kind("star", "{side} star", badge="Star"),
        Kind("tweezer", "{side} tweezer", badge="Tweezer"),
        Kind("soldiers", "{side} run of three bars", badge="Three bars"),
        Kind("marubozu", "{side} thrust without wicks", badge="Marubozu"),
        Kind("inside_bar", "{side} inside bar, mother bar {state}"),
        Kind("outside_bar", "{side} outside bar {state}"),
        Kind("doji", "{side} doji {state}"),
        Kind("breakout", "{side} breakout at {price:.6g} {state}", badge="Breakout"),
        Kind(
            "failed_breakout", "{side} turn: breakout at {price:.6g} failed",
            badge="Failed breakout",
        ),
        Kind("level", "{side} level at {price:.6g}, strength {x:.1f}, {state}"),
        Kind(
            "double", "{side} double formation {state}", ("1", "neckline", "2"),
            badge="Double top/bottom",
            lasting=True,
        ),
        Kind(
            "head_shoulders", "{side} head and shoulders {state}",
            ("shoulder", "neckline", "head", "neckline", "shoulder"),
            badge="Head & shoulders",
            lasting=True,
        ),
        Kind("consolidation", "Narrow range {state}"),
    )

    lookback = param.Integer(
        20, bounds=(5, 30), doc="Bars whose extremes a breakout closes beyond"
    )
    margin = param.Number(
        0.25, bounds=(0.01, 2), doc="How far beyond the level a breakout closes, ATR"
    )
    volume = param.Number(
        1.5, bounds=(1, 10), doc="Volume that stands out, in medians of the 50 bars before"
    )
    join = param.Number(
        0.35, bounds=(0.05, 2), doc="Distance within which a pivot joins a level, ATR"
    )
    near = param.Number(
        0.5, bounds=(0.1, 1.4), doc="Distance within which price is at a level, ATR"
    )
    c_max = param.Number(0.6, bounds=(0, 1), doc="Confidence at full evidence, fraction")

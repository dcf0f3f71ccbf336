"""smc: market structure, gaps, order blocks and liquidity, and the ICT sequence beside them.

Source: Huddleston (ICT lectures; no book); LuxAlgo, *Smart Money Concepts*; the package
`smartmoneyconcepts`. Nothing here is standardised; docs/detectors/smc.md says what we chose.
"""

from typing import Any, Final

import numpy as np
import param

from opportunity.detectors.ahead import AHEAD, fetch, lines, span
from opportunity.detectors.base import Detector, copy_events, report
from opportunity.detectors.events import EVENT
from opportunity.detectors.evidence import ITEM, quieter, weigh
from opportunity.detectors.leg_items import age_live, is_live
from opportunity.detectors.smc_blocks import expire_blocks, find_block
from opportunity.detectors.smc_clock import CLOCK, clock_step
from opportunity.detectors.smc_gaps import LAST, N_BARS, find_gap
from opportunity.detectors.smc_ict import CHAIN, age_chains, follow_chains
from opportunity.detectors.smc_kinds import KINDS
from opportunity.detectors.smc_liquidity import (
    LAST_SWEEP,
    N_POOLS,
    POOL,
    SWEPT,
    SWING_POOL,
    check_sweeps,
    clear_pools,
    find_equal,
    set_pool,
    set_windows,
    sweep_pools,
)
from opportunity.detectors.smc_range import (
    BALANCED,
    BAND,
    DEALING,
    OTE_WEIGHT,
    RANGE_WEIGHT,
    band_quality,
    follow_band,
    premium,
    set_band,
    set_edge,
)
from opportunity.detectors.smc_structure import (
    NEWS,
    STRUCTURE,
    broken_side,
    end_opposite,
    record_break,
    set_reference,
)
from opportunity.detectors.smc_zones import (
    N_ZONES,
    ZONE,
    clear_zones,
    follow_zones,
    hush_zones,
    row_of,
)
from opportunity.detectors.swings import SWINGS, pivot, swings_step
from opportunity.indicators.atr import ATR, atr_step
from opportunity.kernels import kernel

ATR_PERIOD: Final = 14
ICT_SCORE: Final = 2
"""Column of the output row that `ict` begins at."""

STRONG_BODY: Final = 1.0
LONG_AGO: Final = -1_000
ROOM: Final = 32
"""Events of one bar. A bar that closes through a wall of zones ends and begins many at once; the
most is 21 on 132,000 recorded hours, and what is not told would stay on a chart for ever."""

STATE: Final = np.dtype(
    [
        # Every bar reads what comes before `zones`.
        ("n", "i8"),
        ("serial", "i8"),
        ("live", "i8"),  # a bit for each slot of `items` in use
        ("atr", ATR),
        ("atr_before", "f8"),
        ("expiry", "i4"),  # number of the bar on which some block may be too old
        ("lifetime", "i4"),  # of a block, bars
        ("thrusts", "i4", (2,)),  # number of the last bar with displacement, up and down
        ("gap_bar", "i4", (2,)),  # when the newest gap of each side was found, and where it is
        ("gap_slot", "i4", (2,)),
        ("strong", "i1"),  # the bar before had a body of at least one ATR
        ("lead", "i1"),  # side of the last bar that had one: it goes first where both sides may
        ("late", "i1", (2, N_POOLS)),
        ("n_events", "i4"),
        ("structure", STRUCTURE, (2,)),  # internal, swing
        ("news", NEWS, (2,)),
        ("swept", SWEPT, (2,)),  # of highs, of lows
        ("dealing", DEALING),
        ("band", BAND),
        ("levels", "f8", (2, N_POOLS)),  # prices of the pools: highs, lows
        ("near", "f8", (2, N_ZONES)),  # near edges of the zones: support, resistance
        ("quality", "f8", (2, N_ZONES)),  # what they are worth now
        ("clock", CLOCK),
        ("chains", CHAIN, (2,)),
        ("items", ITEM, (LAST_SWEEP,)),
        ("bars", "f8", (N_BARS, 4)),  # open, high, low, close
        ("times", "i8", (N_BARS,)),
        ("swings", SWINGS, (2,)),
        ("zones", ZONE, (2, N_ZONES)),
        ("pools", POOL, (2, N_POOLS)),
        ("events", EVENT, (ROOM,)),
    ],
    align=True,
)

_SWINGS: Final = span(STATE, "swings", "swings")[0]

HOT: Final = lines(
    span(STATE, "n", "items"),
    *(span(SWINGS, "direction", "low_time", _SWINGS + i * SWINGS.itemsize) for i in range(2)),
)
"""What nearly every bar reads; see `opportunity.detectors.ahead`."""

PARAMS: Final = np.dtype(
    [
        ("internal", "f8"),
        ("swing", "f8"),
        ("least_gap", "f8"),
        ("merge", "i8"),
        ("thrust", "f8"),
        ("equal", "f8"),
        ("pierce", "f8"),
        ("max_age", "i8"),
        ("c_max", "f8"),
    ],
    align=True,
)


@kernel
def _begin(s: Any, p: Any) -> None:
    """Give a fresh state the values that all zero bytes do not stand for."""
    s.lifetime = p.max_age
    s.expiry = p.max_age
    clear_zones(s)
    clear_pools(s)
    for k in range(2):
        s.thrusts[k] = LONG_AGO
        s.gap_bar[k] = LONG_AGO
        s.dealing.edge[k] = np.nan
        for j in range(2):
            s.structure[j].reference[k] = np.nan


@kernel
def _break_structure(
    s: Any, scales: Any, n: Any, t: Any, h: Any, low: Any, c: Any, a: Any
) -> Any:
    """Test the references, move the swings, record the breaks; return the sides of new pivots."""
    for j in range(2):
        s.news[j].side = broken_side(s.structure[j], c)
    turned_0 = swings_step(s.swings[0], scales[0], n, t, c, h, low, c, a)
    turned_1 = swings_step(s.swings[1], scales[1], n, t, c, h, low, c, a)
    for j in range(1, -1, -1):
        if s.news[j].side != 0:
            record_break(s, j, scales[j], n, t, h, low, c, a)
    return turned_0, turned_1


@kernel
def _use_pivots(
    s: Any, p: Any, scales: Any, turned: Any, n: Any, t: Any, c: Any, a: Any
) -> None:
    """Make what was confirmed on this bar references, pools and the dealing range."""
    for j in range(1, -1, -1):
        if turned[j] == 0:
            continue
        point = s.swings[j].pivots[pivot(s.swings[j], 0)]
        set_reference(s.structure[j], point)
        if j == 1:
            set_pool(s, row_of(point.side), SWING_POOL, point.price, point.time, scales, n, t)
            set_edge(s, point, scales[1], n, t, c)
        find_equal(s, p, j, scales, n, t, a)


@kernel
def _look(
    s: Any, p: Any, t: Any, h: Any, low: Any, c: Any, before: Any, a: Any
) -> None:
    """Do everything that needs an ATR. What matters most comes first: it gets an event record."""
    n = s.n - 1
    scales = (p.internal, p.swing)
    check_sweeps(s, n, t, c, scales)
    turned = _break_structure(s, scales, n, t, h, low, c, a)
    sweep_pools(s, p, scales, n, t, h, low, c, a)
    gap, slot = 0, -1
    if before > 0.0:
        gap, slot = find_gap(s, p, n, t, h, low, c, before, a)
    follow_chains(s, gap, slot, n, t, h, low, c)
    for j in range(1, -1, -1):
        news = s.news[j]
        if (news.side != 0) & (news.thrust != 0):
            find_block(s, news.side, news.bar, news.quality, scales[j], n, t, c, a)
    follow_band(s, p.swing, n, t, h, low, c)
    if s.news[1].side != 0:
        set_band(s, p.swing, n, t, h, low)
    if n >= s.expiry:
        expire_blocks(s, n, t)
    follow_zones(s, n, t, h, low, c, a)
    if (turned[0] != 0) | (turned[1] != 0):
        _use_pivots(s, p, scales, turned, n, t, c, a)
    for j in range(1, -1, -1):
        if s.news[j].side != 0:
            end_opposite(s, j, scales[j], n, t)


@kernel
def _remember(s: Any, p: Any, t: Any, o: Any, h: Any, low: Any, c: Any, before: Any) -> None:
    """Keep the bar for the blocks and gaps of later ones."""
    n = s.n - 1
    bar = s.bars[n & LAST]
    bar[0] = o
    bar[1] = h
    bar[2] = low
    bar[3] = c
    s.times[n & LAST] = t
    s.strong = 1 if before > 0.0 and abs(c - o) >= STRONG_BODY * before else 0


@kernel
def _combine(s: Any, p: Any, c: Any, a: Any) -> Any:
    """Return score and confidence of breaks, sweeps, zones, the dealing range and the band."""
    up = 1.0
    down = 1.0
    for slot in range(LAST_SWEEP):
        if s.live >> slot == 0:
            break
        if is_live(s, slot):
            up, down = quieter(up, down, s.items[slot])
    if a > 0.0:
        up = hush_zones(s, 0, up, c, a)
        down = hush_zones(s, 1, down, c, a)
        z = premium(s, c)
        if z < -BALANCED:
            up *= 1.0 + RANGE_WEIGHT * z
        elif z > BALANCED:
            down *= 1.0 - RANGE_WEIGHT * z
        worth = OTE_WEIGHT * band_quality(s.band, c)
        if s.band.side > 0:
            up *= 1.0 - worth
        else:
            down *= 1.0 - worth
    return weigh(up, down, p.c_max)


@kernel
def step(
    state: Any, params: Any, t: Any, o: Any, h: Any, low: Any, c: Any, v: Any, obs: Any, out: Any
) -> None:
    """Advance one stream by one closed bar."""
    s = state
    n = s.n
    s.n += 1
    s.n_events = 0
    if n == 0:
        _begin(s, params)
    before = s.atr_before
    a = atr_step(s.atr, ATR_PERIOD, h, low, c)
    if c != o:
        s.lead = 1 if c > o else -1
    if before > 0.0 and abs(c - o) >= params.thrust * before:
        s.thrusts[row_of(s.lead)] = n
    ended = clock_step(s.clock, n, t, h, low)
    if ended != 0:
        set_windows(s, ended, (params.internal, params.swing), n, t)
    age_live(s)
    age_chains(s)
    if a > 0.0:
        _look(s, params, t, h, low, c, before, a)
    _remember(s, params, t, o, h, low, c, before)
    s.atr_before = a
    score, confidence = _combine(s, params, c, a)
    report(out, s.n, score, confidence)
    ict, belief = weigh(1.0 - s.chains[0].p, 1.0 - s.chains[1].p, params.c_max)
    report(out[ICT_SCORE:], s.n, ict, belief)


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


class Smc(Detector):
    """Smart money concepts: structure, gaps, order blocks, liquidity, premium and discount.

    Breaks of the internal and the swing structure (BOS with the trend, CHoCH against it) and
    sweeps of liquidity are evidence that decays; fair value gaps, order blocks and breakers are
    evidence while price is in or near them; so are the discount or premium of the dealing range
    and the retracement band of the swing leg. Auxiliary outputs: `ict`, the signed value in
    [-1, 1] of the sequence sweep, change of character, gap, return, weighed by the session, and
    `ict_confidence` in [0, 1]. It reads the clock: days, weeks and sessions are UTC.

    Source: Huddleston, ICT lectures; LuxAlgo, Smart Money Concepts.
    """

    name = param.String("smc", constant=True, doc="Name on the wire and in weights.")
    internal = param.Number(
        1.5, bounds=(0.5, 20.0), doc="Reversal that makes a pivot of the internal scale, ATR."
    )
    swing = param.Number(
        3.0, bounds=(0.5, 50.0), doc="Reversal that makes a pivot of the swing scale, ATR."
    )
    least_gap = param.Number(
        0.25, bounds=(0.0, 10.0), doc="Height from which a fair value gap counts, ATR before."
    )
    merge = param.Integer(
        2, bounds=(0, 50), doc="Bars within which gaps of one side become one; 0 never."
    )
    thrust = param.Number(
        1.5, bounds=(0.1, 20.0), doc="Body from which a bar is displacement, ATR before it."
    )
    equal = param.Number(
        0.15, bounds=(0.0, 2.0), doc="Distance up to which two pivots are equal, ATR."
    )
    pierce = param.Number(
        0.05, bounds=(0.0, 2.0), doc="How far beyond a pool a sweep reaches at least, ATR."
    )
    max_age = param.Integer(
        200, bounds=(10, 10_000), doc="Bars that an order block or a breaker lives."
    )
    c_max = param.Number(
        0.60, bounds=(0.0, 1.0), doc="Confidence that the method deserves at most, [0, 1]."
    )

    title = "SMC"
    aux = ("ict", "ict_confidence")
    kinds = KINDS
    state_type = STATE
    params_type = PARAMS
    run = staticmethod(run)

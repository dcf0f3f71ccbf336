import numpy as np
from smc_bars import after_lead, events_of, walk

from opportunity.detectors.smc import Smc
from opportunity.detectors.smc_kinds import (
    BLOCK,
    BREAK,
    BREAKER,
    EQUAL,
    GAP,
    ICT,
    INVERSE,
    KINDS,
    OTE,
    RANGE,
    SWEEP,
)
from opportunity.detectors.smc_liquidity import N_POOLS


def test_numbers_name_their_kinds():
    names = {
        BREAK: "bos", BREAK + 1: "bos", BREAK + 2: "choch", BREAK + 3: "choch", GAP: "fvg",
        INVERSE: "inverse_fvg", BLOCK: "order_block", BREAKER: "breaker", EQUAL: "equal_levels",
        RANGE: "dealing_range", OTE: "ote", ICT: "ict",
    }  # fmt: skip
    names |= {SWEEP + i: "sweep" for i in range(N_POOLS)}
    assert [k.name for k in KINDS] == [names[i] for i in range(len(KINDS))]


def test_every_kind_has_a_badge_but_the_range():
    assert [k.name for k in KINDS if not k.badge] == ["dealing_range"]


def test_texts_say_what_a_trader_reads():
    words = {
        k.text.format(side=k.words[1], price=64_210, quality=0.5, x=0.5, state="active")
        for k in KINDS
    }
    assert len(words) == len(KINDS)
    assert "Bullish internal CHoCH at 64210, 0.5 ATR beyond (active)" in words
    assert "Equal lows at 64210 (active)" in words


def test_line_runs_level_from_the_pivot_to_the_breaking_bar():
    bars = after_lead(walk(100, 101, 102, 103, 102, 101, 102, 103, 104))
    event = events_of(bars, "bos")[0]
    assert [(time, price) for time, price, _ in event.points] == [
        (bars.time[122], 103.0), (bars.time[127], 103.0),
    ]
    assert [label for _, _, label in event.points] == ["pivot", "BOS"]
    assert event.text == "Bullish internal BOS at 103, 1.0 ATR beyond (active)"


def test_box_has_its_zone_entry_and_stop():
    rows = [(100, 100.5, 99.5, 100), (100, 102, 100, 102), (102, 103, 101, 103)]
    bars = after_lead(rows)
    event = events_of(bars, "fvg")[0]
    assert event.zone == (101.0, 100.5)
    assert (event.entry, event.stop, event.targets) == (101.0, 100.5, ())
    assert [point[:2] for point in event.points] == [(bars.time[121], 101.0)]
    assert np.isfinite(Smc().detect(bars).score[-1])

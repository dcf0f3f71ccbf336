import pytest
from builders import mirrored
from smc_bars import LEAD, after_lead, events_of, told, walk

from opportunity.detectors.smc import Smc

DROP = walk(100, 101, 102, 103, 102, 101)  # the last bar falls from 102 to 101
THRUST = (101, 103.5, 101, 103.5)
KINDS = ("order_block", "breaker")


def seen(*rows, detector=None):
    return told(events_of(after_lead(*rows), *KINDS, detector=detector))


def test_last_opposite_candle_before_a_break_with_displacement_is_a_block():
    event = events_of(after_lead(DROP, THRUST), *KINDS)[0]
    assert told([event]) == [(5, "order_block", 1, "active")]
    assert (event.zone, event.entry, event.stop) == ((102.0, 101.0), 102.0, 101.0)
    break_ = events_of(after_lead(DROP, THRUST), "bos")[0]
    assert (event.quality, event.scale) == (break_.quality, 1.5)


def test_break_without_displacement_leaves_none():
    assert seen(DROP, walk(101, 102, 103, 104)) == []


def test_block_is_touched_mitigated_and_invalid_then_a_breaker_until_closed_through():
    assert seen(
        DROP, THRUST,
        (103.5, 103.5, 102, 102.5),  # its edge is not inside
        (102.5, 102.5, 101.75, 102),
        (102, 102.25, 101.75, 102),  # told once
        (102, 102, 101.25, 102),
        (102, 102, 100.75, 101.25),  # a wick beyond the far edge is not a close
        (101.25, 101.25, 100.5, 100.5),
        (100.5, 101.25, 100.5, 101),
        (101, 102.5, 101, 102.5),
        (102.5, 102.5, 100.5, 100.5),
    ) == [
        (5, "order_block", 1, "active"),
        (7, "order_block", 1, "touched"),
        (9, "order_block", 1, "touched"),
        (11, "order_block", 1, "invalid"),
        (11, "breaker", -1, "active"),
        (12, "breaker", -1, "touched"),
        (13, "breaker", -1, "invalid"),
    ]  # fmt: skip


def test_past_the_middle_is_worth_half_and_a_breaker_three_fifths():
    rows = [(103.5, 103.5, 101.25, 101.75), (101.75, 101.75, 100.5, 100.5)]
    events = events_of(after_lead(DROP, THRUST, rows), *KINDS)
    block, mitigated, invalid, breaker = [e for e in events if e.zone == (102.0, 101.0)]
    assert mitigated.quality == invalid.quality == pytest.approx(0.5 * block.quality)
    assert breaker.quality == pytest.approx(0.6 * block.quality)
    assert breaker.zone == block.zone
    assert (breaker.entry, breaker.stop) == (101.0, 102.0)


def test_wide_candle_is_cut_to_its_body():
    wide = (102, 102, 99.5, 101)
    rows = walk(100, 101, 102, 103, 102)
    event = events_of(after_lead(rows, wide, THRUST), *KINDS)[0]
    assert event.zone == (102.0, 101.0)
    narrow = (102, 102, 100.5, 101)
    assert events_of(after_lead(rows, narrow, THRUST), *KINDS)[0].zone == (102.0, 100.5)


def test_block_lies_within_the_leg_and_fifteen_bars():
    rise = [(101 + k / 16, 101.0625 + k / 16, 101 + k / 16, 101.0625 + k / 16) for k in range(16)]
    for n, found in ((14, True), (15, False)):
        end = 101 + n / 16
        bars = after_lead(DROP, rise[:n], (end, end + 2.25, end, end + 2.25))
        events = events_of(bars, *KINDS)
        assert bool(events) == found, n


def test_blocks_and_breakers_end_of_age():
    detector = Smc(max_age=20)
    pause = [(103.5, 103.75, 103.25, 103.5)] * 30
    assert seen(DROP, THRUST, pause, detector=detector) == [
        (5, "order_block", 1, "active"), (25, "order_block", 1, "expired"),
    ]
    down = walk(103.5, 102.5, 101.5, 100.5)
    away = [(100.5, 100.75, 100.25, 100.5)] * 30
    ends = seen(DROP, THRUST, down, away, detector=detector)
    assert ends[-2:] == [(8, "breaker", -1, "active"), (28, "breaker", -1, "expired")]


def test_candle_that_both_scales_choose_is_one_block():
    rows = walk(100, 101, 102, 103, 104, 105, 104, 103, 102, 101)
    events = events_of(after_lead(rows, walk(101, 102.75, 104.5, 106.25)), *KINDS)
    assert [(e.bar - LEAD, e.state, e.scale) for e in events] == [(11, "active", 3.0)]


def test_mirrored_blocks_do_the_opposite():
    bars = after_lead(DROP, THRUST, walk(103.5, 102.5, 101.5, 100.5, 101.5, 102.5))
    twins = told(events_of(mirrored(bars), *KINDS))
    assert [(b, k, -side, s) for b, k, side, s in twins] == told(events_of(bars, *KINDS))
    assert len(twins) > 4

import pytest
from builders import mirrored
from smc_bars import after_lead, events_of, told, walk

from opportunity.detectors.smc import Smc
from opportunity.indicators import atr

RISE = walk(100, 101, 102, 103, 102, 101, 102)  # a high at 103, a low at 101
BREAKS = ("bos", "choch")


def seen(*rows):
    return told(events_of(after_lead(*rows), *BREAKS))


def test_first_break_is_a_bos_and_one_against_it_a_change_of_character():
    assert seen(RISE, walk(102, 103, 104, 103, 102, 101, 100)) == [
        (7, "bos", 1, "active"),
        (11, "choch", -1, "active"),
        (11, "bos", 1, "invalid"),
    ]


def test_breaks_with_the_trend_stay_bos():
    rows = walk(102, 103, 104, 105, 104, 103, 104, 105, 106)
    assert seen(RISE, rows) == [(7, "bos", 1, "active"), (13, "bos", 1, "active")]


def test_wick_beyond_the_pivot_is_no_break():
    assert seen(RISE, (102, 103.5, 102, 103), (103, 104, 102.5, 103)) == []
    assert seen(RISE, (102, 103.5, 102, 103.25)) == [(6, "bos", 1, "active")]


def test_close_at_the_pivot_is_no_break():
    assert seen(RISE, walk(102, 103)) == []


def test_pivot_cannot_be_broken_on_the_bar_that_confirms_it():
    # One bar makes the high at 106 and closes beyond the old one, far enough from 106 to
    # confirm it: it breaks the old high, and the new one only counts from the next bar on.
    up = walk(102, 102.75)  # confirms the low at 101
    giant = (102.75, 106, 102.75, 103.5)
    bars = after_lead(RISE, up, giant)
    assert told(events_of(bars, *BREAKS)) == [(7, "bos", 1, "active")]
    assert bars.high[-1] - bars.close[-1] >= 1.5 * atr(bars, 14)[-1]
    more = after_lead(RISE, up, giant, walk(103.5, 105, 106.5))
    assert told(events_of(more, *BREAKS)) == [(7, "bos", 1, "active"), (9, "bos", 1, "active")]
    assert events_of(more, "bos")[-1].points[0][1] == 106


def test_broken_pivot_is_used_up():
    dip = [(104, 104, 102.75, 102.75), (102.75, 104, 102.75, 104)]
    assert seen(RISE, walk(102, 103, 104), dip) == [(7, "bos", 1, "active")]


def test_quality_is_reach_and_displacement():
    slow = events_of(after_lead(RISE, walk(102, 103, 104)), "bos")[0]
    bars = after_lead(RISE, walk(102, 104))
    fast = events_of(bars, "bos")[0]
    a = atr(bars, 14)[-1]
    assert fast.quality == pytest.approx(0.4 + 0.3 / a + 0.3)
    bars = after_lead(RISE, walk(102, 103, 104))
    assert slow.quality == pytest.approx(0.4 + 0.3 / atr(bars, 14)[-1])


def test_thrust_counts_for_three_bars():
    thrust = (101, 102.875, 101, 102.875)
    rest = [(102.875, 103, 102.75, 102.875)]
    qualities = []
    for n in (0, 1, 2):
        rows = walk(100, 101, 102, 103, 102, 101)
        bars = after_lead(rows, thrust, rest * n, (102.875, 103.125, 102.75, 103.125))
        event = events_of(bars, "bos")[-1]
        qualities.append(event.quality - 0.3 * 0.125 / atr(bars, 14)[-1])
    assert qualities == pytest.approx([0.7, 0.7, 0.4])


def test_stop_is_where_the_leg_began():
    event = events_of(after_lead(RISE, walk(102, 103, 104)), "bos")[0]
    assert (event.stop, event.entry) == (101, 104)


def test_both_scales_break_large_pivots():
    rows = walk(100, 101, 102, 103, 104, 105, 104, 103, 102, 101, 102, 103, 104, 105, 106)
    events = events_of(after_lead(rows), *BREAKS)
    assert [(e.bar - 120, e.scale) for e in events] == [(13, 3.0), (13, 1.5)]


def test_weights_follow_kind_and_scale():
    rows = walk(100, 101, 102, 103, 104, 105, 104, 103, 102, 101, 102, 103, 104, 105, 106)
    detector = Smc(max_age=10, least_gap=10.0)
    bars = after_lead(rows)
    q = events_of(bars, "bos", detector=detector)[0].quality
    score = detector.detect(bars).score
    premium = 0.10  # the close is the top of the dealing range
    assert score[-1] == pytest.approx(1 - (1 - 0.45 * q) * (1 - 0.20 * q) - premium)


def test_mirrored_structure_does_the_opposite():
    bars = after_lead(RISE, walk(102, 103, 104, 103, 102, 101, 100))
    twins = told(events_of(mirrored(bars), *BREAKS))
    assert [(b, k, -side, s) for b, k, side, s in twins] == told(events_of(bars, *BREAKS))

from collections import Counter

import pytest
from builders import mirrored, random_bars
from smc_bars import LEAD, TICK, after_lead, events_of, told, walk

from opportunity.detectors.smc import Smc
from opportunity.indicators import atr

# Two highs at 103 and 103.125, then down and back to 102.5 below them.
EQUAL = [
    walk(100, 101, 102, 103, 102, 101, 102), (102, 103.125, 102, 102.5),
    walk(102.5, 101.5, 100.5, 101.5, 102.5),
]  # fmt: skip
KINDS = ("equal_levels", "sweep")


def seen(*rows):
    return told(events_of(after_lead(*EQUAL, *rows), *KINDS))


def test_two_pivots_close_together_are_equal_and_their_pool_is_the_outer_one():
    events = events_of(after_lead(*EQUAL), *KINDS)
    assert told(events) == [(7, "equal_levels", -1, "active")]
    assert [price for _, price, _ in events[0].points] == [103.125, 103.125]
    assert events[0].text == "Equal highs at 103.12 (active)"
    assert events[0].scale == 1.5


def test_equal_means_within_015_atr():
    for beyond, n in ((0.125, 1), (0.25, 0)):
        rows = walk(100, 101, 102, 103, 102, 101, 102), (102, 103 + beyond, 102, 102.5)
        bars = after_lead(*rows, walk(102.5, 101.5, 100.5))
        assert len(events_of(bars, "equal_levels")) == n
        assert (beyond <= 0.15 * atr(bars, 14)[-1]) == (n == 1)


def test_wick_beyond_and_close_back_inside_sweeps_the_pool_once():
    again = [(102.5, 103.375, 102, 102.5)] * 2
    events = events_of(after_lead(*EQUAL, (102.5, 103.5, 102, 102.5), again), *KINDS)
    pools = [e for e in events if e.kind == "sweep" and "equal" in e.text]
    assert [(e.bar - LEAD, e.side, e.state) for e in pools] == [(11, -1, "active")]
    assert [p for _, p, _ in pools[0].points] == [103.125, 103.5]
    assert pools[0].stop == 103.5
    assert (11, "equal_levels", -1, "done") in told(events)


def test_close_back_on_the_next_bar_is_a_sweep_too():
    late = seen((102.5, 103.5, 102, 103.25), (103.25, 103.25, 102, 102.5))
    assert (12, "sweep", -1, "active") in late
    bars = after_lead(*EQUAL, (102.5, 103.5, 102, 103.25), (103.25, 103.25, 102, 102.5))
    event = events_of(bars, "sweep")[0]
    assert event.points[1][:2] == (bars.time[LEAD + 11], 103.5)  # of the bar that reached it


def test_two_closes_beyond_use_the_pool_up_without_a_sweep():
    rows = [(102.5, 103.5, 102, 103.25), (103.25, 103.5, 103, 103.25)]
    assert seen(*rows, (103.25, 103.25, 102, 102.5))[1:] == [(12, "equal_levels", -1, "invalid")]


def test_sweep_reaches_a_twentieth_of_an_atr_beyond():
    bars = after_lead(*EQUAL, (102.5, 103.25, 102, 102.5))
    a = atr(bars, 14)[-1]
    least = 103.125 + (int(0.05 * a / TICK) + 1) * TICK
    assert least - TICK - 103.125 < 0.05 * a <= least - 103.125
    for high, n in ((least, 1), (least - TICK, 0)):
        events = events_of(after_lead(*EQUAL, (102.5, high, 102, 102.5)), "sweep")
        assert len(events) == n, high


def test_quality_is_reach_and_a_bonus_for_equal_levels():
    bars = after_lead(*EQUAL, (102.5, 103.5, 102, 102.5))
    event = events_of(bars, "sweep")[0]
    assert event.quality == pytest.approx(0.75 + 0.25 * 0.375 / atr(bars, 14)[-1])
    # the low of the lead is the previous day's: half without the bonus
    day = events_of(after_lead((100, 100, 99, 99.75)), "sweep")[0]
    assert "previous day" in day.text
    a = atr(after_lead((100, 100, 99, 99.75)), 14)[-1]
    assert day.quality == pytest.approx(0.5 + 0.25 * 0.5 / a)
    assert day.side == 1


def test_close_beyond_the_swept_extreme_takes_the_sweep_back():
    rows = [(102.5, 103.5, 102, 102.5), (102.5, 104, 102.5, 103.75)]
    states = [(b, s) for b, k, _, s in seen(*rows) if k == "sweep"]
    assert states == [(11, "active"), (12, "invalid")]


def test_sweep_is_evidence_that_halves_in_six_bars():
    detector = Smc(least_gap=10.0, internal=20.0, swing=50.0)  # nothing else speaks
    rest = [(99.75, 100, 99.625, 99.75)] * 12
    bars = after_lead((100, 100, 99, 99.75), rest)
    score = detector.detect(bars).score[LEAD:]
    q = events_of(bars, "sweep", detector=detector)[0].quality
    assert score[0] == pytest.approx(0.10 * q)
    assert score[6] == pytest.approx(0.05 * q)
    assert score[12] == pytest.approx(0.025 * q if 0.025 * q >= 0.02 else 0)


def test_each_pool_is_swept_once_on_random_bars():
    events = [e for e in Smc().events(random_bars(4000, seed=5)) if e.kind == "sweep"]
    fresh = [e for e in events if e.state == "active"]
    pools = Counter((e.text.split(" to ")[0], e.points[0][:2]) for e in fresh)
    assert len(fresh) > 100
    assert max(pools.values()) == 1
    for e in fresh:
        (_, level, _), (_, tip, _) = e.points
        assert e.side * (level - tip) > 0  # beyond the pool
        assert e.side * (e.entry - level) > 0  # and back


def test_mirrored_sweeps_do_the_opposite():
    bars = after_lead(*EQUAL, (102.5, 103.5, 102, 102.5), (102.5, 104, 102.5, 103.75))
    twins = told(events_of(mirrored(bars), *KINDS))
    assert [(b, k, -side, s) for b, k, side, s in twins] == told(events_of(bars, *KINDS))

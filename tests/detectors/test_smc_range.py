import numpy as np
import pytest
from builders import mirrored
from smc_bars import LEAD, after_lead, events_of, told, walk

from opportunity.detectors.smc import Smc

# A low at 99.5, a high at 105, a low at 101, a break to 107: leg 101 to 107.
LEG = walk(100, 101, 102, 103, 104, 105, 104, 103, 102, 101, 102, 103, 104, 105, 106, 107)
QUIET = Smc(internal=20.0, least_gap=10.0, pierce=2.0, thrust=20.0)


def test_range_is_reported_when_a_swing_pivot_moves_it():
    events = events_of(after_lead(LEG, walk(107, 106, 105, 104, 103)), "dealing_range")
    assert [(e.bar - LEAD, e.zone) for e in events] == [
        (7, (105.0, 99.5)), (11, (105.0, 101.0)), (17, (107.0, 101.0)),
    ]
    assert len({e.id for e in events}) == 1
    assert {e.side for e in events} == {0}
    assert events[-1].text == "Dealing range, price at 50% of it (active)"


@pytest.mark.parametrize(
    ("close", "z"), [(105.0, 1.0), (104.0, 7 / 11), (102.75, 0.0), (101.0, -0.8182)]
)
def test_discount_is_bullish_and_premium_bearish(close, z):
    # 99.5 to 105, before any break of structure; within a fifth of the middle nothing
    rows = walk(100, 101, 102, 103, 104, 105, 104, 103, 102)
    bars = after_lead(rows, (102, max(102, close), min(102, close), close))
    score = QUIET.detect(bars).score[-1]
    half = 2.75
    expected = -(close - 102.25) / half
    assert score == pytest.approx(0.10 * expected if abs(expected) > 0.2 else 0, abs=1e-9)
    assert np.sign(score) in (0, -np.sign(z))


def test_running_leg_extends_the_range():
    # Price is beyond the last confirmed high: premium stays 1 instead of growing
    score = QUIET.detect(after_lead(LEG)).score
    assert score[LEAD + 12] == pytest.approx(-0.10 * (105 - 103) / 2)  # close 105, range 101-105


def band(*rows):
    return told(events_of(after_lead(LEG, *rows), "ote"))


def test_band_is_entered_and_dies_with_the_start_of_the_leg():
    back = walk(107, 106, 105, 104, 103.5)
    assert band(back) == []  # 0.583 of the leg
    assert band(back, walk(103.5, 103.25, 102, 101)) == [(19, "ote", 1, "active")]
    dead = band(back, walk(103.5, 103.25, 102, 101, 100.5))
    assert dead == [(19, "ote", 1, "active"), (22, "ote", 1, "invalid")]


def test_band_has_its_prices():
    event = events_of(after_lead(LEG, walk(107, 106, 105, 104, 103)), "ote")[0]
    assert event.zone == pytest.approx((107 - 0.62 * 6, 107 - 0.79 * 6))
    assert event.entry == pytest.approx(107 - 0.705 * 6)
    assert (event.stop, event.targets) == (101, (107,))
    assert [p for _, p, _ in event.points] == [101, 107]


def test_new_extreme_ends_the_retracement_and_moves_the_band():
    rows = walk(107, 106, 105, 104, 103, 104, 105, 106)
    wick = (106, 107.5, 106, 106.5)  # beyond the extreme, but no break
    events = events_of(after_lead(LEG, rows, wick, walk(106.5, 105.5, 104.5, 103.5, 103)), "ote")
    assert told(events) == [
        (18, "ote", 1, "active"), (22, "ote", 1, "done"), (26, "ote", 1, "active"),
    ]
    assert events[0].id == events[1].id != events[2].id
    assert events[2].zone[0] == pytest.approx(107.5 - 0.62 * 6.5)


def test_further_break_has_a_band_of_its_own_leg():
    rows = walk(107, 106, 105, 104, 103, 104, 105, 106, 107, 108, 107, 106, 105, 104)
    events = events_of(after_lead(LEG, rows), "ote")
    assert told(events)[1:] == [(23, "ote", 1, "done"), (27, "ote", 1, "active")]
    assert [p for _, p, _ in events[2].points] == [103, 108]


def test_break_the_other_way_starts_another_band():
    # The bearish break closes beyond the start of the bullish leg; its own band follows.
    down = walk(107, 106, 105, 104, 103, 102, 101, 100, 101, 102, 103, 104, 105)
    events = events_of(after_lead(LEG, down), "ote")
    assert told(events) == [
        (18, "ote", 1, "active"), (21, "ote", 1, "invalid"), (26, "ote", -1, "active"),
    ]
    assert [p for _, p, _ in events[2].points] == [107, 100]


def test_bar_of_the_extreme_is_not_tested_against_the_band():
    giant = (107, 109, 103, 108)
    assert band(giant) == []


def test_close_in_the_band_is_evidence_for_the_leg():
    rows = walk(107, 106, 105, 104)
    score = {}
    for close in (103.5, 103.25, 102.75, 102.3, 102.0):
        bars = after_lead(LEG, rows, (104, 104, close, close))
        score[close] = Smc(internal=20.0, least_gap=10.0, pierce=2.0).detect(bars).score[-1]
    inside = [score[c] for c in (103.25, 102.75, 102.3)]
    assert min(inside) > max(score[103.5], score[102.0] - 0.06)
    assert score[102.75] > score[103.25] > score[103.5]
    assert score[102.75] > score[102.0]


def test_mirrored_bands_do_the_opposite():
    bars = after_lead(LEG, walk(107, 106, 105, 104, 103, 102, 101, 100))
    twins = told(events_of(mirrored(bars), "ote", "dealing_range"))
    found = told(events_of(bars, "ote", "dealing_range"))
    assert [(b, k, -side, s) for b, k, side, s in twins] == found

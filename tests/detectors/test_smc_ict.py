import numpy as np
import pytest
from builders import mirrored
from smc_bars import LEAD, after_lead, events_of, told, walk

from opportunity.detectors.smc import Smc
from opportunity.detectors.smc_clock import session_factor
from opportunity.detectors.smc_ict import VALUES
from opportunity.market.bars import Bars

# A falling market with equal lows at 97; the last close is 98.625.
FALL = walk(100, 101, 102, 101, 100, 99, 98, 97, 98, 98.75, 98, 97, 98, 98.625)
SWEEP = (98.625, 98.625, 96.5, 97.25)  # to 96.5 and back: bar 13
TURN = (97.25, 99.75, 97.25, 99.75)  # beyond the last high at 98.75, with displacement: 14
LEAVE = (99.75, 101, 99.25, 100.75)  # leaves the gap 98.625 to 99.25: 15
AWAY = (100.75, 101.5, 100.5, 101.25)  # 16
RETURN = (101.25, 101.25, 99, 99.5)  # 17


def stages(*rows, detector=None):
    events = events_of(after_lead(FALL, *rows), "ict", detector=detector)
    return [(e.bar - LEAD, e.side, e.state, e.text.split("stage ")[1][0]) for e in events]


def ict(bars: Bars, detector=None):
    found = (detector or Smc()).detect(bars).outputs
    return found["ict"][LEAD:], found["ict_confidence"][LEAD:]


def test_whole_sequence_is_told_stage_by_stage():
    assert stages(SWEEP, TURN, LEAVE, AWAY, RETURN) == [
        (14, 1, "forming", "2"), (15, 1, "forming", "3"), (17, 1, "active", "4"),
    ]


def test_points_zone_and_stop_of_the_sequence():
    bars = after_lead(FALL, SWEEP, TURN, LEAVE, AWAY, RETURN)
    event = events_of(bars, "ict")[-1]
    assert event.points == (
        (bars.time[LEAD + 13], 96.5, "sweep"),
        (bars.time[LEAD + 14], 98.75, "CHoCH"),
        (bars.time[LEAD + 17], 99.5, "return"),
    )
    assert event.zone == (99.25, 98.625)
    assert (event.entry, event.stop, event.targets) == (99.5, 96.5, (101.5,))


def test_value_of_each_stage_follows_session_and_quality():
    bars = after_lead(FALL, SWEEP, TURN, LEAVE, AWAY, RETURN)
    value, confidence = ict(bars)
    events = events_of(bars)
    sweep = next(e for e in events if e.kind == "sweep" and e.side > 0).quality
    turn = next(e for e in events if e.kind == "choch").quality
    gap = next(e for e in events if e.kind == "fvg" and e.bar == LEAD + 15).quality
    factor_of = getattr(session_factor, "py_func", session_factor)
    factor = [factor_of(t, 3_600_000) for t in bars.time[LEAD:]]
    mean = {1: sweep, 2: (sweep + turn) / 2, 3: (sweep + turn + gap) / 3}
    assert value[13] == pytest.approx(VALUES[1] * factor[13] * mean[1])
    assert value[14] == pytest.approx(VALUES[2] * factor[14] * mean[2])
    assert value[15] == pytest.approx(VALUES[3] * factor[15] * mean[3])
    assert value[16] == pytest.approx(VALUES[3] * factor[15] * mean[3] * 2 ** (-1 / 12))
    assert len(set(factor[13:17])) > 1
    assert (value[:13] == 0).all()
    assert (confidence[13:16] == pytest.approx(0.6 * value[13:16]))


def test_last_stage_halves_in_twelve_bars():
    rest = [(99.5, 100, 99.25, 99.5)] * 12
    detector = Smc(pierce=0.3)  # no sweep above spoils the picture
    bars = after_lead(FALL, SWEEP, TURN, LEAVE, AWAY, RETURN, rest)
    value, _ = ict(bars, detector)
    assert value[29] == pytest.approx(0.5 * value[17])


def test_close_beyond_the_swept_extreme_kills_the_sequence():
    dead = (101.25, 101.25, 96, 96.25)
    assert stages(SWEEP, TURN, LEAVE, AWAY, dead)[-1] == (17, 1, "invalid", "3")
    assert stages(SWEEP, TURN, LEAVE, AWAY, RETURN, dead)[-1] == (18, 1, "invalid", "4")
    value, _ = ict(after_lead(FALL, SWEEP, TURN, LEAVE, AWAY, dead))
    assert value[16] > 0 >= value[17]
    wick = (101.25, 101.25, 96, 97)
    assert stages(SWEEP, TURN, LEAVE, AWAY, wick)[-1] == (17, 1, "active", "4")


def test_change_of_character_without_a_sweep_before_it_starts_nothing():
    # the low stays above the pool: same turn, same gap, same return
    no_sweep = (98.625, 98.625, 97.125, 97.25)
    bars = after_lead(FALL, no_sweep, TURN, LEAVE, AWAY, RETURN)
    assert {e.kind for e in events_of(bars)} >= {"choch", "fvg"}
    assert told(events_of(bars, "ict")) == []


def test_sweep_after_the_change_of_character_starts_over():
    # first the turn, later the sweep: stage 1 only
    turn = [*walk(98.625, 98), (98, 100.5, 98, 100.5)]
    late = [(100.5, 100.5, 99, 99.5), (99.5, 99.5, 96.5, 98)]
    bars = after_lead(FALL, turn, late)
    kinds = told(events_of(bars, "sweep", "choch"))
    choch = [b for b, k, side, s in kinds if k == "choch" and side > 0]
    sweeps = [b for b, k, side, s in kinds if k == "sweep" and side > 0 and s == "active"]
    assert min(choch) < min(sweeps)
    assert stages(turn, late) == []
    assert ict(bars)[0][-1] == pytest.approx(0.15, abs=0.1)


def test_change_without_displacement_does_not_count():
    slow = [(97.25, 98, 97.25, 98), (98, 98.5, 97.5, 98.25), (98.25, 99, 98, 99)]
    bars = after_lead(FALL, SWEEP, slow, (99, 99.75, 98.75, 99.5))
    assert [b for b, k, s, _ in told(events_of(bars, "choch")) if s > 0] == [16]
    assert stages(SWEEP, slow, (99, 99.75, 98.75, 99.5)) == []


def test_change_must_come_within_twelve_bars():
    pause = [(97.25, 97.75, 97, 97.25)]
    for n, reached in ((11, True), (12, False)):
        found = stages(SWEEP, pause * n, TURN)
        assert (("forming", "2") in [(s, k) for _, _, s, k in found]) == reached, n


def test_no_gap_no_third_stage():
    overlap = (99.75, 100.5, 98.5, 100.25)
    rows = [SWEEP, TURN, overlap, (100.25, 100.5, 99, 99.5), (99.5, 99.5, 98, 98.5)]
    assert [k for _, _, s, k in stages(*rows) if s in ("forming", "active")] == ["2"]


def test_gap_that_comes_too_late_is_not_left_by_the_move():
    pause = [(99.75, 100, 98.5, 99.75)] * 3
    jump = [(99.75, 102, 99.75, 102), (102, 103, 101.5, 102.5)]
    found = stages(SWEEP, TURN, pause, jump)
    assert [k for _, _, _, k in found] == ["2"]


def test_return_cannot_be_on_the_bar_that_leaves_the_gap():
    # the gap is complete at the close of this bar, whose own low is its edge
    assert stages(SWEEP, TURN, LEAVE)[-1] == (15, 1, "forming", "3")


def test_retracement_band_of_the_move_is_a_return_too():
    far = [
        (100.75, 103.75, 100.75, 103.75), (103.75, 106.75, 103.75, 106.75),
        (106.75, 109, 106, 108.5),
    ]  # fmt: skip
    back = [(108.5, 108.5, 105, 105.5), (105.5, 105.5, 101, 102)]
    found = stages(SWEEP, TURN, LEAVE, far, back, detector=Smc(merge=0))
    assert found[-1] == (20, 1, "active", "4")  # 0.64 of 96.5 to 109: short of the gap
    assert 99.25 < 101 < 109 - 0.62 * 12.5


def test_ict_is_no_part_of_the_score():
    bars = after_lead(FALL, SWEEP, TURN, LEAVE, AWAY, RETURN)
    found = Smc().detect(bars)
    assert set(found.outputs) == {"ict", "ict_confidence"}
    assert found.outputs["ict"][-1] > 0.3
    assert found.score[-1] != found.outputs["ict"][-1]


def test_mirrored_sequence_negates_value_and_keeps_confidence():
    bars = after_lead(FALL, SWEEP, TURN, LEAVE, AWAY, RETURN)
    value, confidence = ict(bars)
    twin, same = ict(mirrored(bars))
    np.testing.assert_allclose(twin, -value, rtol=0, atol=1e-12)
    np.testing.assert_allclose(same, confidence, rtol=0, atol=1e-12)
    assert (value != 0).sum() > 3

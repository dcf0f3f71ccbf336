import numpy as np
import pytest

from opportunity.detectors.events import ACTIVE, DONE, EXPIRED, INVALID, TOUCHED
from opportunity.detectors.harmonic import STATE
from opportunity.detectors.harmonic_candidates import (
    ARMED,
    COMPLETE,
    FREE,
    PROJECTED,
    follow,
    grade,
    ideal_depth,
    ratio_of,
    run_to_target,
    strength,
)
from opportunity.detectors.harmonic_patterns import AB_CD, FIVE_O, GARTLEY, SHARK

# A Gartley: X 100, A 150, B 119, C 138; D is expected at 110.7, its zone is 108.7 to 112.7.
C = 138.0


def stream(side: int = 1, pattern: int = GARTLEY):
    """A state with one projected candidate in its first slot; bearish prices mirrored at 0."""
    state = np.zeros(1, STATE)[0]
    state["n"] = 300
    state["used"] = 1
    q = state["candidates"][0]
    q["side"], q["stage"], q["pattern"] = side, PROJECTED, pattern
    q["price"] = np.array([100.0, 150.0, 119.0, C]) * side
    q["near"], q["far"], q["stop"], q["slack"] = C - 112.7, C - 108.7, C - 99.75, 2.0
    q["d"], q["c_bar"], q["ab_bars"], q["expires"] = 2.0, 280, 20, 400
    q["turns"], q["fade"], q["serial"] = 0.6, 1.0, 7
    return state, q


def bar(state, h: float, low: float, c: float, n: int = 300, reach: float = 1.0) -> None:
    """Give the state a bar, mirrored for a bearish candidate."""
    side = state["candidates"][0]["side"]
    if side < 0:
        h, low, c = -low, -h, -c
    follow(state, n, 1000 * n, h, low, c, reach)


both_sides = pytest.mark.parametrize("side", [1, -1], ids=["bullish", "bearish"])


@both_sides
def test_life_from_projected_to_the_second_target(side):
    state, q = stream(side)
    bar(state, 116, 113, 114)
    assert (q["stage"], q["news"]) == (PROJECTED, 0)
    bar(state, 115, 112, 112.5)
    assert (q["stage"], q["news"]) == (ARMED, ACTIVE + 1)
    assert q["p"] == pytest.approx(0.3 * q["quality"])
    q["news"] = 0
    bar(state, 113, 111, 111.5, n=301)
    assert (q["d"], q["d_bar"], q["d_time"], q["stage"]) == (27.0, 301, 301_000, ARMED)
    bar(state, 112.5, 111, 112, n=302)
    assert (q["stage"], q["news"], q["d_bar"]) == (COMPLETE, DONE + 1, 301)
    assert q["p"] == pytest.approx(0.8 * q["quality"])
    assert q["fade"] == pytest.approx(2 ** (-1 / 12))
    p, q["news"] = float(q["p"]), 0
    bar(state, 126, 113, 125, n=303)  # 0.382 of AD = 39 is 14.9 above D
    assert (q["reached"], q["news"], q["p"]) == (1, TOUCHED + 1, p / 2)
    q["news"] = 0
    bar(state, 135.2, 130, 131, n=304)
    assert (q["reached"], q["news"], q["stage"]) == (2, TOUCHED + 1, FREE)
    assert q["p"] == 0


@both_sides
def test_bar_that_reaches_the_zone_and_closes_back_completes_at_once(side):
    state, q = stream(side)
    bar(state, 116, 111, 112.1)
    assert (q["stage"], q["news"]) == (COMPLETE, DONE + 1)


@both_sides
@pytest.mark.parametrize(
    ("prices", "news"),
    [
        ((138.5, 120, 130), INVALID),  # a new extreme beyond C
        ((138.0, 120, 130), None),  # C itself is not beyond it
        ((115, 108.6, 112), INVALID),  # past the zone, whatever the close
        ((115, 108.7, 109), ACTIVE),  # its far edge belongs to it
        ((115, 112.8, 113), None),
    ],
)
def test_what_ends_or_arms_a_projected_candidate(side, prices, news):
    state, q = stream(side)
    bar(state, *prices)
    assert q["news"] == (0 if news is None else news + 1)
    assert (q["stage"] == FREE) == (news == INVALID)


def test_candidate_without_its_d_expires():
    state, q = stream()
    bar(state, 120, 118, 119, n=399)
    assert q["news"] == 0
    bar(state, 120, 118, 119, n=400)
    assert (q["stage"], q["news"]) == (FREE, EXPIRED + 1)


def test_complete_candidate_ends_on_a_close_beyond_its_stop_and_not_on_a_wick():
    state, q = stream()
    bar(state, 116, 111, 112.1)
    q["news"] = 0
    bar(state, 112, 99, 99.75, n=301)
    assert (q["stage"], q["news"]) == (COMPLETE, 0)
    assert q["d"] == 27.0
    bar(state, 112, 99, 99.7, n=302)
    assert (q["stage"], q["news"]) == (FREE, INVALID + 1)


def test_bar_that_holds_the_stop_and_the_target_is_a_loss():
    state, q = stream()
    bar(state, 116, 111, 112.1)
    bar(state, 137, 99, 99.7, n=301)
    assert q["news"] == INVALID + 1


def test_faded_evidence_expires():
    state, q = stream()
    bar(state, 116, 111, 112.1)
    q["p"], q["news"] = 0.019, 0
    bar(state, 113, 112, 112.5, n=301)
    assert (q["stage"], q["news"]) == (FREE, EXPIRED + 1)


def test_first_target_is_told_also_where_it_leaves_too_little():
    state, q = stream()
    bar(state, 116, 111, 112.1)
    q["p"], q["news"] = 0.03, 0
    bar(state, 126, 113, 125, n=301)
    assert (q["stage"], q["news"], q["reached"], q["p"]) == (COMPLETE, TOUCHED + 1, 1, 0)
    q["news"] = 0
    bar(state, 126, 113, 125, n=302)
    assert (q["stage"], q["news"]) == (FREE, EXPIRED + 1)


def test_completion_needs_the_whole_distance():
    state, q = stream()
    bar(state, 116, 111, 112.9, reach=2.0)
    assert q["stage"] == ARMED
    bar(state, 113.5, 112, 113.0, n=301, reach=2.0)
    assert q["stage"] == COMPLETE


def test_quality_before_d_counts_the_turns_only():
    _, q = stream()
    grade(q)
    assert q["quality"] == pytest.approx(0.6 / 0.7)
    assert strength(q) == 0.0


@pytest.mark.parametrize(("bars", "factor"), [(9, 0.85), (10, 1.0), (40, 1.0), (41, 0.85)])
def test_uneven_legs_cost_quality(bars, factor):
    _, q = stream()
    q["stage"], q["d"], q["d_bar"] = ARMED, C - 110.7, 280 + bars
    grade(q)
    assert q["quality"] == pytest.approx(factor * 0.9)


def test_ratio_and_ideal_depth_are_in_the_measure_of_the_pattern():
    _, q = stream()
    assert ratio_of(q, C - 110.7) == pytest.approx(0.786)
    assert ideal_depth(q) == pytest.approx(C - 110.7)
    _, q = stream(pattern=AB_CD)
    q["price"][0] = np.nan
    q["near"], q["far"] = 0.0, 99.0
    assert ratio_of(q, 31.0) == pytest.approx(1.0)
    assert ideal_depth(q) == pytest.approx(31.0)


def test_expected_d_lies_in_the_zone():
    _, q = stream(pattern=SHARK)
    q["near"], q["far"] = 34.0, 36.0
    assert ideal_depth(q) == 34.0


def test_targets_are_parts_of_ad_and_for_five_o_of_cd():
    _, q = stream()
    assert run_to_target(q, 27.0, 0) == pytest.approx(0.382 * 39)
    assert run_to_target(q, 27.0, 1) == pytest.approx(0.618 * 39)
    _, q = stream(pattern=FIVE_O)
    assert run_to_target(q, 27.0, 0) == pytest.approx(0.382 * 27)

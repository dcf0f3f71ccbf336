from collections.abc import Sequence

import numpy as np
import pytest

from opportunity.detectors.elliott_counts import BOOK, N_COUNTS, N_SHOWN
from opportunity.detectors.elliott_gather import FRESH, N_FRESH, gather, renew
from opportunity.detectors.elliott_kinds import KINDS
from opportunity.detectors.elliott_rules import POINTS
from opportunity.detectors.swings import SWINGS

IMPULSE = (0.0, 10.0, 4.0, 20.0, 14.0, 24.0)
WEDGE = (0.0, 20.0, 6.0, 21.0, 11.0, 23.0)


def found(
    prices: Sequence[float], side: int = 1, back: float = 3.0, motive: float = 0.0
) -> tuple[dict[str, np.void], float]:
    """Counts by name after these pivots; the close and the extreme are `back` from the last."""
    swings = np.zeros(1, SWINGS)[0]
    swings["count"] = len(prices)
    for i, price in enumerate(prices):
        place = swings["pivots"][i]
        place["price"], place["bar"] = side * price, 10 * i
        place["side"] = -side if price < prices[i - 1 if i else 1] else side
    leg = -1 if prices[-1] > prices[-2] else 1  # of the running leg, before `side`
    run = side * (prices[-1] + leg * back)
    swings["direction"] = side * leg
    swings["high"] = swings["low"] = run
    book = np.zeros(1, BOOK)[0]
    book["motive"] = motive
    fresh = np.zeros(1, FRESH)[0]
    gather(fresh, np.zeros(1, POINTS)[0], swings, book, 1.0, run)
    counts = fresh["counts"][: fresh["n"]]
    return {KINDS[c["kind"]].name: c for c in counts}, float(book["motive"])


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(
    ("known", "name", "leans", "stop"),
    [
        (3, "wave 3", 1, 0.0), (4, "wave 4", 1, 10.0), (5, "wave 5", 1, 10.0),
        (6, "impulse", -1, 24.0),
    ],
)  # fmt: skip
def test_impulse_is_counted_wave_by_wave(side, known, name, leans, stop):
    counts, motive = found(IMPULSE[:known], side)
    count = counts[name]
    assert count["side"] == side * leans
    assert count["stop"] == side * stop
    assert count["first"] == 0
    assert (motive > 0.9) == (known == 6)


def test_close_beyond_the_stop_makes_no_count():
    assert "wave 4" in found(IMPULSE[:4], back=10.0)[0]
    assert "wave 4" not in found(IMPULSE[:4], back=10.5)[0]


def test_count_without_a_guideline_in_its_favour_is_left_out():
    assert "wave 3" in found((0.0, 10.0, 2.0))[0]
    assert "wave 3" not in found((0.0, 10.0, 0.5))[0]
    assert "wave 3" not in found((0.0, 10.0, 8.0))[0]


def test_wave_5_never_outgrows_a_short_third():
    prices = (0.0, 20.0, 12.0, 30.0, 24.0)  # third 18, first 20
    assert "wave 5" in found(prices, back=18.0)[0]
    assert "wave 5" not in found(prices, back=18.5)[0]


def test_wave_5_has_said_all_at_the_farther_of_two_targets():
    count = found(IMPULSE[:5])[0]["wave 5"]
    assert 1 / count["fall"] == pytest.approx(0.618 * 20)
    count = found((0.0, 20.0, 12.0, 30.0, 24.0))[0]["wave 5"]
    assert 1 / count["fall"] == pytest.approx(20.0)


@pytest.mark.parametrize("side", [1, -1])
def test_diagonal_ends_a_move_or_leads_one(side):
    ending, motive = found((16.0, *WEDGE), side)
    assert ending["ending diagonal"]["side"] == -side
    assert ending["ending diagonal"]["stop"] == side * 23.0
    assert motive > 0
    leading, motive = found((40.0, *WEDGE), side)
    assert leading["leading diagonal"]["side"] == side
    assert leading["leading diagonal"]["stop"] == 0.0
    assert motive == 0
    assert not {"ending diagonal", "leading diagonal"} & found(WEDGE, side)[0].keys()


def test_truncated_impulse_has_its_own_name():
    counts, motive = found((0.0, 10.0, 4.0, 20.0, 12.0, 19.0))
    assert "truncated impulse" in counts
    assert 0 < motive < 0.75


def test_wave_b_needs_five_waves_before_it():
    after = (*IMPULSE, 16.0)
    assert "wave B" not in found(after)[0]
    count = found(after, motive=0.8)[0]["wave B"]
    assert (count["side"], count["stop"], count["g"]) == (-1, 24.0, 0.8)
    assert count["first"] == len(IMPULSE) - 1
    assert "wave B of a flat" in found(after, back=9.0, motive=0.8)[0]
    beyond = found(after, back=12.0, motive=0.8)[0]
    assert not {"wave B", "wave B of a flat"} & beyond.keys()


@pytest.mark.parametrize("side", [1, -1])
def test_zigzag_is_counted_from_its_b_on(side):
    c = found((30.0, 20.0, 25.0), side)[0]["wave C"]
    assert (c["side"], c["stop"], c["fall"]) == (-side, side * 25.0, 0.1)
    done = found((30.0, 20.0, 25.0, 15.0), side)[0]["zigzag"]
    assert (done["side"], done["stop"]) == (side, side * 15.0)


@pytest.mark.parametrize("side", [1, -1])
def test_triangle_goes_with_the_move_before_it(side):
    prices = (100.0, 0.0, 70.0, 21.0, 55.3, 31.29)
    count = found(prices, side)[0]["triangle"]
    assert (count["side"], count["stop"]) == (side, side * 31.29)


def test_best_counts_are_kept_in_order_and_the_best_three_shown():
    fresh = np.zeros(1, FRESH)[0]
    fresh["n"] = N_FRESH
    fresh["counts"]["g"] = [0.3, 0.9, 0.5, 0.9, 0.1, 0.2, 0.7, 0.6]
    fresh["counts"]["first"] = np.arange(N_FRESH)
    book = np.zeros(1, BOOK)[0]
    book["used"] = 2
    book["counts"]["first"][:2] = [11, 12]
    renew(book, fresh)
    assert book["used"] == N_COUNTS
    np.testing.assert_array_equal(book["counts"]["first"], [1, 3, 6, 7, 2])
    assert book["counts"]["shown"].tolist() == [1] * N_SHOWN + [0] * (N_COUNTS - N_SHOWN)
    assert fresh["n_old"] == 2
    assert fresh["old"]["first"][:2].tolist() == [11, 12]

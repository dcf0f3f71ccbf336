from collections.abc import Sequence

import numpy as np
import pytest
from builders import random_bars

from opportunity.detectors.elliott import STATE, Elliott
from opportunity.detectors.elliott_kinds import (
    COMPLETE,
    ENDING,
    EXPANDED,
    IMPULSE,
    KINDS,
    LEADING,
    N_KNOWN,
    TRIANGLE,
    WAVE_3,
    WAVE_5,
    WAVE_B,
    WAVE_C,
    ZIGZAG,
)
from opportunity.detectors.elliott_marks import end_old, forecast, mark_count, tell, telling
from opportunity.detectors.elliott_rules import POINTS
from opportunity.detectors.events import ACTIVE, EXPIRED, N_EVENTS, read_events


def points(*prices: float) -> np.record:
    p = np.zeros(1, POINTS)[0]
    p["n"], p["side"] = len(prices), 1
    p["price"][: len(prices)] = prices
    return p


def state(prices: Sequence[float], *kinds: int) -> np.record:
    """A stream whose swing scale has these pivots and these counts, all of the best three."""
    s = np.zeros(1, STATE)[0]
    s["n"] = 500
    swings = s["swings"][0]
    swings["count"] = len(prices)
    for i, price in enumerate(prices):
        place = swings["pivots"][i]
        place["price"], place["bar"], place["time"] = price, 10 * i, 1000 * i
        place["side"] = -1 if price < prices[i - 1 if i else 1] else 1
    swings["direction"] = 1 if prices[-1] < prices[-2] else -1
    s["books"][0]["used"] = len(kinds)
    for count, kind in zip(s["books"][0]["counts"], kinds, strict=False):
        count["kind"], count["side"], count["state"] = kind, 1, ACTIVE
        count["shown"], count["omega"], count["stop"] = 1, 0.5, prices[0]
        count["first"] = len(prices) - N_KNOWN[kind]
    return s


@pytest.mark.parametrize(
    ("kind", "prices", "expected"),
    [
        (WAVE_3, (0, 10, 4), (14, 4 + 16.18, 4 + 26.18)),
        (WAVE_5, (0, 10, 4, 20, 14), (14 + 6.18, 24, 14 + 16.18)),
        (IMPULSE, (0, 10, 4, 20, 14, 24), (14, 24 - 0.382 * 24, 12)),
        (ENDING, (0, 20, 6, 21, 11, 23), (11, 23 - 0.382 * 23, 11.5)),
        (LEADING, (0, 20, 6, 21, 11, 23), (11.5, 23 * 0.382, 23 * 0.214)),
        (WAVE_C, (0, 10, 5), (11.18, 15, 21.18)),
        (TRIANGLE, (0, 100, 30, 79, 44, 68), (-32,)),
        (ZIGZAG, (0, 10, 5, 15), (0,)),
        (WAVE_B, (0, 10), (5, 10 - 6.18)),
    ],
)
def test_forecast_levels(kind, prices, expected):
    levels = [x for x in forecast(kind, points(*prices)) if not np.isnan(x)]
    assert levels == pytest.approx(expected)


def test_what_the_text_tells():
    assert telling(WAVE_3, points(0, 10, 4)) == pytest.approx(0.6)
    assert telling(WAVE_5, points(0, 10, 4, 20, 14)) == pytest.approx(6 / 16)
    assert telling(IMPULSE, points(0, 10, 4, 20, 14, 24)) == pytest.approx(1.0)
    assert telling(EXPANDED, points(0, 10, -2, 14)) == pytest.approx(1.6)
    assert telling(TRIANGLE, points(0, 100, 30, 79, 44, 68)) == pytest.approx(24 / 35)


@pytest.mark.parametrize("skip", [0, 1])
def test_record_has_the_points_of_its_count_also_after_a_newer_pivot(skip):
    s = state([100.0, 110.0, 104.0, 120.0, 114.0, 124.0][: 5 + skip], WAVE_5)
    count = s["books"][0]["counts"][0]
    count["first"] = 0
    count["serial"] = 7
    i = mark_count(s, 0, count, EXPIRED, 3.0, 9_000_000, 117.0)
    event = read_events(s["events"][i : i + 1], "elliott", KINDS)[0]
    assert [(p, label) for _, p, label in event.points] == [
        (100, "0"), (110, "1"), (104, "2"), (120, "3"), (114, "4"),
    ]  # fmt: skip
    assert (event.id, event.bar, event.quality, event.scale) == ("elliott-7", 499, 0.5, 3.0)
    assert event.targets == pytest.approx((120.18, 124, 130.18))


def test_wave_b_is_measured_against_the_wave_before_it():
    s = state([100.0, 114.0, 124.0, 116.0], WAVE_B)
    s["books"][0]["counts"][0]["side"] = -1
    i = mark_count(s, 0, s["books"][0]["counts"][0], ACTIVE, 3.0, 0, 119.0)
    assert s["events"][i]["x"] == pytest.approx(0.8)
    assert np.isnan(s["events"][i]["entry"])


def test_what_finds_no_room_is_told_on_the_next_bar():
    s = state([100.0, 110.0, 104.0], WAVE_3, WAVE_C)
    s["n_events"] = N_EVENTS - 1
    tell(s, 0, 3.0, 0, 107.0)
    assert s["n_events"] == N_EVENTS
    assert s["books"][0]["untold"] == 1
    s["n"], s["n_events"] = 501, 0
    tell(s, 0, 3.0, 0, 107.0)
    assert s["books"][0]["untold"] == 0
    assert s["n_events"] == 1
    assert (s["events"][0]["kind"], s["events"][0]["bar"]) == (WAVE_C, 500)
    assert s["books"][0]["counts"]["serial"][:2].tolist() == [1, 2]


def test_count_that_was_never_told_ends_without_a_word():
    s = state([100.0, 110.0, 104.0, 112.0])
    old = s["fresh"]["old"]
    s["fresh"]["n_old"] = 2
    for i, serial in enumerate((0, 5)):
        old[i]["kind"], old[i]["serial"], old[i]["first"] = WAVE_3, serial, 0
    end_old(s, 0, 3.0, 0, 109.0)
    assert s["events"]["serial"][: s["n_events"]].tolist() == [5]
    assert s["events"]["state"][0] == EXPIRED


def test_complete_pattern_stays_complete_and_a_count_goes_on():
    s = state([100.0, 110.0, 104.0, 120.0, 114.0], WAVE_5)
    old = s["fresh"]["old"]
    s["fresh"]["n_old"] = 2
    old[0]["kind"], old[0]["serial"], old[0]["first"] = ZIGZAG, 3, 0
    old[1]["kind"], old[1]["serial"], old[1]["first"] = WAVE_3, 4, 0
    end_old(s, 0, 3.0, 0, 117.0)
    assert s["n_events"] == 0
    assert s["books"][0]["counts"]["serial"][0] == 4


def test_every_record_holds_what_a_chart_needs():
    by_name = {k.name: i for i, k in enumerate(KINDS)}
    seen = set()
    for seed in range(4):
        for e in Elliott().events(random_bars(4000, seed=seed)):
            kind = by_name[e.kind]
            seen.add(e.kind)
            assert [label for _, _, label in e.points] == list(KINDS[kind].labels)
            assert [t for t, _, _ in e.points] == sorted(t for t, _, _ in e.points)
            assert e.stop is not None
            assert e.targets
            assert e.scale in {3.0, 6.0}
            assert 0 < e.quality < 1
            assert (e.state == "done") <= COMPLETE[kind]
            if e.entry is not None:
                assert e.state in {"active", "done", "forming"}
                assert e.side * (e.entry - e.stop) >= 0
    assert len(seen) >= 14

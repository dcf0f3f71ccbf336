import numpy as np
import pytest

from opportunity.detectors.events import EVENT, N_EVENTS, read_events
from opportunity.detectors.sentiment_extremes import EXTREMES, KINDS, tell_extremes

STATE = np.dtype(
    [("n", "i8"), ("extremes", EXTREMES), ("n_events", "i4"), ("events", EVENT, (N_EVENTS,))],
    align=True,
)
NAN = float("nan")


def told(*readings: tuple[float, float, float]):
    """(bar, kind, state, side, text) of what each row of mood, rank and growth makes known."""
    state = np.zeros(1, STATE)
    found = []
    for bar, reading in enumerate(readings):
        state[0]["n"] = bar + 1
        state[0]["n_events"] = 0
        tell_extremes(state[0], 1_000 * bar, 7.0, *(float(x) for x in reading))
        found += read_events(state[0]["events"][: state[0]["n_events"]], "x", KINDS)
    assert [e.time for e in found] == [1_000 * e.bar for e in found]
    assert all("nan" not in e.text and 0 <= e.quality <= 1 for e in found)
    return [(e.bar, e.kind, e.state, e.side, e.text.partition(" (")[0]) for e in found]


def test_mood_is_extreme_from_a_quarter_to_either_end():
    found = told(*((m, NAN, NAN) for m in (26, 25, 10, 26, 74, 75, 80, 20, 50)))
    assert found == [
        (1, "mood", "active", 1, "Extreme fear: Fear & Greed at 25 of 100"),
        (3, "mood", "done", 1, "Extreme fear: Fear & Greed at 26 of 100"),
        (5, "mood", "active", -1, "Extreme greed: Fear & Greed at 75 of 100"),
        (7, "mood", "done", -1, "Extreme greed: Fear & Greed at 20 of 100"),
        (7, "mood", "active", 1, "Extreme fear: Fear & Greed at 20 of 100"),
        (8, "mood", "done", 1, "Extreme fear: Fear & Greed at 50 of 100"),
    ]


@pytest.mark.parametrize("sign", [1, -1])
def test_funding_is_left_lower_than_it_was_entered(sign):
    ranks = [sign * r for r in (0.9, 0.91, 0.85, 0.8, 0.79, 0.89, 0.95, -0.85)]
    found = told(*((NAN, r, NAN) for r in ranks))
    assert [e[:4] for e in found] == [
        (1, "funding", "active", -sign), (4, "funding", "done", -sign),
        (6, "funding", "active", -sign), (7, "funding", "done", -sign),
    ]  # fmt: skip
    assert found[0][4].startswith("High" if sign > 0 else "Low")


@pytest.mark.parametrize("sign", [1, -1])
def test_crowd_needs_both_and_ends_with_either(sign):
    rows = [(0.95, 1.0), (0.95, 1.1), (0.95, 0.5), (0.95, 0.4), (0.95, 2.0), (0.7, 2.0)]
    found = told(*((NAN, sign * r, g) for r, g in rows))
    assert [e[:4] for e in found if e[1] == "crowd"] == [
        (1, "crowd", "active", -sign), (3, "crowd", "done", -sign),
        (4, "crowd", "active", -sign), (5, "crowd", "done", -sign),
    ]  # fmt: skip


def test_what_goes_stale_expires_with_the_number_it_was_told_with():
    found = told((10, 0.95, 3), (10, 0.95, NAN), (10, NAN, NAN), (NAN, NAN, NAN), (NAN,) * 3)
    assert found[3:] == [
        (1, "crowd", "expired", -1,
         "Crowded longs: high funding, open interest 3.0 deviations above usual"),
        (2, "funding", "expired", -1, "High funding: percentile 98 of 90 days"),
        (3, "mood", "expired", 1, "Extreme fear: Fear & Greed at 10 of 100"),
    ]  # fmt: skip


def test_one_thing_keeps_its_id():
    state = np.zeros(1, STATE)
    serials = []
    for mood, rank in ((10, 0.95), (50, 0.95), (10, 0.1)):
        state[0]["n_events"] = 0
        tell_extremes(state[0], 0, 1.0, float(mood), rank, NAN)
        serials += state[0]["events"]["serial"][: state[0]["n_events"]].tolist()
    assert serials == [1, 2, 1, 3, 2]

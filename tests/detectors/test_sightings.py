from dataclasses import replace

import numpy as np
import pytest
from builders import hours, mirrored, random_bars

from opportunity.detectors import DETECTORS, Fibonacci, PriceAction, Sar
from opportunity.detectors.events import STATES, Event
from opportunity.detectors.sightings import ALIVE, FAINTEST, MOST, living, look, sightings

BUILT = [d for d in DETECTORS if not d.needs]
BARS = random_bars(1200, seed=11)


def event(name="a", kind="breakout", bar=1190, **changes):
    made = Event(
        id=f"price_action-{name}", detector="price_action", kind=kind, side=1, state="active",
        scale=None, bar=bar, time=int(hours(1200)[bar]), quality=0.5, points=(), zone=None,
        entry=None, stop=None, targets=(), text=f"Bullish {kind} {name} active",
    )
    return replace(made, **changes)


def told(*events, most=MOST):
    return {k: [s.text for s in v] for k, v in sightings(events, BARS, most).items()}


def test_of_one_thing_only_the_newest_record_counts():
    assert told(event(), event(text="newer", bar=1195)) == {("price_action", 1): ["newer"]}
    assert told(event(), event(state="invalid")) == {}


@pytest.mark.parametrize("state", ["done", "invalid", "expired"])
def test_what_has_ended_is_not_told(state):
    assert told(event(state=state)) == {}


@pytest.mark.parametrize("state", ["forming", "active", "touched"])
@pytest.mark.parametrize("form", ["{} ({})", "{}, {}", "{} {}"])
def test_what_lives_is_told_with_its_state_apart(state, form):
    (seen,) = sightings([event(state=state, text=form.format("Up", state))], BARS)[
        "price_action", 1
    ]
    assert (seen.text, seen.state) == ("Up", state)


def test_what_has_no_side_or_no_quality_is_not_told():
    assert told(event(side=0), event("b", quality=0.0)) == {}


def test_the_strongest_come_first_and_few_are_told():
    several = [event(str(i), quality=q) for i, q in enumerate((0.3, 0.9, 0.5))]
    assert told(*several)["price_action", 1] == ["Bullish breakout 1", "Bullish breakout 2"]
    assert len(told(*several, most=3)["price_action", 1]) == 3


def test_age_takes_half_every_twelve_bars_and_a_swing_scale_gives_it_time():
    old, new = event("old", quality=1.0, bar=1199 - 24), event("new", quality=0.3, bar=1199)
    assert told(old, new)["price_action", 1][0] == "Bullish breakout new"  # 0.25 < 0.3
    wide = replace(old, scale=6.0)  # half in 48 bars: 0.71
    assert told(wide, new)["price_action", 1][0] == "Bullish breakout old"
    faint = event("faint", quality=1.0, bar=1199 - int(-12 * np.log2(FAINTEST)) - 1)
    assert told(faint) == {}


def test_news_come_before_what_is_only_drawn():
    level = event("level", kind="level", quality=0.9)
    assert told(level, event("news", quality=0.1))["price_action", 1] == [
        "Bullish breakout news", "Bullish level level",
    ]


def test_two_things_that_read_the_same_are_told_once():
    assert told(event("a", text="same"), event("b", text="same")) == {("price_action", 1): ["same"]}


def test_sides_are_kept_apart_and_the_age_is_in_bars():
    seen = sightings([event(), event("b", side=-1, bar=1199)], BARS)
    assert (seen["price_action", 1][0].age, seen["price_action", -1][0].age) == (9, 0)


@pytest.mark.parametrize("kind", BUILT, ids=lambda d: d.name)
def test_living_is_what_all_events_leave_alive(kind):
    detector = kind()
    for n in (150, 700, 1200):
        past = BARS[:n]
        everything = detector.events(past)
        newest = {(e.id, e.kind): e for e in everything}.values()
        found = living(detector, past)
        assert sightings(found, past) == sightings(everything, past)
        assert {e.id for e in found} <= {e.id for e in newest}
        assert all(e in everything for e in found)


def test_look_sees_up_to_its_bar_only():
    whole, part = look(BARS, 700), look(BARS[:701])
    assert whole == part != {}
    assert look(BARS, -1) == look(BARS)


def test_mirrored_bars_are_seen_mirrored():
    for bar in (400, 800, 1199):
        seen, other = look(BARS, bar), look(mirrored(BARS), bar)
        assert {(name, -side) for name, side in seen} == set(other)
        for (name, side), found in seen.items():
            twin = other[name, -side]
            assert [(s.kind, s.age, s.state) for s in found] == [
                (s.kind, s.age, s.state) for s in twin
            ]


def test_no_bars_or_no_events_see_nothing():
    assert living(Sar(), BARS[:5]) == []
    assert look(BARS[:3]) == {}
    assert {s.state for v in look(BARS).values() for s in v} <= {STATES[n] for n in ALIVE}


def test_a_detector_keeps_its_own_stream():
    for kind in (Fibonacci, PriceAction):
        detector = kind()
        for bar in BARS[:200]:
            detector.update(bar)
        before = repr(detector.snapshot()["state"].tolist())
        living(detector, BARS)
        assert repr(detector.snapshot()["state"].tolist()) == before

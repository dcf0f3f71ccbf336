import numpy as np
import pytest

from opportunity.detectors.events import STATES
from opportunity.detectors.harmonic import STATE, Harmonic
from opportunity.detectors.harmonic_candidates import ARMED, PROJECTED
from opportunity.detectors.harmonic_marks import KINDS
from opportunity.detectors.harmonic_matches import open_candidates


def stream(prices: list[float], extreme: float, side: int = 1, bars: int = 20):
    """A state whose newest turns of the first scale are `prices`, `bars` bars apart."""
    state = np.zeros(1, STATE)[0]
    swings = state["swings"][0]
    swings["count"] = len(prices)
    for i, price in enumerate(prices):
        turn = swings["pivots"][i]
        turn["price"], turn["bar"], turn["time"] = price, bars * i, 1000 * bars * i
        turn["side"] = side if (len(prices) - i) % 2 else -side
    last = bars * (len(prices) - 1)
    swings["direction"] = -side
    end = "low" if side > 0 else "high"
    swings[end], swings[f"{end}_bar"], swings[f"{end}_time"] = extreme, last + 2, 1000 * (last + 2)
    state["n"] = last + 4
    return state


def opened(state, atr: float = 1.0, n: int | None = None) -> dict[str, np.void]:
    n = int(state["n"]) - 1 if n is None else n
    open_candidates(state, Harmonic().packed, 0, 1.5, n, 1000 * n, 100.0, atr)
    return {KINDS[q["pattern"]].name: q for q in state["candidates"] if q["stage"] >= PROJECTED}


TURNS = [100.0, 150.0, 119.0, 138.0]


@pytest.mark.parametrize("side", [1, -1], ids=["bullish", "bearish"])
def test_turns_open_every_pattern_that_they_fit(side):
    turns = [side * p for p in TURNS]
    state = stream(turns, side * 135.0, side)
    found = opened(state)
    assert set(found) == {"gartley", "crab", "ab_cd"}
    q = found["gartley"]
    assert (q["side"], q["stage"], q["d"], q["d_bar"]) == (side, PROJECTED, 3.0, 62)
    assert (q["near"], q["far"]) == pytest.approx((138 - 112.7, 138 - 108.7))
    assert q["stop"] == pytest.approx(38.25)  # X and a quarter of an ATR
    assert q["price"].tolist() == turns
    assert (q["c_bar"], q["ab_bars"], q["expires"]) == (60, 20, 60 + 3 * 60)
    assert found["ab_cd"]["expires"] == 60 + 3 * 40
    assert np.isnan(found["ab_cd"]["price"][0])
    assert [STATES[e["state"]] for e in state["events"][: state["n_events"]]] == ["forming"] * 3


def test_leg_that_is_in_the_zone_already_arms_at_once():
    state = stream(TURNS, 112.0)
    found = opened(state)
    assert found["gartley"]["stage"] == ARMED
    assert found["gartley"]["p"] > 0
    assert found["crab"]["stage"] == PROJECTED
    assert "active" in {STATES[e["state"]] for e in state["events"][: state["n_events"]]}


def test_leg_that_is_past_the_zone_already_opens_nothing():
    assert set(opened(stream(TURNS, 108.0))) == {"crab", "ab_cd"}


def test_three_turns_open_ab_cd_only():
    assert set(opened(stream(TURNS[1:], 135.0))) == {"ab_cd"}
    assert opened(stream(TURNS[2:], 135.0)) == {}


def test_wait_is_limited():
    assert opened(stream(TURNS, 135.0, bars=100))["gartley"]["expires"] == 300 + 200
    state = stream(TURNS, 135.0)
    assert opened(state, n=60 + 180) == {}
    assert "gartley" in opened(state, n=60 + 179)


def test_serial_numbers_are_never_given_twice():
    state = stream(TURNS, 135.0)
    opened(state)
    opened(state)
    serials = state["candidates"]["serial"][state["candidates"]["stage"] > 0]
    assert sorted(serials) == list(range(1, 7))

import math
import random
from itertools import pairwise

import numpy as np
import pytest
from builders import random_bars
from hypothesis import given
from hypothesis import strategies as st
from said import english

from app.components.waterfall import (
    MINUS,
    advice_line,
    facts,
    rounded,
    say,
    side_of,
    signed,
    told,
    waterfall,
    why_state,
)
from opportunity.contracts import DETECTOR_NAMES
from opportunity.detectors import PriceAction
from opportunity.detectors.sightings import sightings
from opportunity.scoring.ensemble import combine
from opportunity.scoring.explanation import Component, Explanation
from opportunity.scoring.scores import explain
from opportunity.scoring.weights import Weights

NAN = math.nan


def _number(text: str) -> float:
    return float(text.replace(MINUS, "-"))


def _explanation(scores: list[float]) -> Explanation:
    trust = np.where(np.isfinite(scores), 0.4, NAN)
    weights = Weights().as_array()
    combined = combine(np.array(scores), trust, 1.0, 0.5, weights, np.ones(9, bool))
    return explain(combined, np.array(scores), trust, weights, 1.0, 0.5, "1h", 0)


@given(st.lists(st.floats(-1, 1) | st.just(NAN), max_size=9))
def test_shown_parts_add_up_to_the_rounded_sum(values: list[float]) -> None:
    total = sum(v for v in values if not math.isnan(v))
    shown = [_number(t) for t in rounded(values) if t != "\N{EN DASH}"]
    assert sum(round(s * 1000) for s in shown) == (round(total * 1000) if shown else 0)


def test_the_largest_takes_what_rounding_leaves() -> None:
    assert rounded([0.5004, 0.0004, 0.0004]) == ["+0.501", "0.000", "0.000"]
    assert rounded([0.1, NAN]) == ["+0.100", "\N{EN DASH}"]
    assert signed(-61) == f"{MINUS}0.061"


def test_waterfall_ends_at_net_bit_for_bit() -> None:
    rng = random.Random(3)
    for _ in range(200):
        one = _explanation([rng.uniform(-1, 1) if rng.random() > 0.3 else NAN for _ in range(9)])
        if not math.isfinite(one.net):
            continue
        steps = waterfall(DETECTOR_NAMES, [c.contribution for c in one.components])
        assert steps[-1].end == one.net
        assert steps[0].start == 0
        for before, after in pairwise(steps):
            assert after.start == before.end


def test_unavailable_detector_moves_nothing() -> None:
    steps = waterfall(["a", "b", "c"], [0.2, NAN, 0.1])
    assert (steps[1].start, steps[1].end) == (0.2, 0.2)


def test_why_state_says_what_each_detector_did() -> None:
    one = _explanation([NAN, NAN, NAN, 0.5, -0.4, 0.0, NAN, NAN, NAN])
    exists = [n in ("fibonacci", "price_action", "sar", "news") for n in DETECTOR_NAMES]
    words = {("fibonacci", 1): "Bullish reaction", ("price_action", 1): "other side"}
    state = why_state(one, "BTC/USDT", words=words, exists=exists)
    steps = {s["name"]: s | {"words": english(s["words"])} for s in state["steps"]}
    assert steps["fibonacci"]["words"] == "Bullish reaction"
    assert steps["price_action"]["words"] == "leans down"
    assert steps["sar"]["words"] == "both sides cancel"
    assert steps["news"]["words"] == "no data"
    assert steps["harmonic"]["words"] == "absent: nothing to read"
    assert steps["harmonic"]["value"] is None
    assert state["net"] == pytest.approx(sum(s["value"] or 0 for s in state["steps"]))
    assert "1h · confidence" in english(state["facts"])


def test_nothing_scored_is_said() -> None:
    state = why_state(_explanation([NAN] * 9), "BTC/USDT")
    assert state["score"] is None
    assert state["net_shown"] == ""
    assert "no score yet" in english(state["facts"])


def test_gate_is_part_of_the_formula() -> None:
    gated = Component("sar", True, 0.5, 0.25, 0.4, 0.1, 0.1)
    assert english(say(gated, True, {})) == "leans up"
    one = _explanation([NAN] * 5 + [0.5] + [NAN] * 3)
    assert "gate of the trend" in english(why_state(one, "X")["steps"][5]["formula"])
    assert facts(one)[0] == "1h"


def test_words_are_those_of_the_detectors_events_with_their_age() -> None:
    bars = random_bars(600, seed=5)
    events = PriceAction().detect(bars).events
    words = told(events, bars)
    seen = sightings(events, bars)
    assert words.keys() == seen.keys() != set()
    for key, (newest, *_) in seen.items():
        assert words[key].startswith(newest.text)
        assert " ago)" in words[key] or "(now)" in words[key]


def test_every_thing_that_is_told_has_a_line_of_its_own() -> None:
    bars = random_bars(600, seed=5)
    events = PriceAction().detect(bars).events
    words, seen = told(events, bars), sightings(events, bars)
    assert max(len(found) for found in seen.values()) == 2
    for key, found in seen.items():
        lines = words[key].split(";\n")
        assert [line.startswith(one.text) for line, one in zip(lines, found, strict=True)] == [
            True
        ] * len(found)


def test_nothing_seen_is_not_said_of_a_detector_whose_sides_cancel() -> None:
    silent, torn = (Component("sar", True, 0.0, 0.0, c, 0.1, 0.0) for c in (0.0, 0.2))
    assert english(say(silent, True, {})) == "sees nothing now"
    assert english(say(torn, True, {})) == "both sides cancel"


@pytest.mark.parametrize(("value", "side", "shown"), [
    (0.0004, 0, "0.000"), (-0.0004, 0, "0.000"), (0.0006, 1, "+0.001"), (-0.2, -1, f"{MINUS}0.200"),
    (NAN, 0, "\N{EN DASH}"),
])
def test_what_rounds_to_nothing_takes_no_side(value: float, side: int, shown: str) -> None:
    (step,) = waterfall(["sar"], [value])
    assert (side_of(step.shown), step.shown) == (side, shown)


def test_state_carries_the_side_of_each_amount_as_it_is_shown() -> None:
    state = why_state(_explanation([NAN, NAN, NAN, 0.5, -0.4, 0.0001, NAN, NAN, NAN]), "X")
    sides = {s["name"]: s["side"] for s in state["steps"]}
    assert (sides["fibonacci"], sides["price_action"], sides["sar"]) == (1, -1, 0)
    assert sides["news"] == 0
    assert state["net_side"] == np.sign(state["net"])


def test_what_was_read_is_told_where_a_detector_says_only_its_side() -> None:
    one = _explanation([NAN] * 6 + [-0.2, 0.0, 0.3])
    read = {"sentiment": "Fear & Greed 78", "news": "Coin soars", "whales": "Takers 60 % bought"}
    words = {("whales", 1): "Large buys"}
    state = why_state(one, "X", words=words, read=read)
    steps = {s["name"]: s | {"words": english(s["words"])} for s in state["steps"]}
    assert steps["sentiment"]["words"] == "leans down · context: Fear & Greed 78"
    assert steps["news"]["words"] == "both sides cancel · context: Coin soars"
    assert steps["whales"]["words"] == "Large buys"


def test_ict_and_success_come_with_the_state() -> None:
    state = why_state(_explanation([0.3] * 9), "X", success="Success 1h 55 %", ict=0.25)
    hints = {s["name"]: english(s["hint"]) for s in state["steps"]}
    assert "ICT sequence by itself +0.25" in hints["smc"]
    assert "ICT" not in hints["sar"]
    assert state["success"] == "Success 1h 55 %"
    assert "ICT" not in english(why_state(_explanation([0.3] * 9), "X")["steps"][2]["hint"])


def test_why_state_tells_what_is_wrong_with_the_bars() -> None:
    good = _explanation([0.5] * 9)
    assert why_state(good, "BTC/USDT")["trust"] == ""
    doubted = good.trusted(0.625, "4 % of the 1h bars missing lately")
    told_ = english(why_state(doubted, "BTC/USDT")["trust"])
    assert told_ == "Trust in the data 0.62: 4 % of the 1h bars missing lately"
    plain = why_state(good.trusted(0.5, ""), "BTC/USDT")["trust"]
    assert english(plain) == "Trust in the data 0.50"


def test_advice_is_said_in_words_of_the_catalogue() -> None:
    assert english(advice_line("STRONG_BUY", "LOW")) == "Overall: STRONG BUY · risk LOW"

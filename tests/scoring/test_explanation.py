import json
import math

import numpy as np
import pytest
from builders import random_bars

from opportunity.scoring.ensemble import score
from opportunity.scoring.explanation import (
    Component,
    Explanation,
    direction_name,
    plain,
    unit,
)


def told(**changes):
    nothing = Component("smc", False, math.nan, math.nan, math.nan, 0.2, math.nan)
    values = {
        "timeframe": "1h", "closed": 0, "final": 0.7, "net": 0.4, "strength": 0.4,
        "direction": "BULLISH", "advice": "BUY", "confidence": 0.2, "disagreement": 0.1,
        "coverage": 1.0, "bull_mass": 0.4, "bear_mass": 0.0, "trend": "UP", "volatility": 0.5,
        "flagged": False,
        "components": (Component("sar", True, 0.4, 0.4, 0.3, 0.1, 0.4), nothing),
    }
    return Explanation(**values | changes)


def test_dictionary_is_valid_json_without_nan():
    body = told().as_dict()
    assert json.loads(json.dumps(body, allow_nan=False)) == body
    assert body["components"][0]["direction"] == "BULLISH"
    assert body["components"][1] == {
        "detector": "smc", "available": False, "score": None, "gated": None, "confidence": None,
        "weight": 0.2, "contribution": None, "direction": "NEUTRAL",
    }


@pytest.mark.parametrize(
    ("rank", "level"),
    [(0.81, "HIGH"), (0.8, "NORMAL"), (0.2, "NORMAL"), (0.19, "LOW"), (math.nan, "NORMAL")],
)
def test_volatility_level(rank, level):
    assert told(volatility=rank).volatility_level == level


def test_words_and_units():
    assert [direction_name(side) for side in (-1, 0, 1)] == ["BEARISH", "NEUTRAL", "BULLISH"]
    assert (unit(-1), unit(0), unit(1)) == (0, 0.5, 1)
    assert math.isnan(unit(math.nan))


def test_plain_turns_what_is_undefined_into_none():
    value = {"a": np.float64("nan"), 1: (np.int64(3), math.inf, "x", True, None)}
    assert plain(value) == {"a": None, "1": [3, None, "x", True, None]}


def test_text_names_the_heaviest_first_and_what_is_absent():
    bars = random_bars(400, seed=3)
    explained = score(bars).explain()
    text = str(explained)
    present = [c for c in explained.components if c.available]
    heaviest = max(present, key=lambda c: abs(c.contribution))
    said = text.split("= ")[1].split(";")[0].split(", ")
    assert said[0] == f"{heaviest.detector} {heaviest.contribution:+.3f}"
    assert len(said) == len(present)
    assert "not available: harmonic" in text
    assert text.startswith(explained.direction)


def test_text_of_a_bar_without_a_score():
    assert str(score(random_bars(400, seed=3)).explain(5)).startswith("No score")

import json
import math

import numpy as np
import pytest
from builders import random_bars

from opportunity.detectors.sightings import Sighting
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
        "weight": 0.2, "contribution": None, "direction": "NEUTRAL", "gate": None, "reason": "",
        "sightings": [], "remark": "",
    }
    assert body["headline"] == told().headline


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


def test_str_is_headline_and_table():
    explained = score(random_bars(400, seed=3)).explain()
    title, headline, empty, *table = str(explained).splitlines()
    assert "1h closed" in title
    assert headline == explained.headline
    assert empty == ""
    assert len(table) == 1 + len(explained.components) + 1
    assert explained.direction.capitalize() in headline


def test_text_of_a_bar_without_a_score():
    assert "No score: no detector is available" in str(score(random_bars(400, seed=3)).explain(5))


def test_told_takes_what_is_seen_on_the_side_of_the_score():
    up = Sighting("sar", "flip", 1, "active", 0.5, 2, 0, "Bullish flip")
    seen = {("sar", 1): (up,), ("sar", -1): (), ("smc", 1): (up,), ("smc", 0): (up,)}
    sar, smc = told().told(seen).components
    assert sar.sightings == (up,)
    assert smc.sightings == ()  # what is not available has no side


def test_a_reason_replaces_only_that_there_is_no_data():
    parts = (
        Component("sar", False, *[math.nan] * 5, reason="no data"),
        Component("smc", False, *[math.nan] * 5, reason="not in this version yet"),
    )
    early = told(components=parts).because("100 bars are needed")
    assert [c.reason for c in early.components] == [
        "100 bars are needed", "not in this version yet"
    ]

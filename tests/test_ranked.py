import math
from dataclasses import FrozenInstanceError, fields, replace

import pytest

from opportunity.ranked import Opportunity
from opportunity.trading.levels import Levels

TEXTS = {"symbol": "BTC/USDT", "recommended_action": "BUY", "risk_level": "MEDIUM"}


class Asked:
    """A ranking that notes which rows are taken apart."""

    def __init__(self):
        self.rows = []

    def breakdown(self, i):
        self.rows.append(i)
        return {}


def row(**changes):
    values = {f.name: TEXTS.get(f.name, 0.5) for f in fields(Opportunity)}
    values |= {"levels": None, "timeframes": {}, "components": {}, "_evaluation": Asked(),
               "_row": 7}
    return Opportunity(**values | changes)


def test_details_are_asked_for_once_and_only_when_wanted():
    found = row()
    assert found._evaluation.rows == []
    assert found.timeframe_breakdown == found.timeframe_breakdown == {}
    assert found._evaluation.rows == [7]


def test_older_names_say_the_same():
    found = row(final_score=0.7, direction="BULLISH", consensus=0.9)
    assert found.advice == "BUY - Risk: MEDIUM"
    assert (found.overall_score, found.overall_direction, found.consensus_strength) == (
        0.7, "BULLISH", 0.9
    )


def test_plain_values_hold_no_nan_and_nothing_private():
    body = row(success=math.nan, levels=Levels(1.0, 0.9, (1.1, 1.2, 1.3))).as_dict()
    assert body["success"] is None
    assert body["levels"]["stop"] == 0.9
    assert not [name for name in body if name.startswith("_")]


def test_rows_are_values():
    asked = Asked()
    assert row(_evaluation=asked) == replace(row(_evaluation=asked), _evaluation=Asked())
    with pytest.raises(FrozenInstanceError):
        row().price = 1.0

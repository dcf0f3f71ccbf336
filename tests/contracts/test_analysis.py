import pytest
from pydantic import ValidationError

from opportunity.contracts.analysis import AnalysisQuery, ChartEvent, ScoredCandle
from opportunity.contracts.market import Candle


def test_query_has_bounds():
    assert (AnalysisQuery().timeframe, AnalysisQuery().bars) == ("1h", 50)
    for bad in ({"bars": 0}, {"bars": 501}, {"timeframe": "2d"}, {"limit": 5}):
        with pytest.raises(ValidationError):
            AnalysisQuery.model_validate(bad)


def test_scored_bar_is_a_bar_with_a_score_or_null():
    assert set(Candle.model_fields) < set(ScoredCandle.model_fields)
    made = ScoredCandle(timestamp=0, open=1, high=1, low=1, close=1, volume=0,
                        final_score=float("nan"), net=None, confidence=0.5)  # fmt: skip
    assert made.final_score is None


def test_event_has_a_side():
    given = {"id": "sar-1", "detector": "sar", "kind": "flip", "text": "", "state": "active",
             "time": 0, "quality": 1.0, "points": [(0, float("nan"), "X")],
             "zone": None}  # fmt: skip
    assert ChartEvent(direction=-1, **given).points == [(0, None, "X")]
    with pytest.raises(ValidationError):
        ChartEvent(direction=2, **given)

"""What a score keeps and tells of itself."""

import numpy as np
import pytest
from builders import random_bars

from opportunity.contracts import DETECTOR_NAMES
from opportunity.scoring.ensemble import score
from opportunity.scoring.presence import existing
from opportunity.scoring.scores import explain
from opportunity.scoring.weights import Weights

HOUR = 3_600_000


def test_a_score_keeps_the_weights_it_was_made_with():
    weights = Weights()
    found = score(random_bars(400, seed=0), weights)
    weights.sar = 9.0
    assert found.weights.sar == 0.1
    assert sum(c.contribution for c in found.explain().components if c.available) == (
        pytest.approx(found.net[-1])
    )


def test_explain_holds_the_arrays_numbers():
    found = score(random_bars(400, seed=0))
    told = found.explain(-1)
    assert told.final == found.final[-1]
    assert told.closed == int(found.time[-1]) + HOUR
    assert told.direction == found.direction[-1]
    assert told.advice == found.advice[-1]
    assert [c.detector for c in told.components] == list(DETECTOR_NAMES)
    assert {c.detector for c in told.components if c.available} == {
        n for n, e in zip(DETECTOR_NAMES, existing(), strict=True) if e
    }
    assert found.explain(10).as_dict()["final"] is None


def test_frame_is_indexed_by_utc():
    frame = score(random_bars(400, seed=0)).to_frame()
    assert str(frame.index.tz) == "UTC"
    assert list(frame.columns[:3]) == ["final", "net", "confidence"]
    assert frame["price_action"].notna().sum() == 301


def test_attributes_are_those_of_what_was_combined():
    found = score(random_bars(400, seed=0))
    for name in ("final", "net", "strength", "confidence", "disagreement", "coverage"):
        assert getattr(found, name) is getattr(found.combined, name)
    np.testing.assert_array_equal(found.direction == "BULLISH", found.side > 0)
    np.testing.assert_array_equal(found.advice == "SELL", found.combined.advice < 0)
    assert len(found) == 400
    assert repr(found).startswith(f"<Scores of 400 bars, newest: {found.direction[-1]} ")
    assert repr(score(random_bars(50, seed=0))) == "<Scores of 50 bars>"


def test_a_row_is_put_into_words_with_its_gates():
    found = score(random_bars(400, seed=0))
    seen = found.evidence
    told = explain(
        found.combined.take(-1), seen.scores[-1], seen.confidences[-1],
        found.weights.as_array(), seen.trend[-1], seen.volatility[-1], "1h", 5,
    )
    for part, gated in zip(told.components, found.combined.gated[-1], strict=True):
        if part.available:
            assert min(max(part.score * part.gate, -1.0), 1.0) == pytest.approx(gated)
        else:
            assert part.reason == "no data"
    assert (told.closed, told.timeframe, told.symbol) == (5, "1h", "")

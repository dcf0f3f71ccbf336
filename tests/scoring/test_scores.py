"""What a score keeps and tells of itself."""

import numpy as np
import pandas as pd
import pytest
from builders import random_bars
from observed import observations

from opportunity.contracts import DETECTOR_NAMES
from opportunity.detectors import Whales
from opportunity.feeds.record_folder import FolderRecords
from opportunity.scoring.ensemble import score
from opportunity.scoring.explain import explain as explain_bars
from opportunity.scoring.presence import existing
from opportunity.scoring.scores import explain, known_about
from opportunity.scoring.weights import Weights

HOUR = 3_600_000
KNOWN_BARS = random_bars(300, seed=5)


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


def test_what_was_known_is_checked_before_it_is_scored():
    whales = Whales().observe(KNOWN_BARS, observations(KNOWN_BARS))
    assert known_about(KNOWN_BARS, {"whales": whales}) == {"whales": whales}
    with pytest.raises(ValueError, match=r"detector in observations .* 'wales'.*'whales'"):
        score(KNOWN_BARS, observations={"wales": whales})
    with pytest.raises(TypeError, match=r"observations\['whales'\] must be Observed, .* was int"):
        score(KNOWN_BARS, observations={"whales": 1})
    for wrong in ("fear_greed.csv", [1, 2], KNOWN_BARS, whales):
        with pytest.raises(TypeError, match="observations must be records"):
            score(KNOWN_BARS, observations=wrong)
        with pytest.raises(TypeError, match="observations must be records"):
            score(KNOWN_BARS).explain(observations=wrong)


def test_a_folder_of_records_is_taken_as_it_is(tmp_path):
    (tmp_path / "sentiment").mkdir()
    days = pd.date_range("2020-06-01", periods=300, freq="D", tz="UTC")
    frame = pd.DataFrame({"timestamp": days, "value": 30 + np.arange(300) % 50})
    frame.to_csv(tmp_path / "sentiment" / "fear_greed.csv", index=False)
    folder = FolderRecords(tmp_path)
    found = score(KNOWN_BARS, observations=folder)
    same = score(KNOWN_BARS, observations=folder.about(KNOWN_BARS))
    np.testing.assert_array_equal(found.net, same.net)
    assert found.evidence.exists.sum() == 7
    told = found.explain(observations=folder)
    assert told.components[DETECTOR_NAMES.index("sentiment")].remark.startswith("Fear & Greed ")
    with pytest.raises(ValueError, match="bars must carry a symbol"):
        score(KNOWN_BARS.label(symbol=""), observations=folder)


@pytest.mark.parametrize("bar", [300, 99_999, -301])
def test_a_bar_that_is_not_there_is_named_with_its_bound(bar):
    with pytest.raises(IndexError, match=f"bar must be from -300 to 299, was {bar}"):
        score(KNOWN_BARS).explain(bar)


def test_what_is_no_bars_is_refused():
    hint = r"bars must be Bars, was DataFrame: Bars\.from_frame"
    for use in (score, explain_bars):
        with pytest.raises(TypeError, match=hint):
            use(KNOWN_BARS.to_frame())
        with pytest.raises(TypeError, match=r"bars must be Bars, was NoneType$"):
            use(None)

"""op.explain: numbers that add up to net and the words a trader reads."""

import json
import re

import numpy as np
import pytest
from builders import mirrored, random_bars, scaled

import opportunity as op
from opportunity.contracts import DETECTOR_NAMES
from opportunity.detectors import DETECTORS
from opportunity.scoring.combination import gate_table
from opportunity.scoring.explain import explain

BARS = random_bars(900, seed=21)


def added(told):
    total = 0.0
    for part in told.components:
        if part.available:
            total += part.contribution
    return total


@pytest.mark.parametrize("bar", [-1, 0, 98, 99, 300, -250])
def test_the_parts_add_up_to_the_score_of_that_bar(bar):
    scores = op.score(BARS)
    told = explain(BARS, bar)
    assert [c.detector for c in told.components] == list(DETECTOR_NAMES)
    if np.isnan(scores.net[bar]):
        assert np.isnan(told.net)
        return
    assert added(told) == told.net == scores.net[bar]  # bit for bit
    gates = gate_table()
    for part, gate in zip(told.components, gates, strict=True):
        if part.available:
            assert part.gated == np.clip(part.gate * part.score, -1, 1)
            assert 0.3 < part.gate < 1.3
            assert part.gate == 1.0 or (gate != 1.0).any()


def test_real_sums_are_exact_on_many_bars():
    scores = op.score(BARS)
    for bar in range(99, 900, 57):
        told = scores.explain(bar)
        assert added(told) == told.net == scores.net[bar]


def test_the_words_are_those_of_the_newest_living_events():
    said = 0
    for bar in range(200, 900, 50):
        told = explain(BARS, bar)
        for part in told.components:
            for seen in part.sightings:
                assert seen.side == np.sign(part.score)
                detector = next(d for d in DETECTORS if d.name == part.detector)()
                events = detector.events(BARS[: bar + 1])
                last = [e for e in events if e.kind == seen.kind and e.time == seen.time]
                assert any(e.text.startswith(seen.text) for e in last)
                assert last[-1].bar == bar - seen.age
                if part.contribution != 0:
                    inside = seen.text[0].lower() + seen.text[1:]
                    assert inside in told.headline
                    said += 1
    assert said > 10


def test_the_headline_begins_with_side_and_score_and_tells_the_market():
    told = explain(BARS)
    rsi = op.indicators.rsi(BARS, 14)[-1]
    atr = op.indicators.atr(BARS, 14)[-1] / BARS.close[-1]
    assert told.headline.startswith(
        f"{told.direction.capitalize()} {told.final:.2f}, confidence {told.confidence:.2f}: "
    )
    assert f"RSI {rsi:.0f}" in told.headline
    assert f"ATR {100 * atr:.2f} % of the price" in told.headline
    assert f"(rank {told.volatility:.2f})" in told.headline


SWAPS = {
    "bullish": "bearish", "Bullish": "Bearish", "trend up": "trend down", "leans up": "leans down",
}


def swapped(text):
    for one, other in SWAPS.items():
        text = text.replace(one, "\0").replace(other, one).replace("\0", other)
    return re.sub(r"[\d,.]*\d", "0", text)


def test_a_mirrored_market_mirrors_the_words():
    other = mirrored(BARS)
    n_said = 0
    for bar in range(150, 900, 50):
        told, twin = explain(BARS, bar), explain(other, bar)
        assert twin.net == pytest.approx(-told.net, abs=1e-9)
        assert swapped(twin.headline) == re.sub(r"[\d,.]*\d", "0", told.headline)
        assert twin.rsi == pytest.approx(100 - told.rsi)
        n_said += sum(len(c.sightings) for c in told.components)
    assert n_said > 10


def test_power_of_two_prices_change_only_the_prices():
    told, twin = explain(BARS), explain(scaled(BARS, 4.0))
    assert twin.price == 4 * told.price
    assert re.sub(r"[\d,.]*\d", "0", twin.headline) == re.sub(r"[\d,.]*\d", "0", told.headline)


def test_what_is_not_available_is_said_with_its_reason():
    for part in explain(BARS).components:
        kind = next(d for d in DETECTORS if d.name == part.detector)
        if kind.needs:
            assert (part.available, part.reason) == (False, "no data")
        else:
            assert (part.available, part.reason) == (True, "")
    young = explain(BARS, 50)
    assert {c.reason for c in young.components} == {"100 bars are needed"}
    assert young.headline.startswith("No score: no detector is available")
    assert "100 bars are needed" in young.headline


def test_scores_may_be_given_and_weighed_anew():
    scores = op.score(BARS, weights={"sar": 0.5})
    assert explain(scores).as_dict() == explain(BARS, weights={"sar": 0.5}).as_dict()
    assert explain(scores).as_dict() == scores.explain().as_dict()
    anew = explain(scores, weights={"sar": 0.0})
    assert anew.as_dict() == explain(BARS, weights={"sar": 0.0}).as_dict()
    assert scores.weights.sar == 0.5
    with pytest.raises(ValueError, match="timeframe must be left out for scores, was 4h"):
        explain(scores, timeframe="4h")
    with pytest.raises(IndexError):
        explain(BARS, 900)


def test_timeframe_is_that_of_score():
    told = explain(BARS, timeframe="4h")
    assert told.timeframe == "4h"
    assert told.net == op.score(BARS, timeframe="4h").net[-1]


def test_later_bars_change_nothing():
    assert explain(BARS, 500).as_dict() == explain(BARS[:501]).as_dict()


def test_it_is_plain_json_with_the_words():
    body = explain(BARS).as_dict()
    assert json.loads(json.dumps(body, allow_nan=False)) == body
    assert body["headline"] == explain(BARS).headline
    assert body["components"][4]["gate"] == 1.0
    assert {"rsi", "atr", "price", "symbol"} <= body.keys()


def test_a_flat_market_says_that_nothing_is_seen():
    values = np.full((150, 5), 50.0)
    flat = op.Bars(BARS.time[:150], values, "1h")
    told = explain(flat)
    assert told.headline.startswith("Neutral 0.50, confidence 0.00: no detector sees anything.")
    assert "RSI" not in told.headline

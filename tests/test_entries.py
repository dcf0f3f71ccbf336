from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opportunity.entries import ENTRY_STOPS, entry_sides, entry_stops, named_stops
from opportunity.scoring.consensus import Consensus
from opportunity.trading.rules import TradeRecord

N = 400


@pytest.fixture
def consensus() -> Consensus:
    return drawn(3)


def drawn(seed: int) -> Consensus:
    rng = np.random.default_rng(seed)
    net = rng.uniform(-1, 1, N)
    numbers = {f.name: rng.random(N) for f in fields(Consensus)}
    numbers |= {
        "net": net, "final": (1 + net) / 2, "strength": np.abs(net),
        "components": np.zeros((N, 9)), "action": np.zeros(N, np.int8),
        "direction": rng.integers(-1, 2, N).astype(np.int8), "count": rng.integers(0, 3, N),
    }  # fmt: skip
    made = Consensus(**numbers)
    made.net[made.count == 0] = np.nan
    return made


def trust() -> np.ndarray:
    return np.where(np.arange(N) % 17 == 0, np.nan, np.random.default_rng(4).random(N))


def allowed(c: Consensus, i: int, trusted: float, rules: TradeRecord) -> int:
    """Say it once more, in plain words."""
    side = int(c.direction[i])
    if c.count[i] == 0 or side == 0 or (1 + side * c.net[i]) / 2 < rules.min_score:
        return 0
    if c.confidence[i] < rules.min_confidence or c.disagreement[i] > rules.max_disagreement:
        return 0
    if not trusted >= rules.min_trust:
        return 0
    only = {None: side, "BULLISH": 1, "BEARISH": -1}[rules.direction]
    return side if side == only else 0


@pytest.mark.parametrize("rules", [
    TradeRecord(), TradeRecord(min_score=0.5, min_confidence=0.0, min_trust=0.0),
    TradeRecord(direction="BULLISH"), TradeRecord(direction="BEARISH", min_trust=0.1),
    TradeRecord(max_disagreement=0.9, min_confidence=0.7),
])  # fmt: skip
def test_sides_are_those_that_every_rule_lets_through(consensus, rules) -> None:
    made = entry_sides(consensus, trust(), rules)
    assert made.tolist() == [allowed(consensus, i, t, rules) for i, t in enumerate(trust())]
    assert np.count_nonzero(made) > 4


def test_a_mirrored_market_is_entered_on_the_other_side(consensus) -> None:
    turned = replace(
        consensus, net=-consensus.net, final=1 - consensus.final, direction=-consensus.direction
    )
    rules = TradeRecord(min_score=0.6)
    np.testing.assert_array_equal(
        entry_sides(turned, trust(), rules), -entry_sides(consensus, trust(), rules)
    )


def test_bounds_belong_to_what_is_let_through(consensus) -> None:
    rules = TradeRecord()
    for place, name in ((0, "confidence"), (1, "disagreement"), (2, "net"), (3, "trust")):
        at = np.full(4, 0.5)
        four = Consensus(*(getattr(consensus, f.name)[:4].copy() for f in fields(Consensus)))
        edge = replace(
            four, direction=np.array([1, -1, 1, 1], np.int8), net=np.array([0.3, -0.3, 0.3, 0.3]),
            confidence=np.full(4, 0.2), disagreement=at, count=np.ones(4, np.int64),
        )  # fmt: skip
        trusted = at.copy()
        assert entry_sides(edge, trusted, rules).tolist() == [1, -1, 1, 1]
        worse = {"confidence": -1, "disagreement": 1, "net": -1, "trust": -1}[name]
        array = trusted if name == "trust" else getattr(edge, name)
        array[place] = np.nextafter(array[place], array[place] + worse)
        assert entry_sides(edge, trusted, rules)[place] == 0


unit = st.floats(0, 1)


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1), score=st.floats(0.5, 1), confidence=unit, trusted=unit,
    disagreement=unit, direction=st.sampled_from([None, "BULLISH", "BEARISH"]),
)  # fmt: skip
def test_a_side_is_let_through_where_nothing_stops_it(
    seed: int, score: float, confidence: float, trusted: float, disagreement: float, direction
) -> None:
    rules = TradeRecord(score, confidence, trusted, disagreement, direction)
    together = drawn(seed)
    mask, sides = entry_stops(together, trust(), rules), entry_sides(together, trust(), rules)
    np.testing.assert_array_equal(sides, np.where(mask == 0, together.direction, 0))
    assert sides.tolist() == [allowed(together, i, t, rules) for i, t in enumerate(trust())]
    assert mask.max() < 1 << len(ENTRY_STOPS)


def test_stops_are_named_and_only_asked_of_an_idea(consensus) -> None:
    rules = TradeRecord(direction="BULLISH", min_score=0.9)
    names = [named_stops(int(m)) for m in entry_stops(consensus, trust(), rules)]
    for i, found in enumerate(names):
        if consensus.count[i] == 0:
            assert found == ("unscored",)
        elif consensus.direction[i] == 0:
            assert found == ("neutral",)
        else:
            side = int(consensus.direction[i])
            assert ("direction" in found) == (side < 0)
            assert ("min_score" in found) == ((1 + side * consensus.net[i]) / 2 < 0.9)
            assert ("min_trust" in found) == (not trust()[i] >= rules.min_trust)
            assert ("min_confidence" in found) == (consensus.confidence[i] < rules.min_confidence)

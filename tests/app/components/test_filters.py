import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.components.filters import AGREEMENTS, CHANGES, SIDES, Filters, wanted
from app.components.rows import ranking
from opportunity.contracts import DETECTOR_NAMES
from opportunity.scoring.snapshot import MarketSnapshot
from opportunity.strategy import Evaluation, ScanRules, evaluate


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    rng = np.random.default_rng(4)
    n, frames = 60, ("15m", "1h", "4h")
    shape = (n, len(frames))
    scores = rng.uniform(-1, 1, (*shape, len(DETECTOR_NAMES)))
    change = rng.normal(0, 0.06, n)
    change[:3] = np.nan
    volume = rng.lognormal(16, 2, n)
    volume[3:6] = np.nan
    snapshot = MarketSnapshot(
        version=1, time=0, source="simulated", symbols=tuple(f"S{i}/USDT" for i in range(n)),
        timeframes=frames, scores=scores, confidences=rng.uniform(0, 1, scores.shape),
        trend=np.zeros(shape), volatility=np.full(shape, 0.5), atr=np.ones(shape),
        closed=np.ones(shape, np.int64), price=np.ones(n), change_24h=change, volume_24h=volume,
        drawdown_rank=np.zeros(n), flagged=np.zeros(shape, bool), patterns=((),) * n,
    )
    return evaluate(snapshot, rules=ScanRules(threshold=0.55), exists=np.ones(9, bool))


def _left(evaluation: Evaluation, **asked) -> list[int]:
    order = ranking(evaluation)
    members = asked.pop("members", None)
    return order[wanted(evaluation, order, Filters.of(asked), members)].tolist()


def test_no_filter_lets_everything_through(evaluation) -> None:
    assert _left(evaluation) == ranking(evaluation).tolist()
    assert Filters().changed() == {}


def test_each_filter_keeps_what_it_says(evaluation) -> None:
    snapshot, together = evaluation.snapshot, evaluation.consensus
    everything = set(ranking(evaluation).tolist())

    def holds(mask, **asked) -> None:
        found = _left(evaluation, **asked)
        assert set(found) == {i for i in everything if mask[i]}
        assert 0 < len(found) < len(everything), asked

    holds(together.direction == 1, side="bullish")
    holds(together.direction == -1, side="bearish")
    middle = float(np.median(together.confidence))
    holds(together.confidence >= middle, conf=middle)
    holds((together.final >= 0.45) & (together.final <= 0.5), low="0.45", high="0.5")
    holds(snapshot.change_24h > 0, change="gainers")
    holds(snapshot.change_24h < 0, change="losers")
    holds(np.abs(snapshot.change_24h) > 0.05, change="movers")
    holds(snapshot.volume_24h >= 1e7, volume=1e7)
    holds(evaluation.stops == 0, passed=True)
    names = np.array(["S1" in s for s in snapshot.symbols])
    holds(names, q="s1")
    holds(np.array([s in ("S2/USDT", "S9/USDT") for s in snapshot.symbols]), list="mine",
          members=("S2/USDT", "S9/USDT", "GONE/USDT"))


def test_agreement_and_active_signals_are_nested(evaluation) -> None:
    majority, full = _left(evaluation, agree="majority"), _left(evaluation, agree="full")
    assert set(full) < set(majority)
    for i in full:
        side = evaluation.consensus.direction[i]
        assert (evaluation.combined.direction[i] == side).all()
    counts = [len(_left(evaluation, active=n)) for n in range(10)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[5] > counts[9]


def test_what_makes_no_sense_is_left_out() -> None:
    asked = Filters.of({
        "side": "up", "conf": "x", "low": "nan", "high": "7", "volume": "-3", "active": "44",
        "agree": "most", "q": "b" * 500, "unknown": 1, "passed": "1", "change": "losers",
    })
    assert asked == Filters(
        high=1.0, volume=0.0, active=9, q="b" * 64, passed=True, change="losers"
    )


@given(st.builds(
    Filters, q=st.text(max_size=64), side=st.sampled_from(SIDES), conf=st.floats(0, 1),
    low=st.floats(0, 1), high=st.floats(0, 1), change=st.sampled_from(CHANGES),
    volume=st.floats(0, 1e15), active=st.integers(0, 9), agree=st.sampled_from(AGREEMENTS),
    list=st.text(max_size=64), passed=st.booleans(),
))
def test_filters_survive_the_way_to_the_browser(filters) -> None:
    assert Filters.of(filters.changed()) == filters

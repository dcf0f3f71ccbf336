"""Ranking: order, ties, reasons, risk, and that nobody's draft touches anybody."""

import json
import math
import time
from dataclasses import replace

import numpy as np
import pytest
from calling import made_calls
from hypothesis import given, settings
from hypothesis import strategies as st

from opportunity.contracts import DETECTOR_NAMES
from opportunity.market.trust import FACTORS
from opportunity.scoring.calibration import calibrated
from opportunity.scoring.snapshot import MarketSnapshot
from opportunity.scoring.weights import Weights
from opportunity.strategy import SCAN_CONFIDENCE, TRADE_CONFIDENCE, ScanRules, evaluate

D = len(DETECTOR_NAMES)
ALL = np.ones(D, np.bool_)
NOW = 1_700_000_000_000
LAX = ScanRules(type="any", threshold=0, min_confidence=0, max_risk="HIGH",
                exclude_neutral=False, min_volume_usd=0)


def market(scores, confidence=0.5, symbols=None, timeframes=("1h", "4h", "1d"), **changes):
    """Snapshot with the given detector scores, shape (S, F) for price_action or (S, F, 9)."""
    scores = np.asarray(scores, float)
    if scores.ndim == 2:
        whole = np.full((*scores.shape, D), np.nan)
        whole[..., 4] = scores
        scores = whole
    n, f = scores.shape[:2]
    values = {
        "version": 1, "time": NOW, "source": "test",
        "symbols": symbols or tuple(f"S{i:04d}/USDT" for i in range(n)),
        "timeframes": timeframes[:f], "scores": scores,
        "confidences": np.where(np.isnan(scores), np.nan, confidence),
        "trend": np.zeros((n, f), np.int8), "volatility": np.full((n, f), 0.5),
        "atr": np.full((n, f), 2.0), "closed": np.full((n, f), NOW), "price": np.full(n, 100.0),
        "change_24h": np.zeros(n), "volume_24h": np.full(n, 1e9),
        "drawdown_rank": np.full(n, 0.5), "flagged": np.zeros((n, f), np.bool_),
        "patterns": ((),) * n,
    }
    return MarketSnapshot(**values | changes)


def names(evaluation):
    return [row.symbol for row in evaluation.rows()]


def test_bearish_opportunities_rank_as_high_as_bullish_ones():
    found = evaluate(market([[0.3] * 3, [-0.6] * 3, [0.5] * 3, [-0.4] * 3]), rules=LAX, exists=ALL)
    assert names(found) == ["S0001/USDT", "S0002/USDT", "S0003/USDT", "S0000/USDT"]
    assert [row.direction for row in found.rows()] == ["BEARISH", "BULLISH", "BEARISH", "BULLISH"]
    assert [row.rank for row in found.rows()] == [1, 2, 3, 4]


def test_rank_is_strength_times_confidence_times_consensus():
    rng = np.random.default_rng(0)
    snapshot = market(rng.uniform(-1, 1, (60, 3, D)), rng.random((60, 3, D)))
    found = evaluate(snapshot, rules=LAX, exists=ALL)
    keys = [abs(r.net) * r.confidence * r.consensus for r in found.rows()]
    assert keys == sorted(keys, reverse=True)
    assert len(found) == 60


def test_ties_go_by_volume_then_by_name():
    snapshot = market(
        [[0.5] * 3] * 5, symbols=("E/USDT", "B/USDT", "D/USDT", "A/USDT", "C/USDT"),
        volume_24h=np.array([1e6, 2e6, 2e6, math.nan, 5e6]),
    )
    assert names(evaluate(snapshot, rules=LAX, exists=ALL)) == [
        "C/USDT", "B/USDT", "D/USDT", "E/USDT", "A/USDT"
    ]


def test_order_does_not_depend_on_the_order_of_symbols():
    rng = np.random.default_rng(1)
    scores = np.round(rng.uniform(-1, 1, (50, 3)), 1)  # many ties
    snapshot = market(scores)
    shuffled = snapshot.take(rng.permutation(snapshot.symbols).tolist())
    assert names(evaluate(snapshot, rules=LAX, exists=ALL)) == (
        names(evaluate(shuffled, rules=LAX, exists=ALL))
    )


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000))
def test_the_mirrored_market_has_the_same_ranking(seed):
    rng = np.random.default_rng(seed)
    scores = rng.uniform(-1, 1, (12, 3, D))
    scores[rng.random(scores.shape) < 0.3] = np.nan
    confidences, trend = rng.random(scores.shape), rng.integers(-1, 2, (12, 3)).astype(np.int8)
    rules = ScanRules(type=rng.choice(["any", "all", "majority", "threshold"]), threshold=0.6,
                      min_confidence=0.2, max_risk="MEDIUM")
    there = evaluate(market(scores, confidences, trend=trend), rules=rules, exists=ALL)
    back = evaluate(market(-scores, confidences, trend=-trend), rules=rules, exists=ALL)
    np.testing.assert_array_equal(there.order, back.order)
    np.testing.assert_array_equal(there.stops, back.stops)
    np.testing.assert_array_equal(there.key, back.key)
    np.testing.assert_array_equal(there.consensus.net, -back.consensus.net)
    np.testing.assert_array_equal(there.consensus.action, -back.consensus.action)


def test_a_symbol_without_a_score_is_left_out_with_its_reason():
    found = evaluate(market([[0.5] * 3, [math.nan] * 3]), rules=LAX, exists=ALL)
    assert names(found) == ["S0000/USDT"]
    row = found.row(1)
    assert (row.rank, row.direction, row.stopped_by) == (None, "NEUTRAL", ("unscored",))
    assert (row.risk_level, row.recommended_action, row.tf_count) == ("UNKNOWN", "HOLD", 0)
    assert math.isnan(row.final_score)
    assert row.timeframes == {}
    assert row.levels is None


def test_reasons_are_named_in_order():
    found = evaluate(market([[0.1] * 3], confidence=0.1, volume_24h=np.array([1.0])), exists=ALL)
    assert found.why(0) == ("neutral", "strength", "confidence", "volume")
    assert len(found) == 0
    assert found.to_frame().empty


@pytest.mark.parametrize(
    ("drawdown", "volatility", "risk", "level"),
    [
        (0.5, 0.5, (0.5 + 0 + 0 + 0.5) / 4, "LOW"),
        (1.0, 1.0, 0.5, "MEDIUM"),
        (math.nan, 0.9, 0.33, "MEDIUM"),  # what is unknown is never LOW
        (0.9, math.nan, 0.33, "MEDIUM"),
        (math.nan, math.nan, 0.33, "MEDIUM"),
    ],
)
def test_risk_is_the_mean_of_its_parts(drawdown, volatility, risk, level):
    snapshot = market([[0.5] * 3], drawdown_rank=np.array([drawdown]),
                      volatility=np.full((1, 3), volatility))
    row = evaluate(snapshot, rules=LAX, exists=ALL).row(0)
    assert row.risk == pytest.approx(risk)
    assert row.risk_level == level
    assert row.advice == f"STRONG_BUY - Risk: {level}"


def test_split_opinions_are_risky():
    scores = np.full((1, 3, D), np.nan)
    scores[..., :2] = [1.0, -1.0]
    row = evaluate(market(scores, drawdown_rank=np.array([1.0]), volatility=np.ones((1, 3))),
                   Weights(harmonic=1, elliott=1), LAX, exists=ALL).row(0)
    assert row.disagreement > 0.5
    assert row.risk_level == "HIGH"


def test_a_row_carries_every_field():
    scores = np.full((1, 3, D), 0.5)
    snapshot = market(scores, patterns=(("flag",),), flagged=np.array([[False, True, False]]))
    row = evaluate(snapshot, rules=LAX, exists=ALL).row(0)
    body = row.as_dict()
    for name in ("rank", "symbol", "price", "change_24h", "volume_24h", "final_score", "direction",
                 "confidence", "consensus", "recommended_action", "risk_level", "tf_count",
                 "timeframes", "timeframe_breakdown", "components", "success", "risk", "advice",
                 "patterns", "scanned_at", "source", "levels"):
        assert name in body, name
    assert json.loads(json.dumps(body, allow_nan=False)) == body
    assert body["components"].keys() == {*DETECTOR_NAMES, "ict"}
    assert body["success"] is None
    assert body["flagged"] is True
    assert body["timeframe_breakdown"]["4h"]["flagged"] is True
    assert row.overall_score == row.final_score
    assert row.overall_direction == row.direction
    assert row.consensus_strength == row.consensus


def test_levels_take_the_range_of_the_heaviest_timeframe_that_scored():
    atr = np.array([[1.0, 4.0, 9.0]] * 2)
    found = evaluate(market([[0.5] * 3, [-0.5, math.nan, -0.5]], atr=atr), rules=LAX, exists=ALL)
    assert (found.row(0).levels.stop, found.row(0).levels.targets[0]) == (94, 106)
    assert found.row(1).levels.stop == 101.5


def test_weights_turn_the_ranking_and_touch_nothing():
    scores = np.zeros((2, 1, D))
    scores[0, 0, 4], scores[1, 0, 6] = 0.8, -0.8
    snapshot = market(scores)
    before = {name: array.copy() for name, array in snapshot.arrays().items()}
    low = dict.fromkeys(DETECTOR_NAMES, 0.1)
    first = evaluate(snapshot, Weights(**low | {"price_action": 1}), LAX, exists=ALL)
    second = evaluate(snapshot, Weights(**low | {"sentiment": 1}), LAX, exists=ALL)
    assert names(first) == ["S0000/USDT", "S0001/USDT"]
    assert names(second) == ["S0001/USDT", "S0000/USDT"]
    for name, array in snapshot.arrays().items():
        np.testing.assert_array_equal(array, before[name])


def test_part_of_the_market():
    snapshot = market([[0.5, -0.9, 0.5], [0.2] * 3])
    found = evaluate(snapshot, rules=LAX, timeframes=["4h"], symbols=["S0000/USDT"], exists=ALL)
    assert found.snapshot.timeframes == ("4h",)
    assert names(found) == ["S0000/USDT"]
    assert found.row(0).direction == "BEARISH"
    assert found.find("S0001/USDT") is None
    heavy = evaluate(snapshot, rules=LAX, timeframe_weights={"4h": 9}, exists=ALL)
    assert heavy.find("S0000/USDT").direction == "BEARISH"
    ruled = evaluate(
        snapshot, rules=replace(LAX.record(), timeframe_weights=(("4h", 9.0),)), exists=ALL
    )
    assert ruled.timeframe_weights.tolist() == heavy.timeframe_weights.tolist()
    np.testing.assert_array_equal(ruled.key, heavy.key)
    with pytest.raises(ValueError, match="Did you mean"):
        evaluate(snapshot, symbols=["S0000/USDC"])


def test_an_empty_market_has_no_rows():
    found = evaluate(market(np.empty((0, 3))), exists=ALL)
    assert len(found) == 0
    assert found.rows() == ()


def test_rows_can_be_limited_and_framed():
    found = evaluate(market(np.linspace(0.3, 0.9, 10)[:, None] * np.ones(3)), rules=LAX, exists=ALL)
    assert [r.rank for r in found.rows(3)] == [1, 2, 3]
    frame = found.to_frame()
    assert frame.index.tolist() == list(range(1, 11))
    assert {"symbol", "final_score", "1h", "4h", "1d"} <= set(frame.columns)


def test_rules_are_documented_and_checked():
    for name in ScanRules.param:
        assert ScanRules.param[name].doc
    with pytest.raises(AttributeError, match="Did you mean 'min_confidence'"):
        ScanRules().min_confidance = 0.5
    with pytest.raises(ValueError, match="threshold"):
        ScanRules(threshold=2)
    with pytest.raises(ValueError, match="symbol must be"):
        ScanRules(exclude_symbols=["???"]).record()
    assert ScanRules(exclude_symbols=["btcusdt"]).record().exclude_symbols == {"BTC/USDT"}
    assert ScanRules().as_dict()["type"] == "majority"


def test_thresholds_are_ordered():
    assert 0 < SCAN_CONFIDENCE < TRADE_CONFIDENCE < 1
    assert ScanRules().min_confidence == SCAN_CONFIDENCE


@pytest.mark.parametrize(("n", "limit_ms"), [(40, 1.0), (2_000, 10.0)])
def test_evaluating_is_fast(n, limit_ms):
    rng = np.random.default_rng(0)
    frames = ("5m", "15m", "30m", "1h", "4h", "1d")
    scores = rng.uniform(-1, 1, (n, 6, D))
    snapshot = market(scores, rng.random(scores.shape), timeframes=frames)
    weights, rules = Weights(), ScanRules()
    evaluate(snapshot, weights, rules)
    best = math.inf
    for _ in range(30):
        began = time.perf_counter()
        evaluate(snapshot, weights, rules)
        best = min(best, (time.perf_counter() - began) * 1e3)
    assert best < limit_ms


def test_time_and_source_are_stamped_on_every_row():
    snapshot = replace(market([[0.5] * 3]), source="simulated")
    row = evaluate(snapshot, rules=LAX, exists=ALL).row(0)
    assert (row.scanned_at, row.source) == (NOW, "simulated")


def test_ict_is_the_mean_of_the_timeframes_that_have_it():
    snapshot = market([[0.3] * 3] * 2, ict=np.array([[0.5, np.nan, -0.5], [np.nan] * 3]))
    rows = {r.symbol: r for r in evaluate(snapshot, rules=LAX).rows()}
    weights = {"1h": 0.25, "1d": 0.20}
    mean = (0.5 * weights["1h"] - 0.5 * weights["1d"]) / sum(weights.values())
    assert rows["S0000/USDT"].components["ict"] == pytest.approx((1 + mean) / 2)
    assert math.isnan(rows["S0001/USDT"].components["ict"])


def test_coverage_counts_the_detectors_that_the_snapshot_says_exist():
    connected = np.array([True] * 6 + [False] * 3)
    snapshot = market([[0.5] * 3])
    plain, less = evaluate(snapshot, rules=LAX), evaluate(
        replace(snapshot, exists=connected), rules=LAX
    )
    more = evaluate(replace(snapshot, exists=ALL), rules=LAX)
    assert more.row(0).coverage < less.row(0).coverage
    assert plain.row(0).coverage == less.row(0).coverage  # those that read records have none


# -- success ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def known():
    calls = made_calls(6_000, chance=lambda strength: 0.45 + 0.4 * strength)
    return calibrated({t: replace(calls, timeframe=t) for t in ("1h", "4h")}, None, "test", [])


def test_success_is_that_of_the_calibration_and_stands_beside_its_reason(known):
    nets = [[0.5, 0.4, 0.3], [-0.5, -0.4, -0.3], [0.05, 0.0, 0.02]]
    found = evaluate(market(nets), rules=LAX, exists=ALL, calibration=known)
    up, down, calm = (found.row(i) for i in range(3))
    assert found.uncalibrated == ""
    assert up.success == down.success == found.success[0]
    assert 0.5 < up.success < 1
    assert (up.success_note, calm.success_note) == ("", "no direction")
    assert math.isnan(calm.success)
    seen = up.timeframe_breakdown
    assert seen["1h"].success == known.calibrators["1h"].predict(found.combined)[0, 0]
    assert math.isnan(seen["1d"].success)
    assert up.as_dict()["timeframe_breakdown"]["1d"]["success"] is None
    assert "success" in found.to_frame().columns


def test_without_a_calibration_that_fits_success_is_null_and_says_why(known):
    snapshot = market([[0.5, 0.4, 0.3]])
    for asked, words in (
        ({}, "uncalibrated: these scores have no calibration yet"),
        ({"calibration": known, "weights": {"price_action": 0.2}},
         "uncalibrated: the calibration is of other weights"),
        ({"calibration": replace(known, source="simulated")},
         "uncalibrated: the calibration is of simulated bars, these are recorded"),
        ({"calibration": known, "timeframes": ["1d"]}, "uncalibrated: 1d: not calibrated"),
    ):
        row = evaluate(snapshot, rules=LAX, exists=ALL, **asked).row(0)
        assert math.isnan(row.success)
        assert row.success_note == words
        assert row.as_dict()["success"] is None
    early = replace(snapshot, time=known.known - 1)
    row = evaluate(early, rules=LAX, exists=ALL, calibration=known).row(0)
    assert row.success_note == "uncalibrated: the calibration knows what came after this time"


def test_success_costs_nothing_until_it_is_asked_for(known, monkeypatch):
    def asked(*_):
        raise AssertionError("asked")

    monkeypatch.setattr(type(known), "of_symbols", asked)
    monkeypatch.setattr(type(known), "problem", asked)
    found = evaluate(market([[0.5] * 3] * 4), rules=LAX, exists=ALL, calibration=known)
    assert len(found) == 4
    with pytest.raises(AssertionError, match="asked"):
        found.success  # noqa: B018 - the property is what is tested


def doubted(snapshot, *places):
    """The snapshot with facts of distrust: (symbol, timeframe, factor, fact)."""
    facts = snapshot.distrust.copy()
    for i, f, name, fact in places:
        facts[i, f, FACTORS.index(name)] = fact
    return replace(snapshot, distrust=facts, trust=np.empty((0, 0)))


def test_distrust_lowers_the_confidence_and_nothing_that_detectors_said():
    rng = np.random.default_rng(3)
    snapshot = market(rng.uniform(-1, 1, (5, 3, D)), rng.random((5, 3, D)))
    whole = evaluate(snapshot, rules=LAX, exists=ALL)
    part = evaluate(doubted(snapshot, (1, 0, "gaps", 0.105), (2, slice(None), "mismatch", 0.06)),
                    rules=LAX, exists=ALL)
    for name in ("final", "net", "strength", "contributions", "direction", "advice"):
        np.testing.assert_array_equal(getattr(whole.combined, name), getattr(part.combined, name))
    np.testing.assert_array_equal(whole.consensus.action, part.consensus.action)
    np.testing.assert_array_equal(whole.risk, part.risk)
    factor = np.ones((5, 3))
    factor[1, 0], factor[2] = 0.5, 0.7
    np.testing.assert_allclose(part.combined.confidence, whole.combined.confidence * factor)
    np.testing.assert_allclose(
        part.trust, [1, (0.25 * 0.5 + 0.3 + 0.2) / 0.75, 0.7, 1, 1], rtol=1e-12
    )
    assert part.consensus.confidence[2] == pytest.approx(0.7 * whole.consensus.confidence[2])
    row = part.row(1)
    assert row.trust == part.trust[1]
    assert row.trust_note == "10 % of the 1h bars missing lately"
    assert part.row(0).trust == 1.0
    assert part.row(0).trust_note == ""
    assert row.timeframe_breakdown["1h"].trust == 0.5
    assert row.timeframe_breakdown["1h"].confidence == part.combined.confidence[1, 0]
    assert row.timeframe_breakdown["4h"].trust_note == ""
    assert "Trust in the data 0.50" in row.timeframe_breakdown["1h"].headline


def test_a_symbol_that_cannot_be_trusted_is_vetoed():
    snapshot = doubted(market([[0.6] * 3] * 3), (0, slice(None), "price", 1), (1, 1, "price", 1))
    found = evaluate(snapshot, rules=LAX, exists=ALL)
    assert names(found) == ["S0002/USDT", "S0001/USDT"]
    assert found.why(0) == ("trust",)
    assert found.row(0).confidence == 0
    assert found.trust[1] == pytest.approx(0.6)
    strict = ScanRules(**{**LAX.as_dict(), "min_trust": 0.61})
    assert names(evaluate(snapshot, rules=strict, exists=ALL)) == ["S0002/USDT"]
    free = ScanRules(**{**LAX.as_dict(), "min_trust": 0})
    assert len(evaluate(snapshot, rules=free, exists=ALL)) == 3
    summary = found.trust_summary
    assert (summary.lowest, summary.n_vetoed, summary.n_symbols) == (0, 1, 3)


def test_nobody_is_advised_to_act_on_data_that_cannot_be_trusted():
    snapshot = market([[0.6] * 3] * 3)
    found = evaluate(doubted(snapshot, (1, slice(None), "price", 1)), rules=LAX, exists=ALL)
    plain = evaluate(snapshot, rules=LAX, exists=ALL)
    row, before = found.row(1), plain.row(1)
    assert row.direction == before.direction == "BULLISH"
    assert before.recommended_action != "HOLD"
    assert before.levels is not None
    assert row.recommended_action == "HOLD"
    assert row.levels is None
    assert {e.advice for e in row.timeframe_breakdown.values()} == {"HOLD"}
    for i in (0, 2):
        assert found.row(i).recommended_action == plain.row(i).recommended_action
        assert found.row(i).levels == plain.row(i).levels


def test_a_timeframe_without_a_score_says_nothing_about_trust():
    scores = [[0.6, 0.6, math.nan], [math.nan] * 3]
    found = evaluate(doubted(market(scores), (0, 2, "price", 1), (1, 0, "price", 1)),
                     rules=LAX, exists=ALL)
    assert found.trust[0] == 1.0
    assert math.isnan(found.trust[1])
    assert found.why(1) == ("unscored",)
    assert found.row(1).trust_note == ""
    assert found.row(1).as_dict()["trust"] is None


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_the_mirrored_market_is_trusted_alike(seed):
    rng = np.random.default_rng(seed)
    scores, confidences = rng.uniform(-1, 1, (12, 3, D)), rng.random((12, 3, D))
    scores[rng.random(scores.shape) < 0.3] = np.nan
    facts = rng.random((12, 3, len(FACTORS))) * (rng.random((12, 3, len(FACTORS))) < 0.2)
    rules = ScanRules(min_confidence=0.05, threshold=0.55)
    there, back = (
        evaluate(market(sign * scores, confidences, distrust=facts), rules=rules, exists=ALL)
        for sign in (1, -1)
    )
    np.testing.assert_array_equal(there.order, back.order)
    np.testing.assert_array_equal(there.stops, back.stops)
    np.testing.assert_array_equal(there.trust, back.trust)
    np.testing.assert_array_equal(there.consensus.confidence, back.consensus.confidence)
    np.testing.assert_array_equal(there.consensus.net, -back.consensus.net)
    assert [there.trust_note(i) for i in range(12)] == [back.trust_note(i) for i in range(12)]


@pytest.mark.parametrize("method", ["isotonic", "logistic"])
def test_success_is_that_of_the_same_score_from_good_bars(method):
    known = calibrated({"1h": made_calls(n=6_000)}, None, "test", ["A/USDT"], method)
    snapshot = market([[0.6], [-0.4]], confidence=0.4)
    snapshot = replace(snapshot, time=known.known + 1)
    bad = doubted(snapshot, (slice(None), 0, "mismatch", 0.15))
    whole, part = (evaluate(s, rules=LAX, exists=ALL, calibration=known) for s in (snapshot, bad))
    assert np.isfinite(whole.success).all()
    assert (part.combined.confidence < whole.combined.confidence).all()
    np.testing.assert_array_equal(whole.success, part.success)
    np.testing.assert_array_equal(whole.stream_success, part.stream_success)

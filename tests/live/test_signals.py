from dataclasses import replace

import numpy as np
import orjson
import pytest
from calling import made_calls

from opportunity.contracts.realtime import SignalMessage
from opportunity.live.signals import signals_of
from opportunity.scoring.calibration import calibrated
from opportunity.scoring.snapshot import MarketSnapshot
from opportunity.strategy import evaluate

SYMBOLS = ("BTC/USDT", "ETH/USDT", "NEW/USDT")
TIME = 1_700_000_000_000


@pytest.fixture(scope="module")
def evaluation():
    shape = (3, 2)
    scores, confidences = np.full((2, *shape, 9), np.nan)
    scores[:2, :, 5], confidences[:2, :, 5] = [[0.9, 0.7], [-0.8, -0.6]], 0.4
    scores[1, 1] = np.nan  # ETH has no score on 4h; NEW has none at all
    snapshot = MarketSnapshot(
        version=3, time=TIME, source="simulated", symbols=SYMBOLS, timeframes=("1h", "4h"),
        scores=scores, confidences=confidences, trend=np.zeros(shape, np.int8),
        volatility=np.full(shape, 0.5), atr=np.ones(shape), closed=np.full(shape, TIME),
        price=np.full(3, 100.0), change_24h=np.zeros(3), volume_24h=np.full(3, 1e9),
        drawdown_rank=np.full(3, 0.5), flagged=np.zeros(shape, np.bool_), patterns=((),) * 3,
    )
    return evaluate(snapshot)


def test_signal_is_the_newest_judgement_of_the_symbol(evaluation) -> None:
    signals = signals_of(evaluation, np.arange(3))
    row = evaluation.row(0)
    assert signals["BTC/USDT"] == {
        "type": "signal", "symbol": "BTC/USDT", "direction": row.direction, "ts": TIME,
        "score": row.final_score, "confidence": row.confidence, "risk_level": row.risk_level,
        "timeframes": {"1h": row.timeframes["1h"], "4h": row.timeframes["4h"]},
        "source": "simulated", "success": None, "trust": 1.0, "trust_note": "",
    }
    assert signals["BTC/USDT"]["score"] > 0.5 > signals["ETH/USDT"]["score"]


def test_symbol_without_a_score_sends_nothing(evaluation) -> None:
    assert set(signals_of(evaluation, np.arange(3))) == {"BTC/USDT", "ETH/USDT"}
    assert signals_of(evaluation, np.array([2])) == {}


def test_timeframe_without_a_score_is_left_out(evaluation) -> None:
    assert set(signals_of(evaluation, np.arange(3))["ETH/USDT"]["timeframes"]) == {"1h"}


def test_only_the_rows_asked_for(evaluation) -> None:
    assert set(signals_of(evaluation, np.array([1]))) == {"ETH/USDT"}
    assert signals_of(evaluation, np.empty(0, np.int64)) == {}


def test_signals_fit_the_wire(evaluation) -> None:
    for signal in signals_of(evaluation, np.arange(3)).values():
        fields = {k: v for k, v in signal.items() if k in SignalMessage.model_fields}
        assert {"symbol", "direction", "score", "confidence", "ts"} <= set(fields)
        assert b"NaN" not in orjson.dumps(signal)
        assert orjson.loads(orjson.dumps(signal)) == signal


def test_later_change_of_a_signal_does_not_reach_the_ranking(evaluation) -> None:
    signals_of(evaluation, np.array([0]))["BTC/USDT"]["timeframes"].clear()
    assert signals_of(evaluation, np.array([0]))["BTC/USDT"]["timeframes"]


def test_calibrated_success_travels(evaluation) -> None:
    calls = made_calls(6_000)
    known = calibrated({"1h": calls, "4h": replace(calls, timeframe="4h")}, None, "simulated", [])
    after = replace(evaluation.snapshot, time=known.known)
    seen = evaluate(after, calibration=known)
    signal = signals_of(seen, np.arange(3))["BTC/USDT"]
    assert signal["success"] == seen.row(0).success
    fields = {k: v for k, v in signal.items() if k != "type"}
    message = SignalMessage(v=1, epoch="e", seq=1, id="BTCUSDT", **fields)
    assert message.success == signal["success"]
    assert 0.4 < message.success < 0.6

"""Signals as tables: the newest of each symbol, the last ones in order."""

import pandas as pd

from opportunity.remote.signals import MOST, Signals


def signal(symbol, score, ts=0, **timeframes):
    return {
        "type": "signal", "symbol": symbol, "direction": "BULLISH", "score": score,
        "confidence": 0.5, "risk_level": "LOW", "ts": ts, "source": "simulated",
        "timeframes": timeframes,
    }  # fmt: skip


def test_the_newest_of_each_symbol_counts():
    signals = Signals()
    for message in (signal("B", 0.1), signal("A", 0.2), signal("B", 0.9, 60_000, **{"1h": 0.8})):
        signals.take(message)
    frame = signals.frame()
    assert list(frame.index) == ["A", "B"]
    assert frame.loc["B", "score"] == 0.9
    assert frame.loc["B", "1h"] == 0.8
    assert frame.loc["B", "ts"] == pd.Timestamp(60_000, unit="ms", tz="UTC")
    assert list(signals.log_frame()["symbol"]) == ["B", "A", "B"]
    assert set(frame["source"]) == {"simulated"}


def test_an_empty_table_has_its_columns():
    assert "score" in Signals().frame().columns
    assert "symbol" in Signals().log_frame().columns


def test_the_log_is_bounded():
    signals = Signals()
    for number in range(MOST + 10):
        signals.take(signal("A", 0.5, number))
    assert len(signals.log_frame()) == MOST

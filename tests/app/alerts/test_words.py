import math

import pytest
from alerting import BREAKER, POSITION, SIGNAL, TRADE, account, happened

from app.alerts.words import (
    DayFacts,
    at,
    day_return,
    drawdown,
    event_words,
    money,
    number,
    percent,
    signal_words,
    stamped,
    summary_words,
)


def test_invented_markets_are_stamped():
    assert stamped("Test", "simulated") == "[simulated] Test"
    assert stamped("Test", "binance") == "Test"
    assert stamped("Test", "replay:binance") == "Test"


def test_numbers_are_short():
    assert number(45_123.456) == "45,123.46"
    assert number(0.000012345) == "1.2345e-05"
    assert [number(x) for x in (math.nan, None, "x")] == ["-"] * 3
    assert (money(-1_234.5), money(None), percent(0.0512)) == ("-1,234.50", "-", "+5.1 %")
    assert at(0) == "1970-01-01 00:00 UTC"


@pytest.mark.parametrize(
    ("kind", "body", "title", "text"),
    [
        ("breaker", BREAKER, "Breaker daily loss open, was closed",
         "lost 5.1 % since midnight UTC; no entries until 2026-01-02 00:00 UTC, "
         "2026-01-01 00:00 UTC"),
        ("trade", TRADE, "BTC/USDT long ended +20.00 (+1.50 R)",
         "in 100, out 110, quantity 2, target reached, 2026-01-01 00:00 UTC"),
        ("trade", {"symbol": "A", "side": "SHORT", "r": None}, "A short ended -",
         "in -, out -, quantity -, , 2026-01-01 00:00 UTC"),
        ("fill", {"symbol": "A", "side": "BUY", "quantity": 1.5, "price": 3.0, "fee": 0.1,
                  "reason": "ENTRY"}, "A buy 1.5",
         "at 3, fee 0.1, entry on a signal, 2026-01-01 00:00 UTC"),
        ("price_alert", {"symbol": "A", "rule": "above", "price": 5.0, "touched": 5.25,
                         "note": "top"}, "A at or above 5",
         "touched 5.25, 2026-01-01 00:00 UTC\ntop"),
        ("storage", {"state": "full", "text": "no room"}, "Storage: full",
         "no room, 2026-01-01 00:00 UTC"),
        ("lease", {}, "Lease", "see the log, 2026-01-01 00:00 UTC"),
        ("alert", {"name": "sar", "text": "its hit rate fell"}, "Decay alarm: sar",
         "its hit rate fell, 2026-01-01 00:00 UTC"),
    ],
)  # fmt: skip
def test_events_in_words(kind, body, title, text):
    assert event_words(happened(kind, **body)) == (title, text)


def test_a_signal_in_words():
    assert signal_words(SIGNAL) == (
        "BTC/USDT bullish",
        "score 0.75, confidence 0.80, success 61%, risk low, 2026-01-01 00:00 UTC\n"
        "1h 0.80, 4h 0.70",
    )


def test_a_day_in_words():
    worse = TRADE | {"symbol": "ETH/USDT", "pnl": -5.0}
    state = account(equity=10_500.0, positions=(POSITION,), storage="full")
    day = DayFacts(10_000.0, 10_500.0, [TRADE, worse])
    title, text = summary_words(state, day, "live, all well")
    assert title == "Daily summary: +500.00"
    assert text.splitlines() == [
        "equity 10,500.00, day +5.0 % (+500.00), drawdown -0.0 %",
        "2 trades, 1 won, +15.00; 1 open",
        "best BTC/USDT +20.00, worst ETH/USDT -5.00",
        "all breakers closed", "storage: full", "data: live, all well",
    ]  # fmt: skip
    assert summary_words(state, DayFacts(), "down")[0] == "Daily summary: -"
    assert summary_words(None, DayFacts(), "down")[0] == "Daily summary: no paper account"


def test_returns_and_drawdown():
    assert day_return(account(equity=10_500.0, day_pnl=500.0)) == pytest.approx(0.05)
    assert math.isnan(day_return(account(equity=0.0, day_pnl=0.0)))
    assert drawdown(account(equity=9_000.0)) == pytest.approx(0.1)
    assert drawdown(account(equity=11_000.0)) == 0

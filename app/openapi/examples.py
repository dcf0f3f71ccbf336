"""Examples of request bodies; a test holds each against its model."""

from typing import Any, Final

from opportunity.contracts import (
    agent,
    alerts,
    auth,
    backtest,
    portfolio,
    promotion,
    risk_asked,
    scanner,
    shadows,
    signals,
    stream,
    sweep,
    watchlists,
    weights,
)

Examples = dict[type, dict[str, Any]]

BALANCED: Final = {
    "harmonic": 0.15, "elliott": 0.15, "smc": 0.2, "fibonacci": 0.1, "price_action": 0.15,
    "sar": 0.1, "sentiment": 0.1, "news": 0.03, "whales": 0.02,
}  # fmt: skip

_SPAN: Final = {"start_date": "2024-01-01", "end_date": "2024-03-01"}

EXAMPLES: Final[Examples] = {
    agent.ToggleBody: {"on": {"enabled": True}},
    agent.SubscribeBody: {"two": {"symbols": ["BTCUSDT", "ETH-USDT"]}},
    agent.ConfigBody: {
        "heartbeat": {"scan_interval_ms": 10_000},
        "rules": {"rules": {"type": "any", "threshold": 0.65, "max_risk": "HIGH"}},
    },
    alerts.NotificationChange: {
        "strong signals only": {"min_confidence_threshold": 0.7, "why": "too many"}
    },
    alerts.TestBody: {"all channels": {}},
    alerts.PriceAlertBody: {
        "above": {"symbol": "BTCUSDT", "rule": "above", "price": 100_000.0, "note": "round"}
    },
    auth.LoginBody: {"by name": {"username": "trader", "password": "a long pass phrase"}},
    auth.RefreshBody: {"the last one": {"refresh_token": "of the last login or renewal"}},
    auth.PasswordBody: {
        "a new one": {
            "current_password": "a long pass phrase", "new_password": "a longer pass phrase",
        }
    },
    auth.UserBody: {
        "a trader": {"name": "desk", "role": "trader", "password": "a long pass phrase"}
    },
    auth.UserChange: {"only reads": {"role": "viewer"}},
    auth.KeyBody: {"for a month": {"name": "dashboard", "role": "viewer", "days": 30}},
    backtest.BacktestRequest: {
        "one symbol": {"symbol": "BTCUSDT", **_SPAN, "initial_capital": 10_000, "fee": 0.0005},
        "portfolio": {"symbols": ["BTCUSDT", "ETHUSDT"], **_SPAN, "timeframe": "4h"},
    },
    stream.StreamHeldBody: {"nobody": {"callers": []}},
    sweep.SweepRequest: {
        "random": {"symbol": "BTCUSDT", **_SPAN, "n": 50, "objective": "sharpe", "seed": 7}
    },
    portfolio.CloseBody: {"one": {"symbol": "BTCUSDT", "why": "by hand"}},
    portfolio.FlattenBody: {"all": {"why": "holiday"}},
    portfolio.ResetBody: {"anew": {"cash": 10_000.0, "confirm": "RESET", "why": "new month"}},
    promotion.PromoteRequest: {"of a backtest": {"id": "0123456789abcdef", "why": "it held"}},
    risk_asked.PositionBody: {
        "of the runbook": {
            "entry_price": 45_000, "stop_loss": 44_000, "account_size": 10_000, "risk_percent": 2,
        }
    },
    risk_asked.StopBody: {
        "by ATR": {"entry_price": 45_000, "direction": "BULLISH", "atr": 400},
    },
    risk_asked.CorrelationBody: {
        "against what is held": {"new_position": "BTCUSDT"},
        "against one": {
            "new_position": {"symbol": "BTCUSDT", "direction": "LONG"},
            "existing_positions": ["ETHUSDT"],
        },
    },
    risk_asked.LimitsBody: {"fewer": {"max_positions": 3, "why": "holiday"}},
    risk_asked.ResetBody: {"all": {"why": "looked into it"}},
    scanner.ScanRequest: {
        "two symbols": {
            "symbols": ["BTCUSDT", "ETHUSDT"], "timeframes": ["15m", "1h"],
            "rules": {"type": "any", "threshold": 0.6, "max_risk": "HIGH"},
        },
        "older names": {
            "symbols": ["BTCUSDT"], "mode": "conservative", "majority_tf_threshold": 0.6,
        },
    },
    shadows.ShadowRequest: {"of a preset": {"name": "careful", "preset": "conservative"}},
    shadows.ShadowPromoteRequest: {"of a backtest": {"id": "0123456789abcdef", "why": "it held"}},
    signals.ScoreRequest: {"one": {"symbol": "BTCUSDT", "timeframe": "1h"}},
    watchlists.WatchlistBody: {"two": {"symbols": ["BTCUSDT", "ETHUSDT"]}},
    watchlists.UniverseBody: {"largest": {"quote": "USDT", "top": 20, "why": "fewer"}},
    weights.WeightConfig: {"nine": BALANCED},
    weights.WeightsBody: {"inside": {"weights": BALANCED}},
    weights.PresetBody: {"named": {"name": "mine", "weights": BALANCED}},
}  # fmt: skip
"""By model, then by what they show."""


def examples_of(models: tuple[type, ...]) -> dict[str, dict[str, Any]]:
    """Return the examples of one of several models as OpenAPI writes them."""
    return {
        name: {"value": value}
        for model in models
        for name, value in EXAMPLES.get(model, {}).items()
    }

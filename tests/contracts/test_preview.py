import pytest
from pydantic import ValidationError

from opportunity.contracts.preview import PreviewQuery, PreviewResponse

SEEN = {
    "symbol": "BTC/USDT", "id": "BTCUSDT", "timeframe": "1h", "bar_open": 0, "bar_close": 1,
    "price": float("nan"), "final_score": float("nan"), "net": 0.1, "direction": "NEUTRAL",
    "confidence": 0.5, "disagreement": 0.1, "coverage": 1.0, "trend": "UP", "volatility": 0.5,
    "components": [], "source": "simulated",
}


def test_preview_is_always_stamped():
    assert PreviewResponse(**SEEN).preview is True
    with pytest.raises(ValidationError):
        PreviewResponse(**SEEN, preview=False)


def test_what_is_not_known_is_null():
    assert PreviewResponse(**SEEN).final_score is None


def test_query_has_a_timeframe():
    assert PreviewQuery().timeframe == "1h"
    with pytest.raises(ValidationError):
        PreviewQuery(timeframe="7h")

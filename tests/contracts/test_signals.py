import math

import pytest
from pydantic import ValidationError

from opportunity.contracts.signals import ScoreRequest, ScoreResponse

NOTHING = {"direction": "NEUTRAL", "confidence": 0.0, "advice": "No signal generated",
           "symbol": "BTC/USDT", "id": "BTCUSDT", "timeframe": "1h", "timestamp": None,
           "price": math.nan, "levels": None, "result": None, "source": "simulated"}  # fmt: skip


def test_request_has_defaults_for_everything():
    asked = ScoreRequest.model_validate({})
    assert (asked.symbol, asked.timeframe, asked.weights) == ("BTCUSDT", "1h", None)


def test_response_of_nothing_has_the_asked_triple():
    answer = ScoreResponse(**NOTHING)
    assert (answer.direction, answer.confidence, answer.advice) == (
        "NEUTRAL", 0.0, "No signal generated",
    )  # fmt: skip
    assert answer.price is None


@pytest.mark.parametrize(
    "broken", [{"confidence": math.nan}, {"confidence": 1.2}, {"direction": "UP"}, {"source": None}]
)
def test_response_is_checked(broken):
    with pytest.raises(ValidationError):
        ScoreResponse(**NOTHING | broken)

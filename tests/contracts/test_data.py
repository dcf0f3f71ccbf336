import pytest
from pydantic import ValidationError

from opportunity.contracts.data import MOST_STREAMS, StreamTrust, TrustQuery

STREAM = {
    "symbol": "BTC/USDT", "id": "BTCUSDT", "timeframe": "1h", "trust": 0.5,
    "factors": {"age": 1.0, "gaps": 0.5}, "note": "", "bar_close": None,
}  # fmt: skip


def test_query_is_read_from_text_within_bounds():
    assert TrustQuery.model_validate({}).limit == 100
    asked = TrustQuery.model_validate({"symbol": "BTCUSDT", "timeframe": "1h", "limit": "5"})
    assert (asked.timeframe, asked.limit) == ("1h", 5)
    for wrong in ({"timeframe": "7h"}, {"limit": "0"}, {"limit": str(MOST_STREAMS + 1)}):
        with pytest.raises(ValidationError):
            TrustQuery.model_validate(wrong)


def test_factors_stay_in_their_range():
    assert StreamTrust(**STREAM).trust == 0.5
    with pytest.raises(ValidationError):
        StreamTrust(**(STREAM | {"factors": {"age": 1.5}}))

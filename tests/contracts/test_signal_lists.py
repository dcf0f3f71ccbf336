import pytest
from pydantic import ValidationError

from opportunity.contracts.realtime import SignalMessage
from opportunity.contracts.signal_lists import HistoryQuery, LiveQuery, LiveSignal


def test_live_signal_has_the_fields_of_the_stream():
    envelope = {"type", "v", "epoch", "seq", "source", "channel"}
    assert set(SignalMessage.model_fields) - envelope == set(LiveSignal.model_fields)


@pytest.mark.parametrize("bad", [{"direction": "NEUTRAL"}, {"limit": 0}, {"min_confidence": 1.1}])
def test_live_query_has_bounds(bad):
    with pytest.raises(ValidationError):
        LiveQuery.model_validate(bad)


@pytest.mark.parametrize("bad", [{"limit": 501}, {"since": -1}, {"until": 2**53}, {"symbol": ""}])
def test_history_query_has_bounds(bad):
    with pytest.raises(ValidationError):
        HistoryQuery.model_validate(bad)

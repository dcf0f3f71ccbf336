from typing import get_args

import pytest
from pydantic import ValidationError

from opportunity.contracts.realtime import EVENT_CHANNELS
from opportunity.contracts.stream import (
    EventChannel,
    StreamChangesQuery,
    StreamEventsQuery,
    StreamHeldBody,
)


def test_channels_of_events_are_those_of_the_stream():
    assert set(get_args(EventChannel)) == set(EVENT_CHANNELS)


def test_queries_have_bounds():
    assert StreamEventsQuery.model_validate({"channel": "trade", "after": "7"}).after == 7
    assert StreamChangesQuery() == StreamChangesQuery(run="", cursor=0)
    for broken in ({"after": 1}, {"channel": "price"}, {"channel": "trade", "after": -1}):
        with pytest.raises(ValidationError):
            StreamEventsQuery.model_validate(broken)
    with pytest.raises(ValidationError):
        StreamChangesQuery(run="x" * 41)


def test_callers_that_are_held_are_bounded():
    one = {"name": "vera", "role": "viewer", "token": "t"}
    assert len(StreamHeldBody.model_validate({"callers": [one] * 5_000}).callers) == 5_000
    for broken in ([one] * 5_001, [one | {"role": "king"}], [one | {"more": 1}]):
        with pytest.raises(ValidationError):
            StreamHeldBody.model_validate({"callers": broken})

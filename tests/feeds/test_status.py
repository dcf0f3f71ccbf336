from dataclasses import FrozenInstanceError
from typing import get_args

import pytest

from opportunity.feeds.status import FeedStatus, LineState


def test_a_status_is_a_value():
    one = FeedStatus("live", "binance streams", 5)
    assert one == FeedStatus("live", "binance streams", 5)
    assert (one.retry_at, one.n_reconnects, one.delay_ms, one.skew_ms) == (None, 0, None, None)
    with pytest.raises(FrozenInstanceError):
        one.state = "down"


def test_every_state_is_one_plain_word():
    assert all(state.isalpha() and state.islower() for state in get_args(LineState))

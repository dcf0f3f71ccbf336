from typing import get_args

import pytest
from pydantic import ValidationError

from opportunity.contracts.mood import Mood, WhalesAnswer
from opportunity.live.context import MOODS, Context


def test_moods_are_those_that_a_context_names():
    named = {Context("X", "x", 0, fear_greed=float(number)).mood for number in range(101)}
    assert named == set(get_args(Mood))
    assert len(MOODS) + 1 == len(named)


def test_what_is_not_known_is_null_and_what_cannot_be_is_refused():
    fields = dict.fromkeys(WhalesAnswer.model_fields, float("nan"))
    fields |= {"symbol": "BTC/USDT", "id": "BTCUSDT", "timestamp": 0, "source": "x"}
    assert WhalesAnswer(**fields).vpin is None
    with pytest.raises(ValidationError):
        WhalesAnswer(**fields | {"imbalance": 1.5})

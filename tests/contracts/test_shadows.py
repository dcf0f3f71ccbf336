from typing import get_args

import pytest
from pydantic import ValidationError

from opportunity.contracts import DETECTOR_NAMES
from opportunity.contracts.promotion import PromoteRequest
from opportunity.contracts.shadows import (
    IntervalLine,
    ShadowPromoteRequest,
    ShadowRequest,
    VerdictName,
)
from opportunity.scoring.comparison import Verdict

NINE = dict.fromkeys(DETECTOR_NAMES, 0.1)


def test_verdicts_are_those_of_the_comparison():
    assert get_args(VerdictName) == get_args(Verdict)


def test_weights_or_a_preset():
    assert ShadowRequest(name="x", preset="balanced").note == ""
    assert ShadowRequest.model_validate({"name": "x", "weights": NINE}).weights.as_dict() == NINE
    for change in ({}, {"preset": "balanced", "weights": NINE}):
        with pytest.raises(ValidationError, match="either weights or preset"):
            ShadowRequest.model_validate({"name": "x"} | change)


@pytest.mark.parametrize(
    "change", [{"name": ""}, {"name": "a/b"}, {"name": 1}, {"note": "x" * 201}, {"preset": ""},
               {"weights": NINE | {"smc": 2.0}}, {"surprise": 1}],
)  # fmt: skip
def test_odd_requests_are_refused(change):
    with pytest.raises(ValidationError):
        ShadowRequest.model_validate({"name": "x", "preset": "balanced"} | change)


def test_promotion_asks_what_promotion_asks():
    asked = set(PromoteRequest.model_fields) - {"weights"}
    assert set(ShadowPromoteRequest.model_fields) == asked
    told = ShadowPromoteRequest(id="x").model_dump()
    assert PromoteRequest(**told).model_dump() == PromoteRequest(id="x").model_dump()


def test_an_interval_without_a_day_has_no_mean():
    line = IntervalLine(days=0, mean=float("nan"), low=-0.03, high=0.03, alpha=0.05, clip=0.03,
                        clipped=0, more_days=None)  # fmt: skip
    assert line.mean is None

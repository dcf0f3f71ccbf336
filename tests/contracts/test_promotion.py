from dataclasses import fields

import pytest
from pydantic import ValidationError

from opportunity.backtest.guards import Guard
from opportunity.contracts.promotion import GuardLine, PromoteRequest


def test_a_line_has_the_fields_of_a_guard():
    asked = {f.name for f in fields(Guard)} - {"help"}  # advice is a part of the refusal
    assert set(GuardLine.model_fields) == asked


def test_only_the_backtest_must_be_named():
    asked = PromoteRequest(id="x")
    assert (asked.force, asked.preset, asked.weights, asked.by) == (False, None, None, "api")


@pytest.mark.parametrize(
    "change", [{"id": ""}, {"by": ""}, {"why": "x" * 501}, {"preset": "a/b"}, {"force": 1}]
)
def test_odd_requests_are_refused(change):
    with pytest.raises(ValidationError):
        PromoteRequest.model_validate({"id": "x"} | change)

import pytest
from pydantic import ValidationError

from opportunity.contracts.problem import TYPE_PREFIX, Problem

LEAST = {"type": TYPE_PREFIX + "x", "title": "Bad Request", "status": 400, "detail": "No.",
         "code": "x", "instance": "/", "request_id": "r"}  # fmt: skip


def test_problem_has_the_members_of_rfc_9457_and_ours():
    assert {"type", "title", "status", "detail", "instance"} <= set(Problem.model_fields)
    assert Problem(**LEAST).model_dump(exclude_none=True) == LEAST


def test_problem_takes_no_members_of_its_own():
    with pytest.raises(ValidationError):
        Problem(**LEAST, trace="secret")

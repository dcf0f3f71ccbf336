from typing import Literal

import pytest
from pydantic import Field, ValidationError
from tornado.web import HTTPError

from app.api.problems import ApiError, invalid, problem_of, schema_error, storage_problem
from opportunity.contracts.agent import SubscribeBody
from opportunity.contracts.base import Body, Query
from opportunity.storage.failures import DatabaseError, StorageFull


@pytest.mark.parametrize("status", [400, 403, 404, 405, 413, 418, 500, 503, 599])
def test_any_status_has_words_and_a_code(status):
    problem = problem_of(status, HTTPError(status, "secret %s", "inside"), "/x", "r1")
    assert problem.status == status
    assert problem.title
    assert problem.detail
    assert problem.code
    assert "secret" not in problem.model_dump_json()


def test_api_error_speaks_for_itself():
    error = ApiError(412, "stale", "Read again.", "weights", sum=2.0)
    problem = problem_of(412, error, "/api/x", "r1")
    assert (problem.code, problem.detail, problem.field) == ("stale", "Read again.", "weights")
    assert problem.type == "urn:opportunity:problem:stale"
    assert (problem.sum, problem.instance, problem.request_id) == (2.0, "/api/x", "r1")


def test_schema_error_names_every_field():
    with pytest.raises(ValidationError) as caught:
        SubscribeBody.model_validate({"symbols": [1, "BTCUSDT", 2], "symbls": []})
    error = schema_error(caught.value, SubscribeBody)
    assert error.status_code == 422
    assert [e.field for e in error.more["errors"]] == ["symbols.0", "symbols.2", "symbls"]
    assert "Did you mean 'symbols'?" in error.more["errors"][2].message


def test_invalid_is_a_422_of_one_field():
    error = invalid("symbols.3", "must be a symbol")
    assert (error.status_code, error.field) == (422, "symbols.3")
    assert error.detail == "symbols.3: must be a symbol"


def test_a_database_that_takes_nothing_is_a_503_that_says_nothing_of_the_inside():
    full, other = storage_problem(StorageFull("/x is full")), storage_problem(DatabaseError("pw"))
    assert (full.status_code, full.code, full.headers["Retry-After"]) == (503, "read_only", "30")
    assert (other.status_code, other.code, other.headers["Retry-After"]) == (503, "storage", "5")
    assert "/x" not in full.detail
    assert "pw" not in other.detail


class _Body(Body):
    size: float = Field(ge=0, le=1)
    kind: Literal["a", "b"] = "a"
    name: str = Field("x", pattern="^[a-z]+$")
    few: list[str] = Field(["a"], min_length=1, max_length=2)
    inner: Query = Query()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"size": 20}, "size: must be less than or equal to 1, was 20"),
        ({"size": 0.5, "kind": "c"}, "kind: must be 'a' or 'b', was \"c\""),
        ({}, "size: must be given"),
        ({"size": 0.5, "name": "A" * 200}, "name: must match pattern '^[a-z]+$', was \"AAA"),
        ({"size": [1]}, "size: must be a valid number"),
        ({"size": 1, "few": []}, "few: must have at least 1 item, was 0"),
        ({"size": 1, "few": ["a"] * 3}, "few: must have at most 2 items, was 3"),
        ({"size": 1, "inner": {"x": 1}}, "inner.x: must not be given, there is no such field"),
    ],
)
def test_errors_name_the_field_the_rule_and_the_value(given, words):
    with pytest.raises(ValidationError) as caught:
        _Body.model_validate(given)
    detail = schema_error(caught.value, _Body).detail
    assert detail.startswith(words)
    assert len(detail) < 200


def test_where_nothing_is_taken_it_says_so():
    with pytest.raises(ValidationError) as caught:
        Query.model_validate({"x": "1"})
    error = schema_error(caught.value, Query)
    assert error.detail == "x: must not be given, nothing is taken here"

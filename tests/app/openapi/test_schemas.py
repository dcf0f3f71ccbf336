"""JSON schemas: short names, nothing lost, and what pydantic takes is what they say."""

import pytest
from jsonschema import Draft202012Validator
from pydantic import Field

from app.openapi.schemas import PLACE, properties_of, schemas_of, walk, without_null
from opportunity.contracts import portfolio, risk, risk_asked
from opportunity.contracts.base import Answer, Body, Query
from opportunity.contracts.problem import Problem
from opportunity.contracts.weights import WeightsAnswer


class Asked(Query):
    """A query."""

    limit: int = Field(10, ge=1, le=20, description="at most")
    after: int | None = Field(None, ge=0)
    name: str


class Inner(Body):
    """Inside."""

    x: float


class Nested(Query):
    """A query that cannot be."""

    inner: Inner


def test_two_of_one_name_get_that_of_their_module():
    refs, schemas = schemas_of([portfolio.PositionsAnswer, risk.PositionAnswer])
    assert {"PortfolioPositionItem", "RiskPositionItem"} <= set(schemas)
    inside = schemas["PositionsAnswer"]["properties"]["positions"]["items"]
    assert inside == {"$ref": PLACE + "PortfolioPositionItem"}
    assert refs[risk.PositionAnswer] == {"$ref": PLACE + "PositionAnswer"}
    refs, _ = schemas_of([portfolio.ResetBody, risk_asked.ResetBody])
    assert {ref["$ref"] for ref in refs.values()} == {
        PLACE + "PortfolioResetBody", PLACE + "RiskAskedResetBody"
    }


def test_answers_have_every_field_and_problems_those_that_say_something():
    _, schemas = schemas_of([WeightsAnswer, Problem])
    assert set(schemas["WeightsAnswer"]["required"]) == {"status", "weights", "version"}
    assert "sum" not in schemas["Problem"]["required"]
    assert schemas["WeightsAnswer"]["additionalProperties"] is False
    Draft202012Validator(schemas["WeightsAnswer"]["properties"]["status"]).validate("success")


def test_parameters_have_no_null():
    found = properties_of(Asked)
    assert found["limit"] == (
        {"type": "integer", "minimum": 1, "maximum": 20, "default": 10, "description": "at most"},
        False,
    )
    assert found["after"] == ({"type": "integer", "minimum": 0}, False)
    assert found["name"] == ({"type": "string"}, True)


def test_a_parameter_is_plain():
    with pytest.raises(TypeError, match="fields of Nested must be plain"):
        properties_of(Nested)


def test_null_leaves_a_union():
    three = {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}], "default": None}
    assert without_null(three) == {"anyOf": [{"type": "string"}, {"type": "integer"}]}
    assert without_null({"type": "string", "default": "x"}) == {"type": "string", "default": "x"}


def test_walk_leaves_names_and_values_alone():
    schema = {
        "properties": {"title": {"title": "T", "type": "string"}, "default": {"title": "D"}},
        "default": {"title": "kept"}, "title": "gone",
    }  # fmt: skip
    made = walk(schema, lambda one: {k: v for k, v in one.items() if k != "title"})
    assert made == {
        "properties": {"title": {"type": "string"}, "default": {}}, "default": {"title": "kept"}
    }


def test_models_inside_models_are_listed():
    class Outer(Answer):
        """Outside."""

        problem: Problem

    _, schemas = schemas_of([Outer])
    assert {"Problem", "FieldError", "GuardLine"} <= set(schemas)

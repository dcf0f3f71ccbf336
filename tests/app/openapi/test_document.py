"""The document says what the router has, in OpenAPI 3.1, and nothing else."""

import json
import re

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from app.api import resources
from app.api.operations import operations_of, places_of, problems_of
from app.auth.roles import Role
from app.openapi.document import document, document_bytes, operation_id, tag_of
from app.openapi.parts import PROBLEMS


@pytest.fixture(scope="module")
def made():
    return document()


def each(made):
    for path, methods in made["paths"].items():
        for method, found in methods.items():
            yield path, method.upper(), found


def declared():
    return {
        (path, method): operation
        for path, handler in resources()
        for method, operation in operations_of(handler)
    }


def test_it_is_openapi(made):
    assert made["openapi"] == "3.1.0"
    OpenAPIV31SpecValidator(made).validate()
    assert json.loads(document_bytes()) == made
    assert document_bytes() is document_bytes()


def test_it_has_the_routes_and_nothing_else(made):
    assert {(path, method) for path, method, _ in each(made)} == set(declared())


def test_every_operation_says_what_is_declared(made):
    known = declared()
    for path, method, found in each(made):
        operation = known[path, method]
        assert found["x-role"] == operation.role.label
        wanted = {*operation.successes, *problems_of(path, method, operation)}
        if operation.etag and method == "GET":
            wanted.add(304)
        assert {int(status) for status in found["responses"]} == wanted
        assert ("requestBody" in found) == (operation.body is not None)
        given = [one for one in found.get("parameters", ()) if one["in"] == "path"]
        assert tuple(one["name"] for one in given) == places_of(path)
        assert all(one["required"] for one in given)


def test_every_success_has_its_models(made):
    schemas = made["components"]["schemas"]
    for path, method, operation in ((*k, o) for k, o in declared().items()):
        responses = made["paths"][path][method.lower()]["responses"]
        for status, models in operation.successes.items():
            content = responses[str(status)].get("content", {})
            if models:
                schema = content["application/json"]["schema"]
                names = [one["$ref"].rpartition("/")[2] for one in schema.get("anyOf", [schema])]
                assert len(names) == len(models)
                for name, model in zip(names, models, strict=True):
                    assert name.endswith(model.__name__)
                    assert name in schemas
            elif status not in (101, 204):
                assert set(content) == set(operation.medias)


def test_names_and_words(made):
    ids = [found["operationId"] for _, _, found in each(made)]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z]+([A-Z][A-Za-z0-9]*)+", one) for one in ids)
    tags = {tag["name"]: tag["description"] for tag in made["tags"]}
    assert all(tags.values())
    for path, _, found in each(made):
        assert found["summary"], path
        assert found["tags"] == [tag_of(path)]
        assert found["tags"][0] in tags
        assert "\n\n" in found["description"]


def test_who_needs_no_login(made):
    strict = document(login=True)
    for path, method, found in each(made):
        role = declared()[path, method].role
        hard = strict["paths"][path][method.lower()]["security"]
        if role is Role.ANYBODY:
            assert found["security"] == hard == []
        else:
            assert hard == [{"bearer": []}, {"session": []}]
            assert ({} in found["security"]) == (role < Role.ADMIN)


def test_problems_that_may_be_have_words(made):
    for (path, method), operation in declared().items():
        assert set(problems_of(path, method, operation)) <= set(PROBLEMS)


def test_all_schemas_are_json_schema(made):
    for name, schema in made["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert schema.get("description"), f"{name} must have a docstring"


def test_what_is_pointed_at_is_there(made):
    text = json.dumps(made)
    for ref in set(re.findall(r'"\$ref": "#/([^"]+)"', text)):
        place = made
        for part in ref.split("/"):
            place = place[part]
    ids = {found["operationId"] for _, _, found in each(made)}
    for _, _, found in each(made):
        for response in found["responses"].values():
            for link in response.get("links", {}).values():
                assert link["operationId"] in ids


def test_versions_and_keys_are_parameters(made):
    put = {p["name"] for p in made["paths"]["/api/config/weights"]["put"]["parameters"]}
    assert {"If-Match", "normalize"} <= put
    get = made["paths"]["/api/config/weights"]["get"]
    assert [p["name"] for p in get["parameters"]] == ["If-None-Match"]
    assert "ETag" in get["responses"]["200"]["headers"]
    run = made["paths"]["/api/backtest/run"]["post"]
    assert "Idempotency-Key" in {p["name"] for p in run["parameters"]}
    assert "Location" in run["responses"]["202"]["headers"]


def test_every_parameter_is_bounded(made):
    """What is not would come to a database as a number that it cannot hold."""
    bounds = {
        "integer": {"maximum", "exclusiveMaximum"}, "number": {"maximum", "exclusiveMaximum"},
        "string": {"maxLength", "pattern", "enum", "const", "format"},
    }  # fmt: skip
    for path, method, found in each(made):
        for one in found.get("parameters", ()):
            if one["in"] == "header":
                continue
            for schema in (one["schema"], *one["schema"].get("anyOf", ())):
                wanted = bounds.get(schema.get("type", ""), set(schema))
                assert wanted & set(schema) or "anyOf" in schema, (method, path, one["name"])


def test_names_of_methods():
    assert operation_id("GET", "/api/agent/status") == "getAgentStatus"
    assert operation_id("POST", "/api/shadows/{name}/promote") == "postShadowsByNamePromote"
    assert operation_id("GET", "/metrics") == "getServerMetrics"
    assert tag_of("/api/openapi.json") == "openapi"
    assert tag_of("/health/live") == "health"

"""The table in the docs is that of the router: no route is missing, no role is wrong."""

from pathlib import Path

import pytest

from app.api import resources
from app.api.operations import operations_of
from app.auth.roles import Role
from app.openapi.document import document
from app.openapi.table import BEGIN, END, MAY, put_in, table

DOCS = Path(__file__).parents[3] / "docs" / "api.md"


def rows():
    for line in table().splitlines()[2:]:
        route, *may, _ = [part.strip() for part in line.replace("\\|", "/").split("|")[1:-1]]
        method, path = route.strip("`").split(" ")
        yield path, method, [one == MAY for one in may]


def test_the_table_is_the_router_and_the_document():
    found = {(path, method): may for path, method, may in rows()}
    known = {
        (path, method): made.role for path, handler in resources() for method, made in
        operations_of(handler)
    }  # fmt: skip
    assert found == {key: [role >= least for role in Role] for key, least in known.items()}
    told = {
        (path, method.upper()): one["x-role"]
        for path, methods in document()["paths"].items()
        for method, one in methods.items()
    }
    assert told == {key: role.label for key, role in known.items()}


def test_the_docs_have_it():
    text = DOCS.read_text()
    assert put_in(text) == text, "run: opportunity openapi --docs docs/api.md"


def test_without_markers_nothing_is_put_in():
    for text in ("", BEGIN, f"{END}{BEGIN}"):
        with pytest.raises(ValueError, match="the text must have"):
            put_in(text)
    made = put_in(f"a\n{BEGIN}xyzzy{END}\nb")
    assert made.startswith("a\n")
    assert made.endswith("\nb")
    assert "xyzzy" not in made
    assert put_in(made) == made

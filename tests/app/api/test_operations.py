"""Declarations: what is not declared is found, and paths become patterns."""

import re

import pytest

from app.api.base import BaseHandler
from app.api.operations import operation, operation_of, operations_of, pattern_of, places_of
from app.auth.roles import Role


class Declared(BaseHandler):
    """A resource."""

    @operation(Role.VIEWER)
    def get(self):
        """Read."""

    @operation(Role.TRADER, status=201, problems=(409,))
    async def post(self):
        """Write."""


class Forgotten(Declared):
    """A resource with a method that nothing is declared of."""

    def delete(self):
        """Delete."""


def test_declared_methods_are_found():
    found = dict(operations_of(Declared))
    assert {method: made.role for method, made in found.items()} == {
        "GET": Role.VIEWER, "POST": Role.TRADER
    }
    assert (found["POST"].status, found["POST"].problems) == (201, (409,))
    assert operation_of(Declared, "HEAD") == found["GET"]
    assert operation_of(Declared, "DELETE") is None


def test_a_method_without_declaration_is_an_error():
    with pytest.raises(TypeError, match=r"Forgotten\.delete must be an @operation"):
        list(operations_of(Forgotten))


def test_paths_become_patterns():
    path = "/api/shadows/{name}/promote"
    assert places_of(path) == ("name",)
    assert re.fullmatch(pattern_of(path), "/api/shadows/a-b/promote").groups() == ("a-b",)
    assert not re.fullmatch(pattern_of(path), "/api/shadows/a/b/promote")

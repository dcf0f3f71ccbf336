"""What each method of each resource is: who may use it, what it takes, what it answers.

The declaration is the contract: handlers read and answer by it, and OpenAPI, the table of roles
in the docs and the generated types are made of it. A method without one fails at start-up.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from app.auth.roles import Role

HTTP_METHODS: Final = ("get", "put", "post", "patch", "delete")

Declared = TypeVar("Declared", bound=Callable[..., Any])

_PLACE: Final = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one resource.

    Parameters
    ----------
    role : Role
        That its caller needs at least.
    answer : model, tuple of models, or None
        Of a success; None where the body is not JSON, or there is none.
    query, path : model, optional
        Of query string and path; a path without one has strings.
    body : model or tuple of models, optional
        One of them must fit.
    status : int
        Of a success.
    media : str
        Content type of a success.
    problems : tuple of int
        Statuses that it may end with besides those that all may.
    """

    role: Role
    answer: Any = None
    query: Any = None
    path: Any = None
    body: Any = None
    status: int = 200
    media: str = "application/json"
    problems: tuple[int, ...] = ()


def operation(role: Role, **fields: Any) -> Callable[[Declared], Declared]:
    """Declare a handler's method; see `Operation` for the fields."""
    made = Operation(role, **fields)

    def declare(method: Declared) -> Declared:
        setattr(method, "operation", made)  # noqa: B010 - functions have no such attribute to mypy
        return method

    return declare


def operation_of(handler: type, method: str) -> Operation | None:
    """Return what is declared of a method, e.g. ``GET``; HEAD is what GET is."""
    name = "get" if method == "HEAD" else method.lower()
    found: Operation | None = getattr(getattr(handler, name, None), "operation", None)
    return found


def operations_of(handler: Any) -> Iterator[tuple[str, Operation]]:
    """Yield the declared methods of a handler, e.g. ``("GET", Operation(...))``.

    Raises
    ------
    TypeError
        If the handler has a method that nothing is declared of: nobody may use it.
    """
    for method in handler.methods():
        if method.lower() not in HTTP_METHODS:
            continue
        found = operation_of(handler, method)
        if found is None:
            raise TypeError(f"{handler.__name__}.{method.lower()} must be an @operation, is none")
        yield method, found


def pattern_of(path: str) -> str:
    """Return the regular expression of a path such as ``/api/shadows/{name}``."""
    return _PLACE.sub("([^/]+)", path)


def places_of(path: str) -> tuple[str, ...]:
    """Return the names in a path, e.g. ``("name",)``."""
    return tuple(_PLACE.findall(path))

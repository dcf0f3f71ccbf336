"""What each method of each resource is: who may use it, what it takes, what it answers.

The declaration is the contract: handlers read and answer by it, and OpenAPI, the table of roles
in the docs and the generated types are made of it. A method without one fails at start-up.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from app.auth.roles import Role

HTTP_METHODS: Final = ("get", "put", "post", "patch", "delete")
JSON: Final = "application/json"

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
        Of a success; None where the body is not JSON of a model, or there is none.
    query, path : model, optional
        Of query string and path; without one a query is refused. The fields of `path` are the
        places in their order.
    body : model or tuple of models, optional
        One of them must fit.
    status : int
        Of a success.
    media : str or tuple of str
        Content type of a success; with several the handler chooses.
    problems : tuple of int
        Statuses that it may end with besides those that all may; see `problems_of`.
    also : mapping of int to model, tuple of models, or None
        Further successes, e.g. ``{202: JobStatus}``.
    etag : bool
        Whether it has a version: an ETag with the answer, If-None-Match or If-Match before it.
    idempotent : bool
        Whether it honours an Idempotency-Key.
    located : tuple of int
        Successes that come with a Location, e.g. ``(202,)``.
    """

    role: Role
    answer: Any = None
    query: Any = None
    path: Any = None
    body: Any = None
    status: int = 200
    media: str | tuple[str, ...] = JSON
    problems: tuple[int, ...] = ()
    also: Mapping[int, Any] = field(default_factory=dict)
    etag: bool = False
    idempotent: bool = False
    located: tuple[int, ...] = ()

    @property
    def successes(self) -> dict[int, tuple[type, ...]]:
        """The models by status of success; none where the body is of no model."""
        found = {self.status: self.answer} | dict(self.also)
        return {status: many(one) for status, one in found.items()}

    @property
    def medias(self) -> tuple[str, ...]:
        """The content types of a success."""
        return (self.media,) if isinstance(self.media, str) else self.media

    def insist(self, what: str, model: type, status: int | None = None) -> None:
        """Raise TypeError unless a handler takes, or answers with, what is declared.

        Parameters
        ----------
        what : str
            ``query``, ``path``, ``body`` or ``answer``.
        model : type
            That the handler uses.
        status : int, optional
            Of the answer.
        """
        if what == "answer":
            declared = self.successes.get(self.status if status is None else status, ())
        else:
            declared = many(getattr(self, what))
        if model not in declared:
            names = " or ".join(one.__name__ for one in declared) or "nothing"
            at = "" if status is None else f" of status {status}"
            raise TypeError(f"{what}{at} must be {names} as declared, was {model.__name__}")


def many(declared: Any) -> tuple[type, ...]:
    """Return the models of a field of `Operation` as a tuple."""
    if declared is None:
        return ()
    return declared if isinstance(declared, tuple) else (declared,)


def problems_of(path: str, method: str, declared: Operation) -> tuple[int, ...]:
    """Return the statuses of all problems that a method may end with, ascending.

    All may: malformed (400), not logged in (401), not allowed or from somewhere else (403), an
    address or headers beyond their bounds (414, 431), a parameter that breaks its schema (422),
    too many requests (429), not now (503).
    """
    found = {400, 401, 403, 414, 422, 429, 431, 503, *declared.problems}
    if places_of(path):
        found.add(404)
    if declared.body is not None:
        found |= {413, 415}
    if declared.etag and method not in ("GET", "HEAD"):
        found |= {412, 428}
    return tuple(sorted(found))


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


def check_places(path: str, handler: Any) -> None:
    """Raise TypeError unless each method is declared, and with the places of the path."""
    for method, found in operations_of(handler):
        declared = () if found.path is None else tuple(found.path.model_fields)
        if declared != places_of(path):
            raise TypeError(
                f"path of {method} {path} must have the places {places_of(path)}, was {declared}"
            )

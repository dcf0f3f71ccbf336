"""Errors of the API: one exception that carries a status and a code, one way to word it."""

import json
import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import pydantic
from tornado.web import HTTPError

from opportunity.contracts.problem import TYPE_PREFIX, FieldError, Problem
from opportunity.errors import DatabaseError, StorageFull, unknown


class ApiError(HTTPError):
    """A request that cannot be served, with what its sender should know.

    Parameters
    ----------
    status : int
        HTTP status, 400 to 599.
    code : str
        Stable short name of the kind of problem.
    detail : str
        One sentence for the person who sent it; never the text of an unexpected exception.
    field : str, optional
        Path of the field that is at fault.
    headers : mapping, optional
        Headers of the answer, such as Allow or Retry-After.
    **more
        Further members of the `Problem` model.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        field: str | None = None,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(status)
        self.code, self.detail, self.field = code, detail, field
        self.headers = headers or {}
        self.more = more


WARMING_S = 5


def warming() -> ApiError:
    """Return the 503 of a server that has no scores yet."""
    return ApiError(
        503, "warming_up", "There are no scores yet; the agent is still reading history.",
        headers={"Retry-After": str(WARMING_S)}, retry_after_s=WARMING_S,
    )  # fmt: skip


FULL_S = 30
AGAIN_S = 5


def storage_problem(error: DatabaseError) -> ApiError:
    """Return the 503 of a database that takes nothing now; its own words stay inside."""
    full = isinstance(error, StorageFull)
    wait = FULL_S if full else AGAIN_S
    text = (
        "Nothing can be stored now: there is no room. What is stored can be read."
        if full
        else "The database does not answer now."
    )
    return ApiError(
        503, "read_only" if full else "storage", text,
        headers={"Retry-After": str(wait)}, retry_after_s=wait,
    )  # fmt: skip


_CODES = {
    400: ("bad_request", "The request is not valid HTTP for this resource."),
    403: ("forbidden", "The request is not allowed."),
    404: ("not_found", "There is nothing at this path."),
    405: ("method_not_allowed", "The resource does not have this method."),
    413: ("too_large", "The body is too large."),
    500: ("internal", "The server failed. The request id finds the reason in its log."),
    503: ("unavailable", "The server cannot answer now."),
}


def problem_of(status: int, error: BaseException | None, path: str, request_id: str) -> Problem:
    """Word any error; what is not an `ApiError` says nothing about the inside."""
    known = error if isinstance(error, ApiError) else None
    code, detail = _CODES.get(status, (f"http_{status}", _phrase(status) + "."))
    if known is not None:
        code, detail = known.code, known.detail
    return Problem(
        type=TYPE_PREFIX + code,
        title=_phrase(status),
        status=status,
        detail=detail,
        code=code,
        instance=path,
        request_id=request_id,
        field=known.field if known else None,
        **(known.more if known else {}),
    )


def schema_error(error: pydantic.ValidationError, model: type[pydantic.BaseModel]) -> ApiError:
    """Turn what pydantic found into a 422 that names every field."""
    errors = [
        FieldError(field=path_of(e["loc"]), message=message_of(e, model)) for e in error.errors()
    ]
    first = errors[0]
    return ApiError(
        422, "invalid", f"{first.field or 'body'}: {first.message}", first.field or None,
        errors=errors,
    )


def invalid(field: str, message: str) -> ApiError:
    """Return a 422 for one field whose form only a parser of ours can judge."""
    return ApiError(
        422, "invalid", f"{field}: {message}", field,
        errors=[FieldError(field=field, message=message)],
    )


_SHOULD = re.compile(r"^(?:Input|String|List|Dictionary|Object) should ")
_MOST_SHOWN = 64


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown Status"


def path_of(loc: Sequence[int | str]) -> str:
    """Return the path of a field that an error of pydantic is about."""
    return ".".join(str(part) for part in loc)


def message_of(error: Any, model: type[pydantic.BaseModel]) -> str:
    """Word one of the errors that pydantic found in what was given for a model."""
    if error["type"] == "extra_forbidden":
        return _surplus(error["loc"], model)
    if error["type"] == "missing":
        return "must be given"
    text = _SHOULD.sub("must ", str(error["msg"]).removeprefix("Value error, "))
    text = text.replace(" after validation, not ", ", was ")
    given = error["input"]
    if ", was " in text or not isinstance(given, str | int | float | bool | None):
        return text
    return f"{text}, was {shown(given)}"


def _surplus(loc: Sequence[int | str], model: type[pydantic.BaseModel]) -> str:
    if not model.model_fields:
        return "must not be given, nothing is taken here"
    if len(loc) > 1:
        return "must not be given, there is no such field"
    return unknown("field", str(loc[0])[:64], model.model_fields)


def shown(given: object) -> str:
    """Return a value of a request as a message shows it: short, and as JSON writes it."""
    text = json.dumps(given, ensure_ascii=False)
    return text if len(text) <= _MOST_SHOWN else text[: _MOST_SHOWN - 1] + "…"

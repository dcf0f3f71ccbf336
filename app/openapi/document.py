"""The OpenAPI 3.1 document: made of what is declared of each method, and of nothing else."""

import inspect
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import orjson

from app.api import resources
from app.api.base import Checked
from app.api.operations import JSON, Operation, many, operations_of, places_of, problems_of
from app.auth.roles import Role
from app.openapi.examples import examples_of
from app.openapi.links import LINKS
from app.openapi.parts import HEADERS, RESPONSES, SECURITY, problem_name
from app.openapi.schemas import Model, Schema, properties_of, schemas_of
from opportunity import __version__
from opportunity.contracts.problem import Problem

ABOUT: Final = (
    "Watches crypto markets, scores and ranks them, streams signals and trades them on paper.\n\n"
    "Every error is `application/problem+json`; unknown fields and unknown query parameters are "
    "errors. What tells of the market carries `source`; `simulated` means an invented market. "
    "The stream `/ws/realtime` is described by `/api/asyncapi.json`."
)
ALWAYS: Final = ("X-Request-Id", "RateLimit-Policy", "RateLimit")


@cache
def document_bytes(login: bool = False) -> bytes:
    """Return the document as JSON, made once; see `document`."""
    return orjson.dumps(document(login), option=orjson.OPT_INDENT_2)


def document(login: bool = False) -> dict[str, Any]:
    """Return the OpenAPI document of all routes.

    Parameters
    ----------
    login : bool
        Whether this server asks everybody for a login; else programs of its machine need none.
    """
    found = list(_declared())
    refs, schemas = schemas_of([*_models(found), Problem])
    tags: dict[str, str] = {}
    paths: dict[str, dict[str, Any]] = {}
    for path, method, handler, made in found:
        tags.setdefault(tag_of(path), _module_line(handler))
        paths.setdefault(path, {})[method.lower()] = _Maker(path, method, refs, login).operation(
            handler, made
        )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "opportunity", "version": __version__, "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "this server"}],
        "tags": [{"name": name, "description": text} for name, text in tags.items()],
        "paths": paths,
        "components": {
            "schemas": schemas, "responses": RESPONSES, "headers": HEADERS,
            "securitySchemes": SECURITY,
        },
    }  # fmt: skip


def operation_id(method: str, path: str) -> str:
    """Return the name of a method of a path, e.g. ``getAgentStatus``."""
    words = path.removeprefix("/api") if path.startswith("/api/") else f"/server{path}"
    words = words.replace("{", "by_").replace("}", "")
    parts = words.replace("/", "_").replace("-", "_").replace(".", "_").split("_")
    return method.lower() + "".join(part[:1].upper() + part[1:] for part in parts if part)


def tag_of(path: str) -> str:
    """Return the group of a path, e.g. ``agent``."""
    parts = path.strip("/").split("/")
    return parts[1].partition(".")[0] if parts[0] == "api" and len(parts) > 1 else parts[0]


def _declared() -> Iterator[tuple[str, str, type[Checked], Operation]]:
    for path, handler in resources():
        for method, made in operations_of(handler):
            yield path, method, handler, made


def _models(found: list[tuple[str, str, type[Checked], Operation]]) -> Iterator[Model]:
    for _, _, _, made in found:
        yield from many(made.body)
        for answers in made.successes.values():
            yield from answers


def _module_line(handler: type) -> str:
    module = inspect.getmodule(handler)
    return (inspect.getdoc(module) or "").partition("\n\n")[0].replace("\n", " ")


class _Maker:
    """Makes the parts of one operation."""

    def __init__(self, path: str, method: str, refs: dict[Model, Schema], login: bool) -> None:
        self.path, self.method, self.refs, self.login = path, method, refs, login

    def operation(self, handler: type[Checked], made: Operation) -> dict[str, Any]:
        summary, _, more = (inspect.getdoc(getattr(handler, self.method.lower())) or "").partition(
            "\n\n"
        )
        about = [(inspect.getdoc(handler) or "").replace("\n\n", "\0").replace("\n", " ")]
        about += [more.replace("\n", " ")] if more else []
        about.append(_needs(made.role))
        found: dict[str, Any] = {
            "operationId": operation_id(self.method, self.path),
            "tags": [tag_of(self.path)],
            "summary": summary.replace("\n", " ").rstrip("."),
            "description": "\n\n".join(about).replace("\0", "\n\n"),
            "x-role": made.role.label,
            "security": self._security(made.role),
            "responses": self._responses(made),
        }
        if parameters := self._parameters(made):
            found["parameters"] = parameters
        if made.body is not None:
            found["requestBody"] = self._body(made)
        return found

    def _security(self, role: Role) -> list[dict[str, list[str]]]:
        if role is Role.ANYBODY:
            return []
        ways: list[dict[str, list[str]]] = [{"bearer": []}, {"session": []}]
        return ways if self.login or role is Role.ADMIN else [*ways, {}]

    def _parameters(self, made: Operation) -> list[dict[str, Any]]:
        found = []
        places = {} if made.path is None else properties_of(made.path)
        for name in places_of(self.path):
            found.append(_parameter(name, "path", places[name][0], True))
        if made.query is not None:
            for name, (schema, must) in properties_of(made.query).items():
                found.append(_parameter(name, "query", schema, must))
        if made.etag:
            read = self.method == "GET"
            text = (
                "ETag of what the caller has: 304 when it is the newest" if read else
                "ETag that the change starts from: 412 when it is not the newest; a page must "
                "send it"
            )  # fmt: skip
            name = "If-None-Match" if read else "If-Match"
            found.append(_parameter(name, "header", {"type": "string", "description": text}, False))
        if made.idempotent:
            schema = {
                "type": "string", "pattern": "^[\\x21-\\x7e]{1,128}$",
                "description": "done once under a key: again gives the same answer",
            }  # fmt: skip
            found.append(_parameter("Idempotency-Key", "header", schema, False))
        return found

    def _body(self, made: Operation) -> dict[str, Any]:
        models = many(made.body)
        media: dict[str, Any] = {"schema": self._one_of(models)}
        if examples := examples_of(models):
            media["examples"] = examples
        return {"required": not any(_empty_fits(m) for m in models), "content": {JSON: media}}

    def _responses(self, made: Operation) -> dict[str, Any]:
        found = {
            str(status): self._success(made, status, models)
            for status, models in made.successes.items()
        }
        if made.etag and self.method == "GET":
            found["304"] = {"$ref": "#/components/responses/NotModified"}
        for status in problems_of(self.path, self.method, made):
            found[str(status)] = {"$ref": f"#/components/responses/{problem_name(status)}"}
        return dict(sorted(found.items()))

    def _success(self, made: Operation, status: int, models: tuple[Model, ...]) -> dict[str, Any]:
        headers = [*ALWAYS, *(["ETag"] if made.etag else [])]
        headers += ["Location"] if status in made.located else []
        found: dict[str, Any] = {
            "description": self._says(status, models),
            "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in headers},
        }
        if models:
            found["content"] = {JSON: {"schema": self._one_of(models)}}
        elif status not in (101, 204):
            found["content"] = {media: {"schema": _plain(media)} for media in made.medias}
        follows = LINKS.get((self.method, self.path), {}).get(status, ())
        if follows:
            found["links"] = {
                operation_id(method, path): {
                    "operationId": operation_id(method, path), "parameters": places
                }
                for method, path, places in follows
            }
        return found

    def _one_of(self, models: tuple[Model, ...]) -> Schema:
        refs = [self.refs[model] for model in models]
        return refs[0] if len(refs) == 1 else {"anyOf": refs}

    @staticmethod
    def _says(status: int, models: tuple[Model, ...]) -> str:
        if models:
            return (inspect.getdoc(models[0]) or "").partition("\n\n")[0].replace("\n", " ")
        return {101: "The WebSocket is open.", 204: "Done."}.get(status, "What was asked for.")


def _needs(role: Role) -> str:
    return "Needs no login." if role is Role.ANYBODY else f"Needs the role {role.label}."


def _parameter(name: str, where: str, schema: Schema, must: bool) -> dict[str, Any]:
    schema = dict(schema)
    text = schema.pop("description", "")
    found: dict[str, Any] = {"name": name, "in": where, "required": must, "schema": schema}
    return found | ({"description": text} if text else {})


def _plain(media: str) -> Schema:
    return {"type": "string"} if media.startswith("text/") else {}


def _empty_fits(model: Model) -> bool:
    try:
        model.model_validate({})
    except ValueError:
        return False
    return True

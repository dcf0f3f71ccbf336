"""TypeScript types of the API and of the stream, made of their documents."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from app.openapi.asyncapi import asyncapi
from app.openapi.document import document
from app.openapi.schemas import PLACE, Schema
from opportunity import __version__

_NAME: Final = re.compile(r"[A-Za-z_$][\w$]*")
_PLAIN: Final = {
    "string": "string", "integer": "number", "number": "number", "boolean": "boolean",
    "null": "null",
}  # fmt: skip
_METHODS: Final = ("get", "put", "post", "patch", "delete")


def typescript() -> str:
    """Return a module of types; it compiles under ``--strict``."""
    api, stream = document(), asyncapi()
    schemas = api["components"]["schemas"] | stream["components"]["schemas"]
    parts = [f"// Types of the API of opportunity {__version__}: made by `opportunity openapi`.\n"]
    parts += [_declared(name, schema) for name, schema in sorted(schemas.items())]
    parts.append(_operations(api["paths"]))
    parts.append(_messages("ClientMessage", "What a client may say on the stream.", stream, "say"))
    parts.append(_messages("ServerMessage", "What the stream sends.", stream, "tell"))
    return "\n".join(parts)


def type_of(schema: Schema, indent: str = "") -> str:
    """Return the type of a JSON schema.

    Raises
    ------
    ValueError
        If the schema says something that no contract of ours says.
    """
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(PLACE)
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    for word, sign in (("anyOf", " | "), ("oneOf", " | "), ("allOf", " & ")):
        if word in schema:
            return _joined((type_of(one, indent) for one in schema[word]), sign)
    kind = schema.get("type")
    if kind == "array":
        return _array(schema, indent)
    if kind == "object":
        return _object(schema, indent)
    if kind is None:
        return "unknown"
    if kind not in _PLAIN:
        raise ValueError(f"type of a schema must be one of {list(_PLAIN)}, was {kind!r}")
    return _PLAIN[kind]


def _joined(types: Iterable[str], sign: str) -> str:
    found = list(dict.fromkeys(types))
    if len(found) > 1:
        found = [f"({one})" if " | " in one or " & " in one else one for one in found]
    return sign.join(found)


def _array(schema: Schema, indent: str) -> str:
    if "prefixItems" in schema:
        return "[" + ", ".join(type_of(one, indent) for one in schema["prefixItems"]) + "]"
    inner = type_of(schema.get("items", {}), indent)
    return f"({inner})[]" if " | " in inner or " & " in inner else f"{inner}[]"


def _object(schema: Schema, indent: str) -> str:
    if "properties" in schema:
        return _fields(schema, indent)
    more = schema.get("additionalProperties", True)
    if more is False:
        return "Record<string, never>"
    value = "unknown" if more is True else type_of(more, indent)
    names = schema.get("propertyNames", {})
    keys = type_of(names, indent) if "enum" in names or "$ref" in names else "string"
    return f"Record<string, {value}>" if keys == "string" else f"Partial<Record<{keys}, {value}>>"


def _fields(schema: Schema, indent: str) -> str:
    must, inner = set(schema.get("required", ())), indent + "  "
    lines = []
    for name, one in schema["properties"].items():
        lines += _comment(one.get("description", ""), inner)
        mark = "" if name in must else "?"
        lines.append(f"{inner}{_key(name)}{mark}: {type_of(one, inner)};")
    return "{\n" + "\n".join(lines) + f"\n{indent}}}"


def _declared(name: str, schema: Schema) -> str:
    head = "\n".join(_comment(schema.get("description", ""), ""))
    head += "\n" if head else ""
    if schema.get("type") == "object" and "properties" in schema:
        return f"{head}export interface {name} {_fields(schema, '')}\n"
    return f"{head}export type {name} = {type_of(schema)};\n"


def _comment(text: str, indent: str) -> list[str]:
    plain = " ".join(text.replace("*/", "* /").split())
    return [f"{indent}/** {plain} */"] if plain else []


def _key(name: str) -> str:
    return name if _NAME.fullmatch(name) else json.dumps(name)


def _operations(paths: Mapping[str, Mapping[str, Any]]) -> str:
    lines = ["/** Every method of the API by its operationId. */", "export interface Operations {"]
    for path, methods in paths.items():
        for method in _METHODS:
            if method in methods:
                lines += _operation(path, method, methods[method])
    return "\n".join([*lines, "}\n"])


def _operation(path: str, method: str, found: Mapping[str, Any]) -> list[str]:
    answers = []
    for status, response in found["responses"].items():
        if status.startswith("2"):
            content = response.get("content", {})
            answers += [_content(media, one["schema"]) for media, one in content.items()]
    asked = found.get("requestBody", {"required": True})
    body = asked.get("content", {}).get("application/json", {})
    mark = "" if asked.get("required", False) else "?"
    return [
        *_comment(found["summary"], "  "),
        f"  {found['operationId']}: {{",
        f"    method: {json.dumps(method.upper())};",
        f"    path: {json.dumps(path)};",
        f"    role: {json.dumps(found['x-role'])};",
        f"    places: {_given(found, 'path')};",
        f"    query: {_given(found, 'query')};",
        f"    body{mark}: {type_of(body['schema'], '    ') if body else 'never'};",
        f"    answer: {_joined(answers, ' | ') or 'void'};",
        "  };",
    ]


def _content(media: str, schema: Schema) -> str:
    if media == "application/json" or media.startswith("text/"):
        return type_of(schema, "    ")
    return "ArrayBuffer"


def _given(found: Mapping[str, Any], where: str) -> str:
    asked = [one for one in found.get("parameters", ()) if one["in"] == where]
    if not asked:
        return "Record<string, never>"
    fields = {
        one["name"]: one["schema"] | {"description": one.get("description", "")} for one in asked
    }
    must = [one["name"] for one in asked if one["required"]]
    return _fields({"properties": fields, "required": must}, "    ")


def _messages(name: str, text: str, stream: Mapping[str, Any], start: str) -> str:
    found = [
        type_of(message["payload"])
        for key, message in stream["components"]["messages"].items()
        if key.startswith(start)
    ]
    return f"/** {text} */\nexport type {name} =\n  | " + "\n  | ".join(found) + ";\n"

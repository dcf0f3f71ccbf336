"""JSON schemas of wire models under short names, and what documents do with them."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from opportunity.contracts.base import Answer

Schema = dict[str, Any]
Model = type[BaseModel]

PLACE: Final = "#/components/schemas/"

_INSIDE: Final = frozenset({"properties", "$defs", "patternProperties"})
"""Keywords whose members have names of ours, which are no keywords."""


def schemas_of(models: Iterable[Model]) -> tuple[dict[Model, Schema], dict[str, Schema]]:
    """Return a reference to each model, and all schemas by name.

    Parameters
    ----------
    models : iterable of model
        What leaves the server is described as it is written, all else as it is read.

    Returns
    -------
    tuple of dict and dict
        ``{"$ref": ...}`` by model; schemas by name, models inside models included. Two of one
        name get that of their module before theirs.
    """
    wanted = [(model, _mode(model)) for model in sorted(set(models), key=_full)]
    found, whole = models_json_schema(wanted, ref_template=PLACE + "{model}")
    named: dict[str, Schema] = whole.get("$defs", {})
    short = _short(named)
    schemas = {short[name]: _tidy(schema, short) for name, schema in named.items()}
    refs = {model: _tidy(found[model, mode], short) for model, mode in wanted}
    return refs, dict(sorted(schemas.items()))


def properties_of(model: Model) -> dict[str, tuple[Schema, bool]]:
    """Return schema and whether it must be given, by field: for query strings and paths.

    Text has no null: what may be left out is left out.
    """
    schema = _tidy(model.model_json_schema(mode="validation"), {})
    if "$defs" in schema:
        raise TypeError(f"fields of {model.__name__} must be plain, had models inside")
    must = set(schema.get("required", ()))
    return {
        name: (without_null(one), name in must)
        for name, one in schema.get("properties", {}).items()
    }


def without_null(schema: Schema) -> Schema:
    """Return a schema that does not allow null, nor have it as its default."""
    plain = {name: value for name, value in schema.items() if name != "anyOf"}
    if plain.get("default", ...) is None:
        del plain["default"]
    if "anyOf" in schema:
        left = [one for one in schema["anyOf"] if one != {"type": "null"}]
        return plain | (left[0] if len(left) == 1 else {"anyOf": left})
    return plain


def walk(value: Any, change: Callable[[Schema], Schema], inside: bool = False) -> Any:
    """Return a copy in which each schema was changed, those inside it first."""
    if isinstance(value, list):
        return [walk(one, change) for one in value]
    if not isinstance(value, dict):
        return value
    made = {
        name: one if name in ("default", "examples", "const", "enum") and not inside
        else walk(one, change, name in _INSIDE and not inside)
        for name, one in value.items()
    }  # fmt: skip
    return made if inside else change(made)


def _mode(model: Model) -> Literal["validation", "serialization"]:
    return "serialization" if issubclass(model, Answer) else "validation"


def _full(model: Model) -> str:
    return f"{model.__module__}.{model.__name__}"


def _short(names: Iterable[str]) -> dict[str, str]:
    same = defaultdict(list)
    for name in names:
        same[name.rpartition("__")[2]].append(name)
    made = {}
    for last, full in same.items():
        for name in full:
            room = name.split("__")[-2] if len(full) > 1 else ""
            made[name] = "".join(part.capitalize() for part in room.split("_")) + last
    return made


def _tidy(schema: Schema, short: Mapping[str, str]) -> Schema:
    def change(one: Schema) -> Schema:
        made = {name: value for name, value in one.items() if name != "title"}
        if isinstance(ref := made.get("$ref"), str):
            name = ref.removeprefix(PLACE)
            made["$ref"] = PLACE + short.get(name, name)
        return made

    found: Schema = walk(schema, change)
    return found

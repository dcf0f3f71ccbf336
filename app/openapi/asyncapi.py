"""The AsyncAPI 3.0 document of the stream: made of its contracts."""

import inspect
from functools import cache
from typing import Any, Final, get_args

import orjson

from app.openapi.schemas import Model, Schema, schemas_of
from opportunity import __version__
from opportunity.contracts import realtime
from opportunity.contracts.base import Answer

ADDRESS: Final = "/ws/realtime"
CLOSED: Final[dict[int, str]] = {
    1008: "Too many messages that were not understood.",
    1009: "A message was too large.",
    1012: "The server goes down; the message `closing` before says when to come back.",
    4001: "The token has expired or was revoked, or the role has changed.",
    4010: "The client was too slow; come back and resume.",
}
"""Meaning of the codes that the server closes with."""

ABOUT: Final = (
    "One WebSocket. The first message is `status`. Until a client subscribes it gets the signals "
    "of the default stream. Channels of state (signal, price, market_scan, status, backtest, "
    "portfolio): the newest wins, numbers may have gaps. Channels of events (config, trade, "
    "alert): every message comes, numbered without a gap per epoch and channel, and `resume` "
    "brings what was missed. To log in, send a bearer token, the cookie of a page, or one of the "
    "subprotocols `opportunity.ticket.<ticket>` and `opportunity.bearer.<token>`."
)


@cache
def asyncapi_bytes() -> bytes:
    """Return the document as JSON, made once; see `asyncapi`."""
    return orjson.dumps(asyncapi(), option=orjson.OPT_INDENT_2)


def asyncapi() -> dict[str, Any]:
    """Return the AsyncAPI document of the stream."""
    told = told_models()
    refs, schemas = schemas_of([*realtime.COMMANDS.values(), *told.values()])
    for name, model in told.items():
        _leave_out_null(schemas[name], model)
    heard = {f"say{_camel(name)}": name for name in realtime.COMMANDS}
    messages = {
        key: _message(name, realtime.COMMANDS[name], _with_action(refs, name))
        for key, name in heard.items()
    }
    messages |= {
        f"tell{model.__name__}": _message(model.__name__, model, refs[model])
        for model in told.values()
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "opportunity, the stream", "version": __version__, "description": ABOUT,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {"here": {"host": "127.0.0.1:8000", "protocol": "ws"}},
        "channels": {
            "realtime": {
                "address": ADDRESS, "title": "The stream",
                "messages": {key: {"$ref": f"#/components/messages/{key}"} for key in messages},
                "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
                "x-close-codes": {str(code): text for code, text in CLOSED.items()},
            }
        },
        "operations": {
            "hear": _operation("receive", "What a client may say.", heard),
            "tell": _operation(
                "send", "What the server sends.", [k for k in messages if k not in heard]
            ),
        },
        "components": {"messages": messages, "schemas": schemas},
    }  # fmt: skip


def told_models() -> dict[str, Model]:
    """Return the models of what the server sends, by name: those with a fixed `type`."""
    found: dict[str, Model] = {}
    for name, one in vars(realtime).items():
        if not (inspect.isclass(one) and issubclass(one, Answer)):
            continue
        kind = one.model_fields.get("type")
        if one.__module__ == realtime.__name__ and kind is not None and get_args(kind.annotation):
            found[name] = one
    return found


def _leave_out_null(schema: Schema, model: Model) -> None:
    # Answers to a client have only what they have to say: a field that is null by default may be
    # missing.
    may = {name for name, field in model.model_fields.items() if field.default is None}
    schema["required"] = [name for name in schema["required"] if name not in may]


def _with_action(refs: dict[Model, Schema], name: str) -> Schema:
    one = {
        "type": "object", "properties": {"action": {"const": name}}, "required": ["action"],
    }  # fmt: skip
    return {"allOf": [refs[realtime.COMMANDS[name]], one]}


def _message(name: str, model: Model, payload: Schema) -> dict[str, Any]:
    text = (inspect.getdoc(model) or "").partition("\n\n")[0].replace("\n", " ")
    return {"name": name, "title": name, "summary": text, "payload": payload}


def _operation(action: str, text: str, keys: Any) -> dict[str, Any]:
    return {
        "action": action, "summary": text,
        "channel": {"$ref": "#/channels/realtime"},
        "messages": [{"$ref": f"#/channels/realtime/messages/{key}"} for key in keys],
    }  # fmt: skip


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))



"""What a client of the stream says, read strictly: a command, or why it is none."""

from collections.abc import Collection, Iterable
from typing import Any, Final

import pydantic

from app.api.parsing import JsonError, parse_json
from app.api.problems import message_of, path_of
from opportunity.contracts.realtime import (
    CHANNELS,
    COMMANDS,
    EVENT_CHANNELS,
    Channel,
    Command,
    Resume,
    Text,
)
from opportunity.errors import unknown
from opportunity.market.symbols import parse_symbol

MALFORMED: Final = ("invalid_json", "invalid_message")
"""Codes of what a client does not say by mistake more than a few times."""

MOST_ECHOED: Final = 64
"""Characters of a client's text that come back in an answer."""


class CommandError(Exception):
    """A client message that cannot be carried out; becomes an error message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def read_object(message: str | bytes) -> dict[str, Any]:
    """Return the JSON object that a message is; CommandError if it is none."""
    if isinstance(message, bytes):
        raise CommandError("invalid_message", "a message must be text, was binary")
    try:
        value = parse_json(message.encode())
    except JsonError as error:
        raise CommandError("invalid_json", "Invalid JSON") from error
    if not isinstance(value, dict):
        raise CommandError("invalid_message", "a message must be a JSON object")
    return value


def read_command(value: dict[str, Any]) -> Command:
    """Return the command that an object is; CommandError if it is none."""
    action = value.get("action")
    if not isinstance(action, str):
        raise CommandError("invalid_message", "action must be a string")
    model = COMMANDS.get(action)
    if model is None:
        raise CommandError("unknown_action", unknown("action", action[:MOST_ECHOED], COMMANDS))
    try:
        return model.model_validate(value)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        where = path_of(first["loc"])[:MOST_ECHOED]
        raise CommandError("invalid_message", f"{where}: {message_of(first, model)}") from error


def read_channels(names: Iterable[str] | None) -> list[Channel]:
    """Return channels by name, each once; CommandError for one that there is not."""
    known: dict[str, Channel] = {name: name for name in CHANNELS}
    wanted = list(dict.fromkeys(names or ()))
    for name in wanted:
        if name not in known:
            raise CommandError(
                "unknown_channel", unknown("channel", name[:MOST_ECHOED], CHANNELS)
            )
    return [known[name] for name in wanted]


def read_symbols(texts: Iterable[str]) -> set[str]:
    """Return the symbols among texts; what is none was never subscribed and is passed over."""
    found = set()
    for text in texts:
        try:
            found.add(parse_symbol(text))
        except ValueError:
            continue
    return found


def since_of(command: Resume, joined: Collection[Channel]) -> dict[Channel, int]:
    """Return the newest number seen of each channel of events that is resumed.

    `seq` is that of config; without any number it is all that is joined, from the start.
    """
    seq = command.seq if command.seq is not None else command.last_seq
    since: dict[Channel, int] = {} if seq is None else {"config": seq}
    for name, number in command.seqs.items():
        if name not in EVENT_CHANNELS or number < 0:
            raise CommandError(
                "invalid_message", f"seqs must be numbers >= 0 of {', '.join(EVENT_CHANNELS)}"
            )
        since |= {channel: number for channel in EVENT_CHANNELS if channel == name}
    return since or {c: 0 for c in EVENT_CHANNELS if c == "config" or c in joined}


def label_of(value: Any) -> str | None:
    """Return the action as an error echoes it."""
    return value[:MOST_ECHOED] if isinstance(value, str) else None


def id_of(value: Any) -> Text:
    """Return the client's id as answers echo it."""
    if isinstance(value, str):
        return value[:MOST_ECHOED]
    return value if isinstance(value, int) and not isinstance(value, bool) else None

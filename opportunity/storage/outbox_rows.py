"""What the outbox holds: notes to tell, and the rows that they become."""

import hashlib
from dataclasses import dataclass
from typing import Any, Final

_TITLE: Final = 200
_BODY: Final = 4_000
_KEY: Final = 160


@dataclass(frozen=True, slots=True)
class Note:
    """Something to tell.

    Parameters
    ----------
    key : str
        Names the occasion: two notes of one key are the same.
    kind : str
        What it is about, e.g. ``breaker``; at most 24 characters.
    title, body : str
        Plain text; cut to 200 and 4000 characters.
    """

    key: str
    kind: str
    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Row:
    """A message for one channel; times are wall time in ms UTC."""

    id: int
    key: str
    channel: str
    kind: str
    title: str
    body: str
    status: str
    attempts: int
    created_at: int
    next_at: int
    sent_at: int | None
    error: str


@dataclass(frozen=True, slots=True)
class OutboxPage:
    """Some rows, newest first; `after` asks for the next ones, None when these are the last."""

    rows: tuple[Row, ...]
    after: int | None


@dataclass(frozen=True, slots=True)
class ChannelTally:
    """How it goes for one channel."""

    waiting: int = 0
    failed: int = 0
    last_sent_at: int | None = None
    last_error: str = ""


def row_key(note: Note, channel: str) -> str:
    """Return the key of a note's row for a channel."""
    whole = f"{note.key}@{channel}"
    if len(whole) <= _KEY:
        return whole
    return whole[:90] + "~" + hashlib.sha256(whole.encode("utf-8", "replace")).hexdigest()


def _clean(text: str, most: int) -> str:
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}")[:most].encode(
        "utf-8", "replace"
    ).decode("utf-8")


def row_of(note: Note, channel: str, now: int) -> dict[str, Any]:
    """Return the columns of a new row that waits, of wall time `now` in ms UTC."""
    return {
        "key": row_key(note, channel), "channel": channel, "kind": note.kind[:24],
        "title": _clean(note.title, _TITLE), "body": _clean(note.body, _BODY),
        "status": "waiting", "attempts": 0, "created_at": now, "next_at": now, "sent_at": None,
        "error": "",
    }  # fmt: skip

"""Settings that hold several things in one text: sources of headlines, channels, retention."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from opportunity.errors import unknown

_NAMED: Final = re.compile(r"^\s*([A-Za-z0-9][\w .-]{0,39}?)\s*=\s*(?=\S)")


@dataclass(frozen=True, slots=True)
class NewsSource:
    """Where headlines come from: an http(s) address, or a folder.

    `name` stands for it everywhere else, as the address may hold a secret.
    """

    name: str
    address: str = field(repr=False)


_NEXT_CHANNEL: Final = re.compile(r",(?=\s*[A-Za-z0-9][\w .-]{0,39}\s*=\s*[A-Za-z0-9+]+://)")


@dataclass(frozen=True, slots=True)
class AlertChannel:
    """Where alerts go: an address as apprise reads it, which is a secret; `name` is not."""

    name: str
    address: str = field(repr=False)


RETENTION_DAYS: Final[Mapping[str, int]] = MappingProxyType({
    "event": 365, "candidate": 180, "equity_mark": 90, "outbox": 30, "idempotent": 1,
    "bar_note": 30, "observation": 400,
})
"""Days that rows of a table are kept, equity marks one by one; tables that are not named here, such
as fills and trades, are kept for ever."""

MOST_DAYS: Final = 36_500
MOST_CHANNELS: Final = 20


def read_sources(text: str) -> tuple[NewsSource, ...]:
    """Read sources of headlines, comma-separated, each `address` or `name=address`.

    Raises
    ------
    ValueError
        If one is no address and no folder, or two have one name; no address is shown.
    """
    found = tuple(_read_source(part.strip()) for part in text.split(",") if part.strip())
    for name in (s.name for s in found):
        if sum(s.name == name for s in found) > 1:
            raise ValueError(f"must have a name of its own for each source, has {name!r} twice")
    return found


def _read_source(text: str) -> NewsSource:
    """Read `address` or `name=address`; errors show no more of an address than its scheme."""
    named = _NAMED.match(text)
    name, address = (named.group(1), text[named.end() :]) if named else ("", text)
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("must hold valid addresses") from None
    if parts.scheme in ("http", "https"):
        if not host:
            raise ValueError(f"must hold addresses with a host, has one with {parts.scheme}: alone")
        return NewsSource(name or host.removeprefix("www."), address)
    if parts.scheme not in ("", "file") or (parts.scheme == "file" and host):
        raise ValueError(f"must hold http or https addresses or folders, has {parts.scheme!r}")
    path = Path(parts.path if parts.scheme else address).expanduser()
    if not path.is_absolute():
        raise ValueError("must hold folders as absolute paths")
    return NewsSource(name or path.name or "news", str(path))


def read_retention(text: str) -> dict[str, int]:
    """Read `table=days,...`; ValueError for anything else."""
    found: dict[str, int] = {}
    for part in (p.strip() for p in text.split(",") if p.strip()):
        name, _, days = (word.strip() for word in part.partition("="))
        if not (days.isascii() and days.isdecimal()):
            raise ValueError("must be table=days,... in whole days")
        if name in found:
            raise ValueError(f"must name each table once, names {name!r} twice")
        found[name] = int(days)
    return found


def read_channels(text: str) -> tuple[AlertChannel, ...]:
    """Read `name=address,...`; a comma may stand inside an address.

    Raises
    ------
    ValueError
        If one is not of that form, or two have one name; only names are shown.
    """
    found = []
    for part in (p.strip() for p in _NEXT_CHANNEL.split(text) if p.strip()):
        named = _NAMED.match(part)
        if named is None or "://" not in part[named.end() :]:
            raise ValueError("must hold channels as name=scheme://...")
        found.append(AlertChannel(named.group(1), part[named.end() :]))
    names = [channel.name for channel in found]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"must have a name of its own for each channel, has {name!r} twice")
    if len(found) > MOST_CHANNELS:
        raise ValueError(f"must hold at most {MOST_CHANNELS} channels, holds {len(found)}")
    return tuple(found)


def check_retention(value: Mapping[str, int]) -> None:
    """Refuse days of a table that is not pruned, or too many of them: ValueError."""
    for name, days in value.items():
        if name not in RETENTION_DAYS:
            raise ValueError(unknown("table", name, RETENTION_DAYS))
        if not 0 <= days <= MOST_DAYS:
            raise ValueError(f"days of {name} must be 0 to {MOST_DAYS}, was {days}")

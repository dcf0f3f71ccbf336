"""Versions of what several people change: strong ETags, and If-Match before a write."""

import re
from typing import Final

from app.api.problems import ApiError

_TAG: Final = r'\s*(?:W/)?"[^"]*"\s*(?:,|$)'


def tag_of(version: int) -> str:
    """Return the strong ETag of a version."""
    return f'"{version}"'


def expected_version(header: str | None, version: int, what: str) -> int | None:
    """Return the version that a write starts from, None when its sender does not say.

    Parameters
    ----------
    header : str or None
        If-Match: ETags in double quotes, or ``*`` for any.
    version : int
        The newest.
    what : str
        What is written, plural, for the message.

    Raises
    ------
    ApiError
        400 for a malformed header, 412 when the newest version is not among them.
    """
    if header is None or header.strip() == "*":
        return None
    if not re.fullmatch(rf"(?:{_TAG})+", header):
        raise ApiError(400, "bad_etag", "If-Match must be ETags in double quotes or *.")
    tags = [tag.strip().rstrip(",").strip() for tag in re.findall(_TAG, header)]
    if tag_of(version) not in tags:  # weak tags never match: If-Match compares strongly
        raise stale(version, what)
    return version


def stale(version: int, what: str) -> ApiError:
    """Return the 412 of a write that is based on an older version."""
    return ApiError(
        412, "stale", f"The {what} have changed since; read them again.",
        headers={"Etag": tag_of(version)},
    )

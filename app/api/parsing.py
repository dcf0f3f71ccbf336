"""Read JSON from strangers: what Python's parser would let through or choke on is refused."""

import json
import re
from collections import Counter
from typing import Any, Final

MAX_DEPTH: Final = 32
MAX_KEYS: Final = 1_000
INT64: Final = range(-(2**63), 2**63)

_STRING: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
"""A string, or the start of one that never ends: possessive, so no input makes it go back."""

_EMPTY: Final = re.compile(rb"\[\]|\{\}")
_OUTSIDE: Final = bytes(set(range(256)) - set(b"[]{}"))
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class JsonError(ValueError):
    """Raised when bytes are not JSON that we accept."""


def parse_json(data: bytes) -> Any:
    """Parse JSON of limited depth, without duplicate keys, NaN, infinities or huge integers.

    Parameters
    ----------
    data : bytes
        UTF-8 text; at most a megabyte is expected, larger must be refused before.

    Raises
    ------
    JsonError
        If it is not JSON, or nests deeper than `MAX_DEPTH`, or an object has a key twice or
        more than `MAX_KEYS`, or a number is not finite or an integer beyond 64 bits, or a
        string holds a lone surrogate or U+0000, which no text of PostgreSQL can hold.
    """
    _check_depth(data)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise JsonError("JSON must be UTF-8") from error
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_float,
            parse_constant=_constant,
        )
    except json.JSONDecodeError as error:
        raise JsonError(f"not JSON: {error.msg} at character {error.pos}") from error
    if "\\u" in text:
        _check_strings(value)
    return value


def _check_depth(data: bytes) -> None:
    # Before parsing, because a parser that recurses has already lost.
    if data.count(b"[") + data.count(b"{") <= MAX_DEPTH:
        return
    brackets = _STRING.sub(b"", data).translate(None, _OUTSIDE)
    for _ in range(MAX_DEPTH):
        brackets, n_closed = _EMPTY.subn(b"", brackets)  # takes the innermost level away
        if not n_closed:
            break
    if brackets:
        raise JsonError(f"JSON must nest at most {MAX_DEPTH} deep and close what it opens")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > MAX_KEYS:
        raise JsonError(f"an object must have at most {MAX_KEYS} keys, was {len(pairs)}")
    found = dict(pairs)
    if len(found) < len(pairs):
        twice, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise JsonError(f"a key must occur once, was repeated: {twice[:64]!r}")
    return found


def _integer(text: str) -> int:
    if len(text) > 20 or int(text) not in INT64:
        raise JsonError(f"an integer must fit in 64 bits, was of {len(text)} digits")
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    if value - value != 0:  # an infinity: the literal is beyond the range of a double
        raise JsonError(f"a number must be finite, was {text[:32]}")
    return value


def _constant(text: str) -> Any:
    raise JsonError("a number must be finite")


def _check_strings(value: Any) -> None:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            if _SURROGATE.search(one):
                raise JsonError("a string must hold whole characters, had a lone surrogate")
            if "\0" in one:
                raise JsonError("a string must not hold U+0000")
        elif isinstance(one, dict):
            waiting.extend(one)
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)

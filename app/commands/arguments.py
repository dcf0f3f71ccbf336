"""Argument types that several verbs share; what they raise becomes exit code 2."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

DONE: Final = 0
FAILED: Final = 1
BAD_USAGE: Final = 2

T = TypeVar("T")


def wrong(error: Exception) -> argparse.ArgumentTypeError:
    """Turn an error of the library into one that argparse prints."""
    return argparse.ArgumentTypeError(str(error))


def checked(function: Callable[[str], T]) -> Callable[[str], T]:
    """Wrap a parser so that its ValueError is shown with the option's name."""

    def parse(text: str) -> T:
        try:
            return function(text)
        except ValueError as error:
            raise wrong(error) from error

    return parse


def folder(text: str) -> Path:
    """Return an existing folder."""
    path = Path(text).expanduser()
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"must be an existing folder, was {text!r}")
    return path


def file(text: str) -> Path:
    """Return an existing file."""
    path = Path(text).expanduser()
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"must be an existing file, was {text!r}")
    return path


def names(text: str) -> list[str]:
    """Split a comma-separated list; empty parts are left out, an empty list is wrong."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise argparse.ArgumentTypeError(f"must be a comma-separated list, was {text!r}")
    return parts


@checked
def symbols(text: str) -> list[str]:
    """Parse a comma-separated list of symbols in any spelling."""
    from opportunity.market.symbols import parse_symbol

    return [parse_symbol(part) for part in names(text)]


@checked
def timeframes(text: str) -> list[str]:
    """Parse a comma-separated list of timeframes."""
    from opportunity.market.timeframe import timeframe

    return [timeframe(part) for part in names(text)]


@checked
def one_timeframe(text: str) -> str:
    """Parse a timeframe."""
    from opportunity.market.timeframe import timeframe

    return timeframe(text)


@checked
def one_symbol(text: str) -> str:
    """Parse a symbol in any spelling."""
    from opportunity.market.symbols import parse_symbol

    return parse_symbol(text)


@checked
def preset(text: str) -> dict[str, float]:
    """Return the weights of a shipped preset."""
    from opportunity.errors import unknown
    from opportunity.scoring.presets import PRESETS

    if text not in PRESETS:
        raise ValueError(unknown("preset", text, PRESETS))
    return dict(PRESETS[text])


@checked
def weights(text: str) -> dict[str, float]:
    """Parse ``smc=0.3,sar=0``; weights that are not named keep their balanced value."""
    from opportunity.scoring.weights import Weights

    values: dict[str, float] = {}
    for part in names(text):
        name, sign, number = part.partition("=")
        if not sign:
            raise ValueError(f"weights must be NAME=NUMBER,..., was {part!r}")
        try:
            values[name.strip()] = float(number)
        except ValueError as error:
            raise ValueError(f"weight {name.strip()} must be a number, was {number!r}") from error
    return Weights(**values).as_dict()


@checked
def share(text: str) -> float:
    """Parse a number in 0..1."""
    try:
        value = float(text)
    except ValueError as error:
        raise ValueError(f"must be a number in 0..1, was {text!r}") from error
    if not 0 <= value <= 1:
        raise ValueError(f"must be a number in 0..1, was {text!r}")
    return value


@checked
def count(text: str) -> int:
    """Parse a whole number >= 1."""
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"must be a whole number >= 1, was {text!r}")
    return int(text)


@checked
def whole(text: str) -> int:
    """Parse a whole number >= 0."""
    if not text.isdecimal():
        raise ValueError(f"must be a whole number >= 0, was {text!r}")
    return int(text)


@checked
def positive(text: str) -> float:
    """Parse a finite number above 0."""
    try:
        value = float(text)
    except ValueError as error:
        raise ValueError(f"must be a number > 0, was {text!r}") from error
    if not 0 < value < float("inf"):
        raise ValueError(f"must be a number > 0, was {text!r}")
    return value


@checked
def moment(text: str) -> int:
    """Parse a time as ISO 8601 (UTC unless it says otherwise) or as integer ms; return ms UTC."""
    from datetime import UTC, datetime

    if text.isdecimal() and len(text) > 8:
        return int(text)
    first = {4: "-01-01", 7: "-01"}.get(len(text), "")  # of a year, or of a month
    try:
        when = datetime.fromisoformat(text + first)  # nothing looser: 02/05 has two meanings
    except ValueError as error:
        raise ValueError(
            f"time must be ISO 8601 such as 2024-09-06T12:00 or ms UTC, was {text!r}"
        ) from error
    return round((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1000)


def at(text: str) -> int | str:
    """Parse a time, or the word `each`."""
    return "each" if text == "each" else moment(text)


def add_weights(parser: argparse.ArgumentParser) -> None:
    """Add `--preset` and `--weights`, of which one may be given."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--preset", type=preset, metavar="NAME", dest="weights",
                       help="shipped weights: balanced (default), aggressive, conservative")
    group.add_argument("--weights", type=weights, metavar="NAME=NUMBER,...", dest="weights",
                       help="detector weights >= 0; those not named keep their balanced value")


def write_json(value: Any) -> None:
    """Write one JSON document to stdout; NaN becomes null."""
    import sys

    import orjson

    sys.stdout.buffer.write(orjson.dumps(value, option=orjson.OPT_INDENT_2) + b"\n")
    sys.stdout.buffer.flush()


def say(text: str) -> None:
    """Write one line to stdout, whatever a terminal would make of it escaped."""
    import sys

    from app.terminal import visible

    sys.stdout.write(visible(text, sys.stdout.encoding or "utf-8") + "\n")


def complain(text: str) -> None:
    """Write one line to stderr."""
    import sys

    sys.stderr.write(f"opportunity: {text}\n")

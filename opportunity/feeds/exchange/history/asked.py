"""Which spans of a stored stream a venue has been asked for: a small JSON file beside the bars.

Stored bars alone cannot say it: a hole may be a part that nobody asked for, or minutes in which
nothing was traded. The file is a note about the bars, never more: without it, or when it is
damaged or the bars have become fewer, the venue is asked again.
"""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from opportunity.feeds.exchange.history.spans import Span, join
from opportunity.market.files import Coverage
from opportunity.market.store import BarStore
from opportunity.market.symbols import file_name
from opportunity.market.timeframe import Timeframe

VERSION: Final = 1
MOST_BYTES: Final = 4 << 20
"""A larger file is not ours."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known about a stored stream.

    Parameters
    ----------
    once : tuple of spans
        Opening times that were asked for, [start, end) in ms UTC: a hole inside was not filled.
    twice : tuple of spans
        Those that were asked for again because bars were missing there.
    """

    once: tuple[Span, ...] = ()
    twice: tuple[Span, ...] = ()

    def add(self, span: Span) -> "Asked":
        """Return it with one more span that was asked for."""
        return Asked(join([*self.once, span]), self.twice)

    def add_again(self, span: Span) -> "Asked":
        """Return it with one more span that was asked for a second time."""
        return Asked(join([*self.once, span]), join([*self.twice, span]))


def asked_path(store: BarStore, symbol: str, timeframe: Timeframe) -> Path:
    """Return where the file of a stream lies, hidden beside its bars."""
    return store.folder / file_name(symbol) / f".{timeframe}.asked.json"


def read_asked(path: Path, held: Coverage) -> Asked:
    """Read the file; nothing is known if it is missing, damaged or about more bars than `held`."""
    try:
        if path.stat().st_size > MOST_BYTES:
            return Asked()
        data = orjson.loads(path.read_bytes())
        if data["version"] != VERSION or not _still_there(Coverage(*data["held"]), held):
            return Asked()
        return Asked(_spans(data["once"]), _spans(data["twice"]))
    except (OSError, ValueError, TypeError, KeyError):
        return Asked()


def write_asked(path: Path, known: Asked, held: Coverage) -> None:
    """Replace the file whole; call it after the bars are written, never before."""
    data = {
        "version": VERSION,
        "held": [held.first, held.last, held.n_bars],
        "once": known.once,
        "twice": known.twice,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(orjson.dumps(data))
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _still_there(then: Coverage, now: Coverage) -> bool:
    """Tell whether the bars of then can still be among those of now."""
    if not then.n_bars:
        return True
    return now.n_bars >= then.n_bars and now.first <= then.first and now.last >= then.last


def _spans(data: Any) -> tuple[Span, ...]:
    spans = [(start, end) for start, end in data]
    if any(type(t) is not int for span in spans for t in span):
        raise ValueError("spans must be pairs of whole numbers")
    return join(spans)

"""Records in a data folder, found by its layout and read when they are first asked for.

Layout: ``{exchange}/{BASE-QUOTE}/funding_rate.parquet`` (also ``open_interest``,
``long_short_ratio``, ``social_volume``, ``trades``), ``sentiment/fear_greed*``, ``news/*``,
``whales/*transfers*``; each file in any format that `read_records` reads.
"""

import os
import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from opportunity.errors import CoverageError
from opportunity.feeds.records import HEARTBEAT_MS, heartbeats, read_records
from opportunity.market.bars import Bars
from opportunity.market.observations import (
    FearGreed,
    Funding,
    Headline,
    Heartbeat,
    LongShort,
    Observation,
    OpenInterest,
    Record,
    SocialVolume,
    Trades,
    Transfer,
    by_availability,
)
from opportunity.market.readers import READERS
from opportunity.market.symbols import parse_symbol
from opportunity.market.timeframe import DAY_MS

PER_SYMBOL: Final[dict[str, type[Record]]] = {
    "funding_rate": Funding,
    "open_interest": OpenInterest,
    "long_short_ratio": LongShort,
    "social_volume": SocialVolume,
    "trades": Trades,
}
PER_MARKET: Final[tuple[tuple[str, str, type[Record]], ...]] = (
    ("sentiment", "fear_greed*", FearGreed),
    ("news", "*", Headline),
    ("whales", "*transfers*", Transfer),
)

LEAD_MS: Final = 100 * DAY_MS
"""Longer than any record matters."""

_PAIR: Final = re.compile(r"[A-Z0-9]{1,20}(-[A-Z0-9]{1,20}){1,2}")


class _File(NamedTuple):
    path: Path
    kind: type[Record]
    symbol: str  # empty where the file is about more than one
    source: str


class FolderRecords:
    """What a data folder holds besides bars.

    Parameters
    ----------
    root : path-like
        The folder; its exchanges, ``sentiment``, ``news`` and ``whales`` are beneath it.

    Raises
    ------
    CoverageError
        If there is no such folder.

    Notes
    -----
    Only names are read at first. A file is read when records of its kind and symbol are first
    asked for, and kept; later questions cost a binary search.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        if not Path(root).is_dir():
            raise CoverageError(f"root must be an existing folder, was {str(root)!r}")
        self._files = sorted(_found(Path(root)))
        self._lists: dict[_File, list[Observation]] = {}
        self._blocks: dict[_File, Trades] = {}
        self._merged: dict[tuple[type[Record], tuple[str, ...] | None], _Merged] = {}

    @property
    def kinds(self) -> tuple[type[Record], ...]:
        """Kinds of records that there are files of; heartbeats where there are headlines."""
        held = {f.kind for f in self._files} | ({Heartbeat} if self._has(Headline) else set())
        return tuple(sorted(held, key=lambda k: k.__name__))

    def between(
        self,
        kinds: Sequence[type[Record]],
        since: int,
        until: int,
        symbols: Sequence[str] | None = None,
    ) -> list[Record]:
        """Return what became known in [since, until), in that order.

        Parameters
        ----------
        kinds : sequence of types
            Records of these kinds.
        since, until : int
            Bounds of `available_at`, ms UTC.
        symbols : sequence of str, optional
            Records of these symbols (a contract and its pair count as one) and of their coins;
            None for all. What is about the whole market comes in any case, and headlines, which
            are linked by who reads them.

        Raises
        ------
        ValueError
            If a file breaks a rule; the text names file, field, rule and value.
        """
        if until <= since:
            return []
        wanted = None if symbols is None else tuple(symbols)
        found: list[Record] = []
        for kind in dict.fromkeys(kinds):
            if kind is Heartbeat:
                found += self._beats(since, until)
            elif kind is Trades:
                found += self._prints(since, until, wanted)
            elif self._has(kind):
                found += self._merge(kind, wanted).between(since, until)
        return by_availability(found)

    def about(self, bars: Bars) -> list[Record]:
        """Return all that became known from 100 days before some bars up to their last close.

        Raises
        ------
        ValueError
            If the bars carry no symbol or timeframe, or a file breaks a rule.
        """
        if not bars.symbol or bars.timeframe is None:
            raise ValueError(
                f"bars must carry a symbol and a timeframe, was {bars.symbol!r}, {bars.timeframe}"
            )
        if not len(bars):
            return []
        since, until = int(bars.time[0]) - LEAD_MS, int(bars.close_time[-1]) + 1
        return self.between(self.kinds, since, until, [bars.symbol])

    def _has(self, kind: type[Record]) -> bool:
        return any(f.kind is kind for f in self._files)

    def _of(self, kind: type[Record], symbols: tuple[str, ...] | None) -> Iterator[_File]:
        pairs = None if symbols is None else {_pair(s) for s in symbols}
        for file in self._files:
            if file.kind is kind and (
                pairs is None or not file.symbol or _pair(file.symbol) in pairs
            ):
                yield file

    def _merge(self, kind: type[Record], symbols: tuple[str, ...] | None) -> "_Merged":
        key = kind, symbols
        if key not in self._merged:
            coins = None if symbols is None else {_pair(s).partition("/")[0] for s in symbols}
            records = [
                r
                for file in self._of(kind, symbols)
                for r in self._read(file)
                if coins is None or not isinstance(r, Transfer) or r.asset in coins
            ]
            self._merged[key] = _Merged(by_availability(records))
        return self._merged[key]

    def _read(self, file: _File) -> list[Observation]:
        if file not in self._lists:
            labels = {"symbol": file.symbol} if file.symbol else {}
            read = read_records(file.path, file.kind, source=file.source, **labels)
            self._lists[file] = [r for r in read if not isinstance(r, Trades)]
        return self._lists[file]

    def _prints(self, since: int, until: int, symbols: tuple[str, ...] | None) -> list[Trades]:
        found = []
        for file in self._of(Trades, symbols):
            if file not in self._blocks:
                (block,) = read_records(file.path, Trades, source=file.source, symbol=file.symbol)
                assert isinstance(block, Trades)
                self._blocks[file] = block
            block = self._blocks[file]
            first, end = np.searchsorted(block.time, (since, until))
            if first < end:
                found.append(_part(block, slice(int(first), int(end))))
        return found

    def _beats(self, since: int, until: int) -> list[Heartbeat]:
        # An archive was watched from its first headline to its last, also while nothing came.
        found: list[Heartbeat] = []
        for file in self._of(Headline, None):
            records = self._read(file)
            if records:
                first, last = records[0].available_at, records[-1].available_at
                beats_until = min(until, last + HEARTBEAT_MS)
                found += heartbeats(max(since, first), beats_until, file.source)
        return found


class _Merged:
    """Records of one kind from several files, searchable by when they became known."""

    def __init__(self, records: list[Observation]) -> None:
        self._records = records
        self._known = [r.available_at for r in records]

    def between(self, since: int, until: int) -> list[Observation]:
        return self._records[bisect_left(self._known, since) : bisect_left(self._known, until)]


def _found(root: Path) -> Iterator[_File]:
    """Find the files of records beneath a folder, by name alone."""
    for folder, pattern, kind in PER_MARKET:
        for path in (root / folder).glob(pattern):
            if _readable(path):
                yield _File(path, kind, "", _stem(path))
    for pair in root.glob("*/*"):
        if pair.is_dir() and _PAIR.fullmatch(pair.name):
            for path in pair.iterdir():
                of = PER_SYMBOL.get(_stem(path))
                if of is not None and _readable(path):
                    yield _File(path, of, parse_symbol(pair.name), pair.parent.name)


def _readable(path: Path) -> bool:
    named = path.name.lower()
    return path.is_file() and not named.startswith(".") and named.endswith(tuple(READERS))


def _stem(path: Path) -> str:
    return path.name.lower().partition(".")[0]


def _pair(symbol: str) -> str:
    return symbol.partition(":")[0]


def _part(block: Trades, part: slice) -> Trades:
    return Trades(
        block.source, block.symbol, block.time[part], block.price[part], block.amount[part],
        block.side[part],
    )  # fmt: skip

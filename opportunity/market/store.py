"""BarStore: the bars of one exchange on disk, one Parquet file for each symbol and timeframe.

Layout: ``{exchange}/{BASE-QUOTE}/{timeframe}.parquet``. Files that are not named after a
timeframe (funding, trades) are none of its business.
"""

import contextlib
import difflib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from opportunity.errors import CoverageError, unknown
from opportunity.market.bars import Bars
from opportunity.market.files import Coverage, read_coverage, read_window, replace_file
from opportunity.market.quality import require_valid
from opportunity.market.resample import resample
from opportunity.market.symbols import file_name, parse_symbol
from opportunity.market.timeframe import (
    TIMEFRAMES,
    Timeframe,
    divides,
    length_ms,
    open_ms,
    require_milliseconds,
)
from opportunity.market.timeframe import timeframe as check_timeframe

N_LISTED: Final = 20
"""Symbols that an error lists; a store may hold thousands."""

_EXCHANGE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_FOLDER: Final = re.compile(r"[A-Z0-9]{1,20}(-[A-Z0-9]{1,20}){1,2}")


class BarStore:
    """Stored bars of one exchange.

    Parameters
    ----------
    root : path-like
        The exchange's folder itself or its parent.
    exchange : str, optional
        Name of the exchange's folder; needed where the parent holds several, and for a store
        that is yet to be written.

    Raises
    ------
    CoverageError
        If no exchange is named and `root` holds none or several.
    ValueError
        If the exchange's name is not made of letters, digits, ``_`` and ``-``.

    Notes
    -----
    Reading needs no lock: files are replaced whole. Writers of one store take turns, also
    across processes (POSIX).
    """

    def __init__(self, root: str | os.PathLike[str], exchange: str | None = None) -> None:
        if exchange is not None and not _EXCHANGE.fullmatch(exchange):
            raise ValueError(
                f"exchange must be letters, digits, '_' and '-', was {exchange[:60]!r}"
            )
        self._folder = _find(Path(root), exchange)

    @property
    def exchange(self) -> str:
        """Name of the exchange, e.g. ``binance``; the `source` of the bars."""
        return self._folder.name

    @property
    def folder(self) -> Path:
        """Folder of the exchange."""
        return self._folder

    def symbols(self, timeframe: str | None = None) -> list[str]:
        """Return the stored symbols in alphabetical order, those with `timeframe` if given."""
        wanted = None if timeframe is None else check_timeframe(timeframe)
        found = (parse_symbol(p.name) for p in _pairs(self._folder))
        return sorted(s for s in found if wanted is None or wanted in self.timeframes(s))

    def timeframes(self, symbol: str) -> list[Timeframe]:
        """Return the stored timeframes of a symbol, shortest first; empty when unknown."""
        folder = self._folder / file_name(symbol)
        return [t for t in TIMEFRAMES if (folder / f"{t}.parquet").is_file()]

    def coverage(self, symbol: str, timeframe: str) -> Coverage:
        """Tell what is stored, from the file's metadata.

        Raises
        ------
        CoverageError
            If nothing is stored under that name; the text lists what is there.
        BarError
            If the file is not a Parquet file of bars.
        """
        return read_coverage(self._path(symbol, timeframe))

    def read(
        self,
        symbol: str,
        timeframe: str,
        start: int | None = None,
        end: int | None = None,
        limit: int | None = None,
        check: bool = True,
    ) -> Bars:
        """Read stored bars.

        Parameters
        ----------
        symbol, timeframe : str
            What to read; it must be stored as such (see `load`).
        start, end : int, optional
            Opening times in [start, end), milliseconds UTC.
        limit : int, optional
            Only the newest so many of them.
        check : bool
            Whether to refuse bars that break a rule; without it `inspect` can report on them.

        Returns
        -------
        Bars
            Oldest first; none where the span holds none.

        Raises
        ------
        CoverageError
            If nothing is stored under that name; the text lists what is there.
        BarError
            If the file is not a Parquet file of valid bars.
        """
        if limit is not None and limit < 0:
            raise ValueError(f"limit must be >= 0, was {limit}")
        path = self._path(symbol, timeframe)
        bars = read_window(path, start, end, limit).label(
            timeframe=check_timeframe(timeframe), symbol=parse_symbol(symbol), source=self.exchange
        )
        if check:
            require_valid(bars)
        return bars

    def load(
        self,
        symbol: str,
        timeframe: str,
        start: int | None = None,
        end: int | None = None,
        limit: int | None = None,
    ) -> Bars:
        """Read bars, resampled from a shorter stored timeframe where that serves better.

        The stored timeframe itself is taken if it reaches over the wanted span, else the
        shortest one that does, else the one that covers most of it. Parameters and errors as
        `read`.
        """
        name = check_timeframe(timeframe)
        base, held = self._base(symbol, name, start, end, limit)
        if base == name:
            return self.read(symbol, name, start, end, limit)
        length = length_ms(name)
        first = None if start is None else open_ms(start + length - 1, name)
        last = None if end is None else open_ms(end - 1, name) + length
        # Cut bars at both ends cost up to one each: two more than asked leave enough whole ones.
        rows = None if limit is None else (limit + 2) * (length // length_ms(base))
        bars = self.read(symbol, base, first, last, rows)
        whole = resample(bars, name, now=held.last + length_ms(base)).between(first, end)
        return whole if limit is None else whole[max(0, len(whole) - limit) :]

    def write(self, bars: Bars) -> Coverage:
        """Merge bars into the stored ones; where both have a bar, the new one wins.

        Parameters
        ----------
        bars : Bars
            Valid bars with symbol and timeframe.

        Returns
        -------
        Coverage
            What is stored now.

        Raises
        ------
        BarError
            If the bars break a rule, or the stored file is not readable (it is left alone).
        ValueError
            If a label is missing or a time is not within 2009 to 2100.
        """
        if bars.timeframe is None or not bars.symbol:
            raise ValueError(
                "bars must have a symbol and a timeframe to be stored, "
                f"were {bars.symbol!r} and {bars.timeframe}"
            )
        require_valid(bars)
        require_milliseconds(bars.time)
        path = self._folder / file_name(bars.symbol) / f"{bars.timeframe}.parquet"
        with self._locked():
            merged = bars
            if path.is_file():
                merged = _merge(read_window(path, None, None, None), bars)
            replace_file(path, merged)
        return Coverage(
            *((int(merged.time[0]), int(merged.time[-1])) if len(merged) else (0, 0)), len(merged)
        )

    def _path(self, symbol: str, timeframe: str) -> Path:
        path = self._folder / file_name(symbol) / f"{check_timeframe(timeframe)}.parquet"
        if path.is_file():
            return path
        there = self.timeframes(symbol)
        if there:
            listed = "; ".join(f"{t}: {self.coverage(symbol, t)}" for t in there)
            raise CoverageError(
                f"{self.exchange} has no {timeframe} bars of {parse_symbol(symbol)}. "
                f"There: {listed}"
            )
        raise CoverageError(self._unknown(symbol))

    def _unknown(self, symbol: str) -> str:
        names, name = self.symbols(), parse_symbol(symbol)
        near = difflib.get_close_matches(name, names, n=1)
        listed = unknown(f"symbol of {self.exchange}", name, near or names[:N_LISTED])
        return f"{listed} ({len(names)} in all)"

    def _base(
        self, symbol: str, name: Timeframe, start: int | None, end: int | None, limit: int | None
    ) -> tuple[Timeframe, Coverage]:
        stored = self.timeframes(symbol)
        usable = [t for t in stored if t == name] + [
            t for t in stored if t != name and divides(t, name)
        ]
        held = {t: c for t in usable if (c := self.coverage(symbol, t)).n_bars}
        if not held:
            self._path(symbol, name)  # raises with what is there, or an empty file is read
            return name, Coverage(0, 0, 0)
        newest = max(c.last + length_ms(t) for t, c in held.items())
        until = open_ms(min(newest, newest if end is None else end), name)
        oldest = min(c.first for c in held.values())
        if start is not None:
            oldest = max(oldest, start)
        elif limit is not None:
            oldest = max(oldest, until - limit * length_ms(name))

        def missing(item: tuple[Timeframe, Coverage]) -> int:
            timeframe, c = item
            return max(0, c.first - oldest) + max(0, until - c.last - length_ms(timeframe))

        return min(held.items(), key=missing)  # the first of equals: stored, then shortest

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        import fcntl  # POSIX only, so that reading works elsewhere too

        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / ".lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)  # held by this opening: threads wait too
            yield


def _merge(old: Bars, new: Bars) -> Bars:
    time = np.concatenate([new.time, old.time])
    values = np.concatenate([new.values, old.values])
    kept, rows = np.unique(time, return_index=True)  # the first of equals: the new bar
    return Bars(kept, values[rows])


def _find(root: Path, exchange: str | None) -> Path:
    root = root.expanduser().absolute()
    if exchange is not None:
        inside = root / exchange
        return root if root.name == exchange and not inside.is_dir() else inside
    if next(_pairs(root), None):
        return root
    folders = sorted(p for p in root.iterdir() if p.is_dir()) if root.is_dir() else []
    found = [p for p in folders if next(_pairs(p), None)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise CoverageError(
            f"no bars are stored in {str(root)!r} yet: `opportunity fetch` downloads some, --data "
            "names another folder ({exchange}/{BASE-QUOTE}/{timeframe}.parquet inside), and "
            "--simulated SEED invents a market"
        )
    names = ", ".join(p.name for p in found)
    raise CoverageError(
        f"exchange must be named, one of {names}: {str(root)!r} holds several "
        "(on the command line: --exchange NAME)"
    )


def _pairs(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            if _FOLDER.fullmatch(path.name) and any(
                (path / f"{t}.parquet").is_file() for t in TIMEFRAMES
            ):
                yield path

"""What the detectors of a universe know besides bars, readable as of any close."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from copy import copy
from typing import Final

import numpy as np
from numpy.typing import NDArray

from opportunity.detectors.base import Detector
from opportunity.detectors.inputs import Observed
from opportunity.detectors.news_inputs import NewsInputs, NewsItem
from opportunity.market.bars import Bars, FloatArray
from opportunity.market.observations import Observation, Record, Trades
from opportunity.market.timeframe import DAY_MS, TimeArray, Timeframe, length_ms

PRINTS_MS: Final = DAY_MS
"""How far back prints are asked for and answered; there are too many to go back further."""


class Observers:
    """The `Inputs` of every detector that reads records.

    Parameters
    ----------
    detectors : sequence of Detector
        In weight order.
    symbols : tuple of str
        The universe.
    """

    def __init__(self, detectors: Sequence[Detector], symbols: tuple[str, ...]) -> None:
        self.symbols = symbols
        self._detectors = tuple(detectors)
        self._inputs = [d.new_inputs(symbols) for d in self._detectors]
        self._where = np.arange(len(symbols))  # index of each symbol in the inputs
        self._guard: AbstractContextManager[object] = nullcontext()

    def view(
        self, symbols: Sequence[str], lock: AbstractContextManager[object] | None = None
    ) -> "Observers":
        """Return the same knowledge of some symbols, for readers on other threads.

        Parameters
        ----------
        symbols : sequence of str
            Of this universe; they are the view's universe.
        lock : context manager, optional
            Held while something is read; the owner holds it while records are taken.
        """
        other = copy(self)
        other.symbols = tuple(symbols)
        places = {name: i for i, name in enumerate(self.symbols)}
        other._where = self._where[[places[name] for name in symbols]]
        other._guard = self._guard if lock is None else lock
        return other

    @property
    def needs(self) -> dict[type[Record], int]:
        """Kinds of records that any detector reads, and for how long one matters, in ms."""
        found: dict[type[Record], int] = {}
        for detector in self._detectors:
            for kind, memory in detector.needs.items():
                found[kind] = max(found.get(kind, 0), memory)
        return found

    @property
    def exists(self) -> NDArray[np.bool_]:
        """Detectors that have what they read, shape (n_detectors,)."""
        return np.array([i is None or i.connected for i in self._inputs])

    def take(self, records: Sequence[Record]) -> None:
        """Take records in the order of their availability.

        Raises
        ------
        ValueError
            If one became known before one that was taken earlier.
        """
        for inputs in self._inputs:
            if inputs is not None:
                inputs.take(records)

    def forget(self, now: int) -> None:
        """Let go of what charts and calibrations of the time before `now` do not ask for.

        They ask about closes of long ago: a detector answers for as long as records of its kinds
        matter to any detector, one of prints for `PRINTS_MS`.
        """
        needs = self.needs
        for detector, inputs in zip(self._detectors, self._inputs, strict=True):
            if inputs is not None:
                longest = max(needs[kind] for kind in detector.needs)
                inputs.forget(now - (PRINTS_MS if Trades in detector.needs else longest))

    def drain(self) -> list[Observation]:
        """Return records that the inputs made of others, to be kept in their place."""
        return [
            record
            for inputs in self._inputs
            if inputs is not None
            for record in inputs.drain()
        ]

    def rows(
        self, detector: int, symbols: NDArray[np.int64], timeframe: Timeframe, opened: TimeArray
    ) -> FloatArray:
        """Return what one detector knew at the close of each bar.

        Parameters
        ----------
        detector : int
            Index into the detectors.
        symbols : ndarray of int64, shape (n_rows,)
            Indices into the universe.
        timeframe : str
            Of all bars.
        opened : ndarray of int64, shape (n_rows, n_bars)
            Opening times.

        Returns
        -------
        ndarray, shape (n_rows, n_bars, n_columns)
            NaN where nothing was known.
        """
        inputs, width = self._inputs[detector], len(self._detectors[detector].columns)
        if inputs is None or not inputs.connected:
            return np.full((*opened.shape, width), np.nan)
        times = opened.reshape(-1)
        where = np.repeat(self._where[symbols], opened.shape[1])
        with self._guard:
            known = inputs.rows(where, times, times + length_ms(timeframe))
        return known.reshape(*opened.shape, width)

    def observed(self, bars: Bars) -> dict[str, Observed]:
        """Return what each detector that reads records knew at the close of each bar.

        Parameters
        ----------
        bars : Bars
            Of a symbol of this universe, with a timeframe.
        """
        if bars.symbol is None or bars.timeframe is None:
            raise ValueError(
                f"bars must carry a symbol and a timeframe, was {bars.symbol}, {bars.timeframe}"
            )
        row = np.array([self.symbols.index(bars.symbol)])
        exists, opened = self.exists, bars.time[None]
        return {
            detector.label: Observed(self.rows(i, row, bars.timeframe, opened)[0], bool(exists[i]))
            for i, detector in enumerate(self._detectors)
            if self._inputs[i] is not None
        }

    def known(self, symbol: str, opened: int, closed: int) -> dict[str, dict[str, float]]:
        """Return what was known of a symbol at one time, by detector and column.

        Parameters
        ----------
        symbol : str
            Of this universe.
        opened, closed : int
            Sums are over this span, all else is as of its end; ms UTC. A span of more than an
            hour begins on a full hour.

        Returns
        -------
        dict
            Detectors that have nothing to read are not in it; NaN where nothing was known.
        """
        where = self._where[[self.symbols.index(symbol)]]
        span = np.array([opened]), np.array([closed])
        with self._guard:
            return {
                detector.label: dict(
                    zip(detector.columns, inputs.rows(where, *span)[0].tolist(), strict=True)
                )
                for detector, inputs in zip(self._detectors, self._inputs, strict=True)
                if inputs is not None and inputs.connected
            }

    def headlines(self, symbol: str, since: int, until: int) -> list[NewsItem]:
        """Return headlines about a symbol that became known in [since, until), oldest first."""
        with self._guard:
            return [
                item
                for inputs in self._inputs
                if isinstance(inputs, NewsInputs)
                for item in inputs.items(symbol, since, until)
            ]

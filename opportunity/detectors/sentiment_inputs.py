"""What sentiment reads: records of a universe become one row of numbers for each close."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from opportunity.detectors.news_links import base_code, find_links, given_links
from opportunity.detectors.news_tone import checked_tone
from opportunity.detectors.news_tone import tone as read_tone
from opportunity.detectors.sentiment_series import Batch, Series
from opportunity.detectors.sentiment_tone import Tones
from opportunity.detectors.sentiment_windows import CHANGE, DEVIATION, GROWTH, RANK
from opportunity.market.bars import FloatArray
from opportunity.market.observations import (
    FearGreed,
    Funding,
    Headline,
    LongShort,
    Observation,
    OpenInterest,
    Record,
    SocialVolume,
)
from opportunity.market.timeframe import DAY_MS, HOUR_MS, TimeArray

COLUMNS: Final = (
    "fear_greed", "fear_greed_change", "fear_greed_fresh",
    "funding", "funding_fresh",
    "open_interest", "open_interest_fresh",
    "long_short", "long_short_fresh",
    "tone", "tone_fresh",
    "social", "social_fresh",
)  # fmt: skip
"""A value and how fresh it is, 1 to 0: NaN and NaN for an input that is not connected."""

_FRESH: Final = {c: COLUMNS.index(f"{c}_fresh") for c in COLUMNS if f"{c}_fresh" in COLUMNS}

NEEDS: Final[Mapping[type[Record], int]] = MappingProxyType({
    FearGreed: 20 * DAY_MS,
    Funding: 92 * DAY_MS,
    OpenInterest: 33 * DAY_MS,
    LongShort: 33 * DAY_MS,
    SocialVolume: 33 * DAY_MS,
    Headline: 5 * DAY_MS,
})  # fmt: skip
"""Kinds of records, and for how long one of each matters, ms: its window, until that is stale.

An input whose last record is older is not connected any more.
"""


class _Number(NamedTuple):
    """How records of one kind become a column."""

    kind: type[Observation]
    column: str
    measure: int
    half_life_ms: int
    read: Callable[[Any], float]
    lag_ms: int = 0


def _log(x: float) -> float:
    return float(np.log(x)) if x > 0.0 else float("nan")


def _mood(x: float) -> float:
    return float(x) if 0.0 <= x <= 100.0 else float("nan")


def _posts(x: float) -> float:
    return float(np.log1p(x)) if x >= 0.0 else float("nan")


_NUMBERS: Final = (
    _Number(FearGreed, "fear_greed", CHANGE, 24 * HOUR_MS, lambda r: _mood(r.value), DAY_MS),
    _Number(Funding, "funding", RANK, 8 * HOUR_MS, lambda r: float(r.rate)),
    _Number(OpenInterest, "open_interest", GROWTH, 2 * HOUR_MS, lambda r: _log(r.amount)),
    _Number(LongShort, "long_short", DEVIATION, 2 * HOUR_MS, lambda r: _log(r.ratio)),
    _Number(SocialVolume, "social", DEVIATION, 12 * HOUR_MS, lambda r: _posts(r.count)),
)


class SentimentInputs:
    """Records of a universe as rows for the kernel; see `Inputs`.

    Parameters
    ----------
    symbols : tuple of str
        The universe. Records of a contract (``BTC/USDT:USDT``) count for its pair and the other
        way round: the mood is the coin's.
    tone : callable, optional
        From a title to its tone in [-1, 1]; our word list by default.
    """

    def __init__(
        self, symbols: tuple[str, ...], tone: Callable[[str], float] | None = None
    ) -> None:
        pairs = [_pair(s) for s in symbols]
        self._places = {pair: i for i, pair in enumerate(dict.fromkeys(pairs))}
        self._keys = np.array([self._places[p] for p in pairs], np.int64)
        self._series: dict[type[Record], Series] = {
            n.kind: Series(
                n.measure, 1 if n.kind is FearGreed else len(self._places), n.half_life_ms,
                n.lag_ms,
            )
            for n in _NUMBERS
        }
        codes = [base_code(s) for s in symbols]
        self._coins = {code: i for i, code in enumerate(dict.fromkeys(codes))}
        self._coin_keys = np.array([self._coins[c] for c in codes], np.int64)
        self._tones = Tones(len(self._coins))
        self._tone = tone or read_tone
        self._titles: dict[tuple[int, str, str], int] = {}
        self._newest: dict[type[Record], int] = {}
        self._connected = False

    @property
    def connected(self) -> bool:
        """Whether any record has come that says something about this universe."""
        return self._connected

    def take(self, records: Sequence[Record]) -> None:
        """Add records in the order of their `available_at`; other kinds are passed over.

        So are repetitions, symbols outside the universe, and numbers that cannot be: not finite,
        a mood outside 0 to 100, an open interest or ratio that is not > 0, posts below 0.

        Raises
        ------
        ValueError
            If a record became known before one of its kind that was taken earlier; none of
            the records is taken then.
        """
        batches = {
            n.kind: self._batches(n, [r for r in records if isinstance(r, n.kind)])
            for n in _NUMBERS
        }
        headlines = [
            r for r in records if isinstance(r, Headline) and _name(r) not in self._titles
        ]
        self._require_order(Headline, np.array([h.available_at for h in headlines], np.int64))
        for kind, found in batches.items():
            self._connected |= bool(found)
            self._series[kind].take(found)
            self._note(kind, (b.known for b in found))
        for headline in headlines:
            self._take_headline(headline)

    def _batches(self, number: _Number, records: list[Any]) -> list[Batch]:
        """Gather records by key and source; refuse them if they are not in order."""
        kind = number.kind
        groups: dict[tuple[int, str], list[Any]] = {}
        for record in records:
            key = 0 if kind is FearGreed else self._places.get(_pair(record.symbol), -1)
            if key >= 0:
                groups.setdefault((key, record.source), []).append(record)
        found = []
        for (key, source), several in groups.items():
            known = np.array([r.available_at for r in several], np.int64)
            events = np.array([r.event_time for r in several], np.int64)
            values = np.array([number.read(r) for r in several])
            batch = Batch(key, source, known, events, values)
            kept = np.isfinite(values) & self._series[kind].new(batch)
            if kept.any():
                found.append(Batch(key, source, known[kept], events[kept], values[kept]))
        for batch in found:
            self._require_order(kind, batch.known)
        return found

    def _require_order(self, kind: type[Record], known: TimeArray) -> None:
        newest = self._newest.get(kind, 0)
        if known.size == 1 and known[0] >= newest:
            return
        before = np.concatenate(([newest], known))
        wrong = np.flatnonzero(np.diff(before) < 0)
        if wrong.size:
            i = int(wrong[0])
            raise ValueError(
                f"available_at of {kind.__name__} must not go back, "
                f"was {before[i + 1]} after {before[i]}"
            )

    def _note(self, kind: type[Record], known: Iterable[TimeArray]) -> None:
        newest = max((int(k[-1]) for k in known), default=0)
        self._newest[kind] = max(self._newest.get(kind, newest), newest)

    def _take_headline(self, headline: Headline) -> None:
        name = _name(headline)
        if name in self._titles:  # twice among those that came together
            return
        self._titles[name] = self._newest[Headline] = headline.available_at
        links = given_links(headline.symbols) if headline.symbols else find_links(headline.title)
        coins = {self._coins.get(c, -1) for c in links.codes | links.capitals} - {-1}
        if coins or links.market:
            said = checked_tone(self._tone(headline.title))
            self._tones.add(tuple(sorted(coins)), headline.available_at, said)
            self._connected = True

    def rows(self, symbols: NDArray[np.int64], opened: TimeArray, closed: TimeArray) -> FloatArray:
        """Return what was known at the close of each bar, in `COLUMNS`; see `Inputs`."""
        out = np.empty((closed.size, len(COLUMNS)))
        keys = self._keys[symbols]
        for number in _NUMBERS:
            mine = np.zeros_like(keys) if number.kind is FearGreed else keys
            columns = out[:, COLUMNS.index(number.column) : _FRESH[number.column] + 1]
            self._series[number.kind].write(mine, closed, NEEDS[number.kind], columns)
        columns = out[:, COLUMNS.index("tone") : _FRESH["tone"] + 1]
        self._tones.write(self._coin_keys[symbols], closed, NEEDS[Headline], columns)
        return out

    def drain(self) -> Sequence[Observation]:
        """Return nothing: what is read here is kept as it came."""
        return ()

    def forget(self, before: int) -> None:
        """Let go of what no close from `before` on can need; see `Inputs`."""
        for kind, series in self._series.items():
            series.forget(before, NEEDS[kind])
        self._tones.forget(before)
        self._titles = {k: t for k, t in self._titles.items() if t >= before - NEEDS[Headline]}


def _pair(symbol: str) -> str:
    return symbol.partition(":")[0]


def _name(headline: Headline) -> tuple[int, str, str]:
    return headline.event_time, headline.source, headline.title

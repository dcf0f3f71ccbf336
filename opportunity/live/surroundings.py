"""What is known of a universe besides bars: moods, headlines, and the flow of large prints."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from opportunity.contracts import DETECTOR_NAMES
from opportunity.detectors.news_inputs import NewsItem
from opportunity.detectors.whales_inputs import COLUMNS
from opportunity.live.context import Context, context_of
from opportunity.live.observers import Observers
from opportunity.market.bars import FloatArray
from opportunity.market.observations import FearGreed
from opportunity.market.timeframe import DAY_MS, HOUR_MS, MINUTE_MS, TimeArray

N_HOURS: Final = 24
"""Hours of flow, the one that has begun among them."""

SPAN_MS: Final = 5 * MINUTE_MS
"""Of each such span the largest print of a symbol is known, not every print."""

MOST_PRINTS: Final = 400
"""Large prints, the largest of a day."""

MOST_HEADLINES: Final = 200
FLOW: Final = ("buy", "sell", "large_buy", "large_sell")
"""Columns of `Surroundings.flow`."""

_WHALES: Final = DETECTOR_NAMES.index("whales")
_FLOW: Final = [COLUMNS.index(name) for name in FLOW]
_LARGEST: Final = [COLUMNS.index(name) for name in ("largest", "price")]


@dataclass(frozen=True, slots=True)
class LargePrint:
    """The largest print of a symbol in a span.

    Parameters
    ----------
    symbol : str
    opened, closed : int
        The span, ms UTC; it became known at the second at the latest.
    amount : float
        Base currency, > 0 where the buyer took the offer, else < 0.
    price : float
        Quote currency.
    """

    symbol: str
    opened: int
    closed: int
    amount: float
    price: float

    @property
    def value(self) -> float:
        """What was paid, quote currency."""
        return abs(self.amount) * self.price


@dataclass(frozen=True, slots=True)
class Told:
    """A headline with the watched symbols that it names; none where it is about the market."""

    item: NewsItem
    symbols: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """What was known of a universe at one time.

    Parameters
    ----------
    source : str
        Stamp of the market, e.g. ``simulated``.
    time : int
        Market time, ms UTC.
    contexts : tuple of Context
        By symbol; without headlines.
    headlines : tuple of Told
        Newest first, each once.
    hours : ndarray of int64, shape (n_hours,)
        When each hour begins, ms UTC; the newest may be unfinished.
    flow : ndarray, shape (n_symbols, n_hours, 4)
        Base currency by `FLOW`; NaN where nothing is known.
    prints : tuple of LargePrint
        The largest of the last day, newest first.
    moods : tuple of FearGreed
        Oldest first; of the whole market.
    problem : str
        Why moods could not be read; empty while all is well.
    """

    source: str
    time: int
    contexts: tuple[Context, ...]
    headlines: tuple[Told, ...]
    hours: TimeArray
    flow: FloatArray
    prints: tuple[LargePrint, ...]
    moods: tuple[FearGreed, ...] = ()
    problem: str = ""

    @property
    def symbols(self) -> tuple[str, ...]:
        """The universe."""
        return tuple(one.symbol for one in self.contexts)


def surroundings_of(observers: Observers, source: str, now: int) -> Surroundings:
    """Gather what is known of all symbols.

    Symbol by symbol: whoever feeds the observers waits for one of them at most.

    Parameters
    ----------
    observers : Observers
        With a lock, where another thread feeds them.
    source : str
        Stamp of the market.
    now : int
        Market time, ms UTC.
    """
    symbols = observers.symbols
    hours = now - now % HOUR_MS - HOUR_MS * np.arange(N_HOURS - 1, -1, -1, dtype=np.int64)
    flow = np.full((len(symbols), N_HOURS, len(FLOW)), np.nan)
    contexts: list[Context] = []
    prints: list[LargePrint] = []
    told: dict[tuple[str, str, int], tuple[NewsItem, list[str]]] = {}
    for i, symbol in enumerate(symbols):
        known = context_of(observers, symbol, source, now, MOST_HEADLINES)
        for item in known.headlines:
            _, names = told.setdefault((item.title, item.publisher, item.known_at), (item, []))
            if item.link >= 1.0:
                names.append(symbol)
        flow[i] = observers.rows(_WHALES, np.array([i]), "1h", hours[None])[0][:, _FLOW]
        prints += _prints(observers, i, now)
        contexts.append(_bare(known))
    largest = sorted(prints, key=lambda one: -one.value)[:MOST_PRINTS]
    headlines = sorted(told.values(), key=lambda pair: -pair[0].known_at)[:MOST_HEADLINES]
    return Surroundings(
        source, now, tuple(contexts), tuple(Told(item, tuple(names)) for item, names in headlines),
        hours, flow, tuple(sorted(largest, key=lambda one: (-one.opened, -one.value))),
    )  # fmt: skip


def _bare(known: Context) -> Context:
    """Leave the headlines out: they are gathered of all symbols together."""
    return replace(known, headlines=())


def _prints(observers: Observers, place: int, now: int) -> Iterator[LargePrint]:
    end = now - now % MINUTE_MS
    opened = end - SPAN_MS * np.arange(DAY_MS // SPAN_MS, 0, -1, dtype=np.int64)
    opened -= opened[0] % SPAN_MS  # so that a span is the same one, whenever it is asked for
    rows = observers.rows(_WHALES, np.array([place]), "5m", opened[None])[0][:, _LARGEST]
    for start, (amount, price) in zip(opened.tolist(), rows.tolist(), strict=True):
        if abs(amount) * price > 0:  # neither NaN nor 0, which is no print
            yield LargePrint(observers.symbols[place], start, start + SPAN_MS, amount, price)

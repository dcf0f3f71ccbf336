"""What is known of a symbol besides its bars: the mood, what is said, what large traders do."""

from dataclasses import dataclass
from typing import Final

from opportunity.detectors.news_inputs import NewsItem
from opportunity.live.observers import Observers
from opportunity.market.timeframe import DAY_MS, HOUR_MS, MINUTE_MS

HEADLINES_MS: Final = 4 * DAY_MS
"""How old a headline may be: the longest that one counts."""

NAN: Final = float("nan")

MOODS: Final = ((25, "extreme fear"), (47, "fear"), (55, "neutral"), (76, "greed"))
"""Classes of Fear & Greed, each below its number; from the last on it is extreme greed."""


@dataclass(frozen=True, slots=True)
class Context:
    """What was known of a symbol at one time; NaN where it was not.

    Parameters
    ----------
    symbol, source : str
        The source is the stamp of the market, e.g. ``simulated``.
    time : int
        Market time, ms UTC.
    fear_greed, fear_greed_change : float
        Of the whole market, 0 to 100; points in seven days.
    funding : float
        Rank of the funding rate in its own last 90 days, [-1, 1].
    open_interest, long_short : float
        Standard deviations from usual.
    bought, sold, large_bought, large_sold : float
        By takers in the last 24 hours, base currency; the large ones are prints above the 99th
        percentile.
    vpin : float
        How one-sided volume is, [0, 1].
    imbalance : float
        Of the book near the price, median of the last day's minutes, [-1, 1]; + more bids.
    headlines : tuple of NewsItem
        Newest first.
    """

    symbol: str
    source: str
    time: int
    fear_greed: float = NAN
    fear_greed_change: float = NAN
    funding: float = NAN
    open_interest: float = NAN
    long_short: float = NAN
    bought: float = NAN
    sold: float = NAN
    large_bought: float = NAN
    large_sold: float = NAN
    vpin: float = NAN
    imbalance: float = NAN
    headlines: tuple[NewsItem, ...] = ()

    @property
    def mood(self) -> str:
        """Class of Fear & Greed, empty while it is not known."""
        if self.fear_greed != self.fear_greed:
            return ""
        return next((name for end, name in MOODS if self.fear_greed < end), "extreme greed")


def context_of(observers: Observers, symbol: str, source: str, now: int, most: int) -> Context:
    """Gather what is known of a symbol.

    Parameters
    ----------
    observers : Observers
        With a lock, where another thread feeds them.
    symbol, source, now
        As of `Context`; the sums are over the 24 full hours before `now` and the hour begun.
    most : int
        Headlines that are wanted.
    """
    day = now - now % HOUR_MS - DAY_MS
    known = observers.known(symbol, day, now - now % MINUTE_MS)
    said = observers.headlines(symbol, now - HEADLINES_MS, now + 1)
    mood, flow = known.get("sentiment", {}), known.get("whales", {})
    return Context(
        symbol=symbol, source=source, time=now,
        fear_greed=mood.get("fear_greed", NAN),
        fear_greed_change=mood.get("fear_greed_change", NAN),
        funding=mood.get("funding", NAN),
        open_interest=mood.get("open_interest", NAN),
        long_short=mood.get("long_short", NAN),
        bought=flow.get("buy", NAN), sold=flow.get("sell", NAN),
        large_bought=flow.get("large_buy", NAN), large_sold=flow.get("large_sell", NAN),
        vpin=flow.get("vpin", NAN), imbalance=flow.get("imbalance", NAN),
        headlines=tuple(reversed(said[-most:] if most else [])),
    )

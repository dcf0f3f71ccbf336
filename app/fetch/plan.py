"""Which streams a person means: names are checked against what the venue has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from opportunity.errors import unknown
from opportunity.feeds.exchange.history.origin import longest_within
from opportunity.feeds.exchange.history.paging import Answering
from opportunity.feeds.exchange.history.reports import Stream
from opportunity.feeds.exchange.history.spans import Span
from opportunity.feeds.exchange.universe import Listed
from opportunity.market.timeframe import EARLIEST_MS, Timeframe, length_ms, utc_text


@dataclass(slots=True)
class Plan:
    """What will be downloaded.

    Parameters
    ----------
    streams : list of Stream
        Each once, of timeframes that the venue has; the longest first, as they are the soonest
        of use.
    notes : list of str
        What a person should know before.
    errors : dict of str to str
        Why a symbol is left out.
    """

    streams: list[Stream] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)

    def sizes(self, span: Span) -> dict[Stream, int]:
        """Return how many bars each stream has in a span without gaps."""
        return {s: (span[1] - span[0]) // length_ms(s.timeframe) for s in self.streams}


def make_plan(
    venue: Answering, markets: Mapping[str, Listed], symbols: Sequence[str],
    timeframes: Sequence[Timeframe],
) -> Plan:
    """Check names and find out what has to be asked for.

    Raises
    ------
    ValueError
        If a timeframe can be made of no bars that the venue has.
    """
    plan = Plan()
    frames: list[Timeframe] = []
    for name in dict.fromkeys(timeframes):
        served = longest_within(venue, name, ())
        if served != name:
            plan.notes.append(f"{venue.name} has no {name} bars: they are made of {served}")
        if served not in frames:
            frames.append(served)
    known: list[str] = []
    for symbol in dict.fromkeys(symbols):
        if symbol in markets:
            known.append(symbol)
        else:
            names = _near(symbol, markets)
            plan.errors[symbol] = unknown(f"symbol of {venue.name}", symbol, names)
    frames.sort(key=length_ms, reverse=True)
    plan.streams = [Stream(s, t) for t in frames for s in known]
    return plan


def checked_span(since: int, until: int | None, now: int) -> Span:
    """Check the dates of a download.

    Parameters
    ----------
    since, until : int
        As given, ms UTC; None: up to now.
    now : int
        The exchange's time, ms UTC.

    Raises
    ------
    ValueError
        If `since` is before 2009, in the future, or not before `until`.
    """
    if not EARLIEST_MS <= since < now:
        raise ValueError(
            f"since must lie between 2009 and now ({utc_text(now // 60_000 * 60_000)}), "
            f"was {utc_text(since)}"
        )
    if until is None:
        return since, now
    if until <= since:
        raise ValueError(f"until must be later than since, was {utc_text(until)}")
    return since, min(until, now)


def _near(symbol: str, markets: Mapping[str, Listed]) -> list[str]:
    """Return the markets that a wrong name may mean: of the same base if there are any."""
    base = symbol.partition("/")[0]
    same = [name for name, market in markets.items() if market.base == base]
    return same or list(markets)[:2_000]

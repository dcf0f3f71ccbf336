"""Asking for funding: few histories, no end of the feed when a venue has none."""

from collections.abc import Sequence

from opportunity.errors import OpportunityError
from opportunity.feeds.clock import Clock
from opportunity.feeds.exchange.lines.funding import (
    AT_ONCE,
    MOST_PASTS,
    PAST_MS,
    load_funding,
    poll_funding,
)
from opportunity.market.observations import Funding, Record
from opportunity.market.timeframe import HOUR_MS
from tests.feeds.exchange.wires import START


class Kept:
    def __init__(self) -> None:
        self.records: list[Record] = []
        self.is_asked = False

    def add(self, record: Record) -> None:
        self.records.append(record)

    def asked(self, kind: type[Record]) -> bool:
        return self.is_asked and kind is Funding


class Rates:
    def __init__(self, fails: bool = False) -> None:
        self.clock = Clock(START)
        self.fails = fails
        self.spans: list[tuple[str, int, int]] = []

    async def funding(self, symbols: Sequence[str]) -> list[Funding]:
        if self.fails:
            raise OpportunityError("none here")
        return [Funding(START - HOUR_MS, START - 5, "testing", s, 1e-4) for s in symbols]

    async def funding_history(self, symbol: str, since: int, until: int) -> list[Funding]:
        self.spans.append((symbol, since, until))
        if self.fails:
            raise OpportunityError("none here")
        early, late = START - 2 * HOUR_MS, START + HOUR_MS
        return [Funding(t, t, "testing", symbol, 1e-4) for t in (early, late)]


async def test_the_past_of_the_first_symbols_is_asked_for() -> None:
    venue, tape = Rates(), Kept()
    symbols = [f"A{i}/USDT" for i in range(MOST_PASTS + 5)]
    await load_funding(venue, symbols, tape)
    assert venue.spans == [(s, START - PAST_MS, START) for s in symbols[:MOST_PASTS]]
    known = [r.available_at for r in tape.records if isinstance(r, Funding)]
    assert known == [START - 2 * HOUR_MS] * MOST_PASTS  # nothing of the future


async def test_a_venue_without_funding_is_not_pressed_and_ends_nothing() -> None:
    venue, tape = Rates(fails=True), Kept()
    await load_funding(venue, [f"A{i}/USDT" for i in range(20)], tape)
    await poll_funding(venue, ["A/USDT"], tape)
    assert len(venue.spans) <= AT_ONCE
    assert tape.records == []


async def test_a_rate_counts_from_when_it_was_heard() -> None:
    venue, tape = Rates(), Kept()
    await poll_funding(venue, ["A/USDT"], tape)
    assert tape.records == [Funding(START - HOUR_MS, START, "testing", "A/USDT", 1e-4)]


async def test_nothing_is_asked_for_when_the_past_would_come_too_late() -> None:
    venue, tape = Rates(), Kept()
    tape.is_asked = True
    await load_funding(venue, ["A/USDT"], tape)
    assert venue.spans == []

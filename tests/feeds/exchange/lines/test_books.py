"""Snapshots of order books."""

import asyncio
import math
from typing import Any

import pytest

from opportunity.errors import OpportunityError
from opportunity.feeds.exchange.lines import books
from opportunity.feeds.exchange.lines.books import (
    DEPTH,
    BookSubject,
    BookTurns,
    Levels,
    levels,
    parsed_book,
    sane,
)
from opportunity.market.observations import OrderBook
from tests.feeds.exchange.wires import START, Heard, PuppetVenue

BID, ASK = ((10.0, 1.0),), ((11.0, 1.0),)


def told(nonce: int | None = 1, bids: Any = ((10.0, 1.0),), asks: Any = ((11.0, 1.0),)) -> Any:
    return {"bids": [[*b] for b in bids], "asks": [[*a] for a in asks], "nonce": nonce,
            "timestamp": START - 5}  # fmt: skip


@pytest.mark.parametrize(("bids", "asks", "fine"), [
    (BID, ASK, True), ((), ASK, False), (BID, (), False), (((12.0, 1.0),), ASK, False),
    (((11.0, 1.0),), ASK, True), (((10.0, math.nan),), ASK, False), (((0.0, 1.0),), ASK, False),
    (BID, ((math.inf, 1.0),), False), (BID, ((11.0, -1.0),), False), (BID, ((11.0, 1e19),), False),
])  # fmt: skip
def test_only_books_that_can_be_are_sane(bids: Levels, asks: Levels, fine: bool) -> None:
    assert sane(OrderBook(START, START, "testing", "A/USDT", bids, asks)) is fine


def test_levels_are_cut_and_emptied_ones_left_out() -> None:
    said = [[100.0 - i, 0.0 if i == 3 else 1.0] for i in range(60)]
    read = levels(said)
    assert len(read) == DEPTH
    assert read[3] == (96.0, 1.0)
    assert levels(None) == ()


def test_a_book_is_copied_with_the_time_of_the_venue() -> None:
    said = told()
    book = parsed_book(said, "A/USDT", "testing", START)
    said["bids"][0][0] = 99.0
    assert book == OrderBook(START - 5, START, "testing", "A/USDT", BID, ASK)
    said["timestamp"] = None
    assert parsed_book(said, "A/USDT", "testing", START).event_time == START
    said["timestamp"] = START + 1_000  # its clock is ahead
    assert parsed_book(said, "A/USDT", "testing", START).event_time == START


async def test_streamed_books_are_given_when_they_have_changed() -> None:
    venue, heard = PuppetVenue(["A/USDT", "B/USDT"]), Heard()
    subject = BookSubject(venue, heard, each_s=0.0)
    stream = venue.stream()
    stream.orderbooks = {"A/USDT": told(1), "B/USDT": told(1, bids=())}
    symbols = ["A/USDT", "B/USDT", "C/USDT"]
    assert subject.take(stream, symbols, None) == 1
    assert subject.take(stream, symbols, None) == 0
    stream.orderbooks = {"A/USDT": told(2), "B/USDT": told(1)}
    assert subject.take(stream, symbols, None) == 2
    stream.orderbooks = {"A/USDT": told(None)}  # a venue that does not number them
    assert subject.take(stream, symbols, None) == 1
    assert subject.take(stream, symbols, None) == 0  # nothing new: it may have stopped to come
    stream.orderbooks = {"A/USDT": told(None, asks=((11.0, 2.0),))}
    assert subject.take(stream, symbols, None) == 1
    stream.orderbooks["A/USDT"]["timestamp"] += 1
    assert subject.take(stream, symbols, None) == 1
    assert {b.symbol for b in heard.books} == {"A/USDT", "B/USDT"}


async def test_streamed_books_are_looked_at_now_and_then() -> None:
    venue, heard = PuppetVenue(["A/USDT"]), Heard()
    subject = BookSubject(venue, heard, each_s=60.0)
    stream = venue.stream()
    venue.script.steps["A/USDT"] = [[1], [1]]
    await subject.watch(stream, ["A/USDT"])  # the first at once
    stream.orderbooks = {"A/USDT": told()}
    subject.take(stream, ["A/USDT"], None)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(subject.watch(stream, ["A/USDT"]), 0.05)
    subject.begin(stream)  # a new object: at once again
    await asyncio.wait_for(subject.watch(stream, ["A/USDT"]), 30)


async def test_turns_go_round_and_a_refusal_or_a_crossed_book_does_not_end_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(books, "REFUSED_S", 0.0)
    symbols = [f"A{i}/USDT" for i in range(3)]
    venue, heard = PuppetVenue(symbols), Heard()
    crossed = OrderBook(START, START, "testing", "A1/USDT", ASK, BID)
    venue.book_answers = [OpportunityError("no"), crossed]
    task = asyncio.ensure_future(BookTurns(venue, symbols, heard, each_s=0.003).run())
    await heard.until(lambda: len(heard.books) >= 3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert venue.books_asked[:5] == [*symbols, *symbols][:5]
    assert [b.symbol for b in heard.books[:3]] == ["A2/USDT", "A0/USDT", "A1/USDT"]
    assert all(b.available_at == START for b in heard.books)


def test_turns_never_ask_more_often_than_the_gap() -> None:
    heard = Heard.__new__(Heard)
    few = BookTurns(PuppetVenue([]), ["A/USDT"] * 10, heard)
    many = BookTurns(PuppetVenue([]), ["A/USDT"] * 200, heard)
    assert few._gap_s == pytest.approx(1.0)
    assert many._gap_s == pytest.approx(0.5)


async def test_turns_of_nothing_end() -> None:
    await BookTurns(PuppetVenue([]), [], Heard()).run()


@pytest.mark.parametrize(("name", "batch"), [("bybit", 10), ("okx", 50), ("kraken", 50)])
def test_as_many_books_are_asked_for_at_once_as_the_venue_takes(name: str, batch: int) -> None:
    venue = PuppetVenue(["A/USDT"])
    venue.name = name
    assert BookSubject(venue, Heard()).batch == batch

"""The tape: nothing before it was heard, nothing twice, nothing without end."""

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opportunity.errors import OpportunityError
from opportunity.feeds.clock import Clock
from opportunity.feeds.exchange.lines.tape import DEPTH, N_BEATS, Tape
from opportunity.live.gatherer import _not_before
from opportunity.market.observations import (
    FearGreed,
    Funding,
    Heartbeat,
    OrderBook,
    Record,
    Trades,
)
from opportunity.market.timeframe import DAY_MS, HOUR_MS, MINUTE_MS
from tests.feeds.exchange.wires import START

SYMBOLS = ("A/USDT", "B/USDT")


class Now:
    """A time to set."""

    def __init__(self) -> None:
        self.ms = START

    def __call__(self) -> int:
        return self.ms


def block(symbol: str, times: Sequence[int]) -> Trades:
    n = len(times)
    return Trades(
        "testing", symbol, np.array(times, np.int64), np.arange(1.0, n + 1), np.ones(n),
        np.ones(n, np.int8),
    )  # fmt: skip


def book(symbol: str, at: int, levels: int = 2) -> OrderBook:
    bids = tuple((10.0 - i, 1.0 + i) for i in range(levels))
    asks = tuple((11.0 + i, 1.0 + i) for i in range(levels))
    return OrderBook(at - 7, at, "testing", symbol, bids, asks)


def test_prints_are_available_when_heard_and_keep_their_own_time() -> None:
    now = Now()
    tape = Tape(SYMBOLS, "testing", now)
    now.ms = START + 500
    tape.add(block("A/USDT", [START + 100, START + 300]))
    assert tape.between((Trades,), START, START + 500) == []
    (heard,) = tape.between((Trades,), START + 500, START + 501)
    assert isinstance(heard, Trades)
    assert heard.time.tolist() == [START + 100, START + 300]
    assert (heard.symbol, heard.source) == ("A/USDT", "testing")


def test_blocks_of_one_symbol_are_merged_in_the_order_of_their_time() -> None:
    now = Now()
    tape = Tape(SYMBOLS, "testing", now)
    tape.add(block("A/USDT", [START - 50]))
    tape.add(block("B/USDT", [START - 40]))
    now.ms += 10
    tape.add(block("A/USDT", [START - 60, START - 45]))
    found = tape.between((Trades,), START, START + 100)
    assert [(b.symbol, b.time.tolist()) for b in found if isinstance(b, Trades)] == [
        ("A/USDT", [START - 60, START - 50, START - 45]), ("B/USDT", [START - 40]),
    ]  # fmt: skip


def test_a_print_ahead_of_our_clock_gets_our_time() -> None:
    tape = Tape(SYMBOLS, "testing", Now())
    tape.add(block("A/USDT", [START - 1, START + 5_000]))
    (heard,) = tape.between((Trades,), START, START + 1)
    assert isinstance(heard, Trades)
    assert heard.time.tolist() == [START - 1, START]


@given(st.lists(st.tuples(st.integers(0, 900), st.integers(0, 2000), st.booleans()), max_size=40))
def test_asking_in_steps_gives_each_print_once_and_the_agent_gets_them_in_order(
    steps: list[tuple[int, int, bool]],
) -> None:
    now = Now()
    tape = Tape(SYMBOLS, "testing", now)
    asked, times, n = START, [], 0
    for step, ago, ask in steps:
        now.ms += step
        tape.add(block("A/USDT", [now.ms - ago]))
        n += 1
        if ask:
            until = now.ms - 300 + 1  # the agent asks for the close of a bar, a little later
            if until > asked:
                for found in tape.between((Trades,), asked, until):
                    times += _not_before(found, asked).time.tolist()  # type: ignore[union-attr]
                asked = until
    for found in tape.between((Trades,), asked, now.ms + 10_000):
        times += _not_before(found, asked).time.tolist()  # type: ignore[union-attr]
    assert len(times) == n
    assert times == sorted(times)


def test_what_is_heard_after_its_span_was_asked_for_comes_with_the_next() -> None:
    tape = Tape(SYMBOLS, "testing")  # without a clock
    assert tape.between((Trades, OrderBook), START, START + 1_000) == []
    tape.add(block("A/USDT", [START + 100]))
    tape.add(book("A/USDT", START + 100))
    found = tape.between((Trades, OrderBook), START + 1_000, START + 2_000)
    assert {type(r) for r in found} == {Trades, OrderBook}
    assert [r.available_at for r in found if isinstance(r, OrderBook)] == [START + 1_000]


def test_books_are_given_as_they_came() -> None:
    tape = Tape(SYMBOLS, "testing", Now())
    tape.add(book("B/USDT", START))
    assert tape.between((OrderBook,), START, START + 1) == [book("B/USDT", START)]
    assert tape.between((Trades,), START, START + 1) == []
    deep = Tape(SYMBOLS, "testing", Now())
    deep.add(book("B/USDT", START, DEPTH + 5))
    (cut,) = deep.between((OrderBook,), START, START + 1)
    assert isinstance(cut, OrderBook)
    assert (len(cut.bids), len(cut.asks)) == (DEPTH, DEPTH)


def test_others_symbols_and_kinds_are_passed_over() -> None:
    tape = Tape(SYMBOLS, "testing", Now())
    for record in (
        block("C/USDT", [START]), book("C/USDT", START), block("A/USDT", []),
        Funding(START, START, "testing", "C/USDT", 0.1), FearGreed(START, START, "testing", 5),
    ):  # fmt: skip
        tape.add(record)
    kinds: tuple[type[Record], ...] = (Trades, OrderBook, Funding, FearGreed)
    assert tape.between(kinds, 0, START * 2) == []


def test_memory_is_bounded_and_what_nobody_asked_for_is_counted() -> None:
    now = Now()
    tape = Tape(SYMBOLS, "testing", now, n_prints=100, n_books=10)
    for _ in range(200):
        now.ms += 1
        tape.add(block("A/USDT", [now.ms]))
        tape.add(book("A/USDT", now.ms))
    assert tape.n_dropped == 100 + 190
    found = tape.between((Trades, OrderBook), START, now.ms + 1)
    assert sum(len(r) for r in found if isinstance(r, Trades)) == 100
    assert sum(isinstance(r, OrderBook) for r in found) == 10
    for _ in range(100):
        now.ms += 1
        tape.add(block("A/USDT", [now.ms]))
    assert tape.n_dropped == 290  # the ones that went had been asked for


def test_a_rate_that_is_told_over_and_over_is_kept_once_a_settlement() -> None:
    tape = Tape(SYMBOLS, "testing")
    first = START - START % (8 * HOUR_MS)
    for k in range(12 * 6):  # each ten minutes for twelve hours, creeping
        at = first + k * 10 * MINUTE_MS
        tape.add(Funding(at, at, "testing", "A/USDT", 1e-4 + 1e-7 * k))
    noon = first + 12 * HOUR_MS
    found = tape.between((Funding,), first, noon)
    assert [r.event_time - first for r in found if isinstance(r, Funding)] == [0, 8 * HOUR_MS]
    at = first + 13 * HOUR_MS
    tape.add(Funding(at, at, "testing", "A/USDT", 3e-4))  # but a leap is news
    assert len(tape.between((Funding,), noon, at + 1)) == 1


class Perpetuals:
    """What `Tape` asks of a venue for funding."""

    def __init__(self, speed: float = 1.0) -> None:
        self.clock = Clock(START, speed)
        self.rate = 1e-4
        self.fails = False
        self.asked = asyncio.Event()
        self.histories: list[str] = []

    async def funding(self, symbols: Sequence[str]) -> list[Funding]:
        self.asked.set()
        if self.fails:
            raise OpportunityError("no")
        return [Funding(START + HOUR_MS, START, "testing", s, self.rate) for s in symbols]

    async def funding_history(self, symbol: str, since: int, until: int) -> list[Funding]:
        self.histories.append(symbol)
        first = since + HOUR_MS
        return [
            Funding(t, t, "testing", symbol, t % 97 / 1e6) for t in range(first, until, 8 * HOUR_MS)
        ]


async def test_past_funding_is_there_for_the_first_question() -> None:
    tape, venue = Tape(SYMBOLS, "testing"), Perpetuals()
    await tape.load(venue)
    found = tape.between((Funding,), START - 100 * DAY_MS, START + 1)
    assert len(found) == 2 * 90 * 3  # sentiment needs 90 of each symbol to rank a rate
    known = [r.available_at for r in found if isinstance(r, Funding)]
    assert known == sorted(known)
    assert max(known) <= START


async def test_past_funding_is_not_told_as_news_once_it_was_asked_for() -> None:
    tape, venue = Tape(SYMBOLS, "testing"), Perpetuals()
    tape.between((Funding,), START - DAY_MS, START + 1)
    await tape.load(venue)
    assert venue.histories == []
    assert tape.between((Funding,), START, START + DAY_MS) == []


async def test_polling_tells_each_rate_once_and_beats_while_something_is_heard() -> None:
    tape, venue = Tape(SYMBOLS, "testing"), Perpetuals(speed=60_000.0)
    venue.clock.start()
    task = asyncio.ensure_future(tape.poll(venue))
    async with asyncio.timeout(5.0):
        await asyncio.sleep(0)
        tape.add(block("A/USDT", [START]))
        for _ in range(3):
            venue.asked.clear()
            await venue.asked.wait()
        venue.rate, venue.fails = 2e-4, True
        for _ in range(2):
            venue.asked.clear()
            await venue.asked.wait()
        venue.fails = False
        for _ in range(2):
            venue.asked.clear()
            await venue.asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    found = tape.between((Funding, Heartbeat), START - DAY_MS, START + 100 * DAY_MS)
    rates = [(r.symbol, r.rate) for r in found if isinstance(r, Funding) and r.available_at > START]
    new = [r for r in rates if r[1] in (1e-4, 2e-4)]
    assert sorted(new) == [(s, rate) for s in SYMBOLS for rate in (1e-4, 2e-4)]
    beats = [r for r in found if isinstance(r, Heartbeat)]
    assert [b.of for b in beats] == ["trades"]
    assert all(b.event_time % MINUTE_MS >= 0 for b in beats)


def test_what_comes_singly_is_bounded_and_found_again_by_when_it_was_heard():
    tape = Tape(("A/B",), "x", lambda: START)
    for i in range(2 * N_BEATS):
        tape.add(Heartbeat(START + i, START + i, "x", "trades"))
        tape.add(Funding(START + i * DAY_MS, START + i, "x", "A/B", 1e-4))
    beats = tape.between((Heartbeat,), 0, START + DAY_MS)
    assert [b.available_at - START for b in beats] == list(range(N_BEATS, 2 * N_BEATS))
    some = tape.between((Funding, Heartbeat), START + N_BEATS, START + N_BEATS + 3)
    assert sorted(type(r).__name__ for r in some) == ["Funding"] * 3 + ["Heartbeat"] * 3
    assert [r.available_at for r in some] == sorted(r.available_at for r in some)
    tape.add(Heartbeat(START, START, "x", "trades"))  # heard after the last one
    assert len(tape.between((Heartbeat,), START + DAY_MS, START + 2 * DAY_MS)) == 1

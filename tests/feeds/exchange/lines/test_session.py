"""One ccxt object, on strings: every way in which it can end, and that it is closed each time."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from opportunity.errors import OpportunityError
from opportunity.feeds.exchange.lines.session import Session
from opportunity.feeds.exchange.lines.subjects import BarSubject
from opportunity.feeds.exchange.lines.waits import Silence
from tests.feeds.exchange.wires import (
    START,
    BadSymbol,
    Heard,
    InvalidNonce,
    NetworkError,
    Puppet,
    PuppetVenue,
)

SYMBOLS = ("A/USDT", "B/USDT")


class Case:
    """A session under way."""

    def __init__(self, name: str = "binance", silence: Silence | None = None) -> None:
        self.venue, self.heard, self.connects = PuppetVenue(SYMBOLS, name), Heard(), 0
        subject = BarSubject(self.venue, SYMBOLS, (0, 1), "1m", self.heard)
        batches = [SYMBOLS] if subject.batch > 1 else [(s,) for s in SYMBOLS]
        self.session = Session(
            self.venue, subject, batches, silence or Silence(5.0, 5.0), self._connected
        )

    def _connected(self) -> None:
        self.connects += 1

    @property
    def stream(self) -> Puppet:
        return self.venue.streams[0]

    async def ended(self) -> str:
        async with asyncio.timeout(5.0):
            await self.session.over.wait()
        assert self.session.end is not None
        return self.session.end.why


@asynccontextmanager
async def under_way(case: Case) -> AsyncIterator[Case]:
    task = asyncio.ensure_future(case.session.run())
    await case.venue.until(lambda: bool(case.venue.streams) and bool(case.stream.asked))
    try:
        yield case
    finally:
        case.session.stop("stopped")
        await asyncio.wait_for(task, 30)
        assert case.stream.closed


async def test_a_frame_settles_it_and_is_kept_from_ccxt() -> None:
    async with under_way(Case()) as case:
        assert not case.session.settled.is_set()
        assert case.stream.kline("AUSDT", START)
        assert case.session.settled.is_set()
        assert case.session.flowing
        assert [f.row for f in case.heard.frames] == [0]
        assert not case.stream.on_message(None, {"result": None, "id": 1})


async def test_no_address_and_no_token_in_it_is_told() -> None:
    case = Case()
    told = "Connection to wss://ws.a.test/x?token=canary timed out, url='wss://b.c/?k=canary'"
    case.venue.script.steps["A/USDT"] = [NetworkError(told)]
    async with under_way(case):
        await case.ended()
    assert case.session.end is not None
    assert "canary" not in case.session.end.text
    assert "timed out" in case.session.end.text


async def test_a_drop_ends_it_and_says_why() -> None:
    case = Case()
    case.venue.script.steps["A/USDT"] = [NetworkError("closing code 1006")]
    async with under_way(case):
        assert await case.ended() == "dropped"
        assert case.session.end is not None
        assert "1006" in case.session.end.text


async def test_a_refused_handshake_says_how_long_to_wait() -> None:
    class Refusal(Exception):
        headers = {"Retry-After": "7"}  # noqa: RUF012

    case = Case()
    case.venue.script.steps["A/USDT"] = [NetworkError(Refusal())]
    async with under_way(case):
        await case.ended()
        assert case.session.end is not None
        assert case.session.end.wait_s == 7.0


async def test_an_error_acknowledged_ends_it() -> None:
    case = Case()
    case.venue.script.steps["A/USDT"] = [BadSymbol("invalid stream")]
    async with under_way(case):
        assert await case.ended() == "refused"


async def test_futures_that_ccxt_cancels_are_a_drop_and_no_cancellation_of_ours() -> None:
    async def cancelled() -> None:
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    case = Case()
    case.venue.script.steps["A/USDT"] = [cancelled]
    async with under_way(case):
        assert await case.ended() == "dropped"


async def test_silence_ends_it_and_the_next_is_borne_longer() -> None:
    silence = Silence(0.2, 1.0)
    case = Case(silence=silence)
    async with under_way(case):
        case.stream.kline("AUSDT", START)
        assert await case.ended() == "silent"
    assert silence.limit_s == pytest.approx(0.4)


async def test_frames_hold_off_the_watchdog() -> None:
    case = Case(silence=Silence(0.3, 0.3))
    async with under_way(case):
        loop = asyncio.get_running_loop()
        begun = loop.time()
        while loop.time() - begun < 0.9:
            case.stream.kline("AUSDT", START)
            await asyncio.sleep(0.02)
        assert case.session.end is None


@pytest.mark.parametrize("message", [
    {"e": "kline", "s": "AUSDT"}, {"e": "kline", "k": 5}, {"e": "kline", "k": {"i": "1m", "t": []}},
], ids=str)  # fmt: skip
async def test_a_bad_frame_never_reaches_ccxt_nor_ends_anything(message: Any) -> None:
    async with under_way(Case()) as case:
        assert case.stream.on_message(None, message)
        assert case.session.end is None
        assert case.stream.kline("BUSDT", START)


async def test_an_error_of_ours_while_reading_is_counted_and_ends_nothing() -> None:
    async with under_way(Case()) as case:
        def broken(frame: object) -> None:
            raise ValueError("no room")

        case.heard.frame = broken  # type: ignore[method-assign]
        assert case.stream.kline("AUSDT", START)
        assert case.session.n_bad == 1
        assert case.session.end is None


async def test_a_goodbye_of_the_venue_ends_it() -> None:
    async with under_way(Case()) as case:
        case.stream.on_message(None, {"e": "serverShutdown", "E": START})
        assert await case.ended() == "leaving"


async def test_connections_are_told_of_those_of_one_moment_once() -> None:
    async with under_way(Case("kraken")) as case:
        for _ in range(20):
            case.stream.on_connected(None)
        assert case.connects == 1
        await case.venue.until(lambda: case.connects == 2)


async def test_one_of_many_connections_is_dialled_again_without_the_others() -> None:
    case = Case("kraken")
    bar = [[START, 1.0, 1.0, 1.0, 1.0, 1.0]]
    case.venue.script.steps["A/USDT"] = [NetworkError("1006"), bar]
    async with under_way(case):
        await case.heard.until(lambda: bool(case.heard.frames))
        assert case.session.end is None
        assert case.venue.dials == 1  # it asked before it dialled again
        assert case.stream.asked.count(("B/USDT",)) == 1


async def test_it_leaves_waiting_for_a_ban_to_the_line() -> None:
    case = Case("kraken")
    case.venue.script.steps["A/USDT"] = [NetworkError("1006")]
    case.venue.refusals = [OpportunityError("banned")]
    async with under_way(case):
        assert await case.ended() == "dropped"


async def test_a_symbol_that_is_refused_does_not_end_the_others() -> None:
    case = Case("kraken")
    case.venue.script.steps["A/USDT"] = [BadSymbol("delisted")]
    case.venue.script.steps["B/USDT"] = [[[START, 1.0, 1.0, 1.0, 1.0, 1.0]]]
    async with under_way(case):
        await case.heard.until(lambda: bool(case.heard.frames))
        assert case.session.end is None


async def test_it_ends_when_all_symbols_are_refused() -> None:
    case = Case("kraken")
    for symbol in SYMBOLS:
        case.venue.script.steps[symbol] = [BadSymbol("delisted")]
    async with under_way(case):
        assert await case.ended() == "refused"


async def test_a_book_that_lost_its_thread_is_begun_anew_on_the_same_object() -> None:
    case = Case()
    case.venue.script.steps["A/USDT"] = [InvalidNonce("gap")]
    async with under_way(case):
        await case.venue.until(lambda: len(case.stream.asked) >= 2)
        assert case.session.end is None


async def test_a_venue_that_was_closed_ends_it() -> None:
    case = Case()

    def closed(*_: object) -> None:
        raise OpportunityError("must be open")

    case.venue.stream = closed  # type: ignore[method-assign]
    await case.session.run()
    assert await case.ended() == "dropped"


async def test_time_in_which_our_own_loop_stood_still_is_no_silence() -> None:
    case = Case(silence=Silence(0.4, 0.4))
    async with under_way(case):
        case.stream.kline("AUSDT", START)
        time.sleep(0.6)  # noqa: ASYNC251 - the loop is to stand still
        loop = asyncio.get_running_loop()
        loop.call_later(0.02, case.stream.kline, "AUSDT", START)  # what waited is read now
        begun = loop.time()
        await case.venue.until(lambda: loop.time() > begun + 0.2)
        assert case.session.end is None


async def test_cancelling_it_while_it_is_being_closed_waits_for_the_close() -> None:
    case = Case()
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(stream: Puppet) -> None:
        begun.set()
        await go_on.wait()
        stream.closed = True

    task = asyncio.ensure_future(case.session.run())
    await case.venue.until(lambda: bool(case.venue.streams))
    stream = case.stream
    stream.close = lambda: slow(stream)  # type: ignore[method-assign]
    case.session.stop("stopped")
    await begun.wait()
    task.cancel()
    asyncio.get_running_loop().call_later(0.05, go_on.set)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stream.closed


async def test_cancelling_it_closes_the_object() -> None:
    case = Case()
    task = asyncio.ensure_future(case.session.run())
    await case.venue.until(lambda: bool(case.venue.streams))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert case.stream.closed
    assert case.session.over.is_set()

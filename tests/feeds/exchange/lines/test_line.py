"""A line on strings: dialled again, with patience, and replaced in time."""

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from opportunity.errors import OpportunityError
from opportunity.feeds.exchange.lines import line as module
from opportunity.feeds.exchange.lines.line import Line, LineSettings
from opportunity.feeds.exchange.lines.session import End, Session
from opportunity.feeds.exchange.lines.subjects import BarSubject
from tests.feeds.exchange.wires import START, BadSymbol, Heard, NetworkError, Puppet, PuppetVenue

QUICK = LineSettings(silence_s=1.0, longest_silence_s=1.0, recycle_s=60.0, first_s=0.01,
                     longest_s=0.02)  # fmt: skip


class Case:
    """A line of one symbol or more."""

    def __init__(self, settings: LineSettings = QUICK, n: int = 1) -> None:
        self.symbols = tuple(f"A{i}/USDT" for i in range(n))
        self.venue, self.heard = PuppetVenue(self.symbols), Heard()
        subject = BarSubject(self.venue, self.symbols, range(n), "1m", self.heard)
        self.line = Line(self.venue, subject, range(n), self.symbols, settings, self)
        self.connects, self.ends = 0, list[End]()

    def connected(self, line: Line) -> None:
        self.connects += 1

    def lost(self, line: Line, end: End) -> None:
        self.ends.append(end)

    async def stream(self, number: int) -> Puppet:
        """Wait for an object to be asked to watch."""
        streams = self.venue.streams
        await self.venue.until(lambda: len(streams) > number and bool(streams[number].asked))
        return streams[number]


@asynccontextmanager
async def run(case: Case) -> AsyncIterator[Case]:
    task = asyncio.ensure_future(case.line.run())
    try:
        yield case
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 30)
        assert all(s.closed for s in case.venue.streams)


async def test_it_dials_again_for_ever_with_a_new_object_each_time() -> None:
    case = Case()
    case.venue.script.steps["A0/USDT"] = [NetworkError(str(i)) for i in range(6)]
    async with run(case):
        last = await case.stream(6)
        assert case.line.state == "connecting"
        assert [end.why for end in case.ends] == ["dropped"] * 6
        last.on_connected(None)
        last.kline("A0USDT", START)
        await case.venue.until(lambda: case.line.state == "live")
        assert case.connects == case.line.n_connects == 1
        await case.venue.until(lambda: all(s.closed for s in case.venue.streams[:6]))


async def test_it_asks_before_each_dial_and_does_not_dial_while_it_may_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "PAUSED_S", 0.01)
    case = Case()
    case.venue.refusals = [OpportunityError("banned")] * 5
    async with run(case):
        await case.stream(0)
        assert case.venue.dials == 6
        assert len(case.venue.streams) == 1


async def test_state_goes_from_connecting_over_live_to_recovering_and_back() -> None:
    case = Case()
    async with run(case):
        first = await case.stream(0)
        assert case.line.state == "connecting"
        first.kline("A0USDT", START)
        await case.venue.until(lambda: case.line.state == "live")
        first.on_message(None, {"e": "serverShutdown"})
        second = await case.stream(1)
        assert case.line.state == "recovering"
        second.kline("A0USDT", START)
        await case.venue.until(lambda: case.line.state == "live")
        assert [end.why for end in case.ends] == ["leaving"]


async def test_the_old_object_is_closed_only_when_the_new_one_gives_frames() -> None:
    case = Case(LineSettings(silence_s=5.0, longest_silence_s=5.0, recycle_s=0.2, first_s=0.01))
    async with run(case):
        first = await case.stream(0)
        first.kline("A0USDT", START)
        second = await case.stream(1)
        first.kline("A0USDT", START + 1)
        assert not first.closed
        assert case.line.state == "live"
        second.kline("A0USDT", START + 1)
        await case.venue.until(lambda: first.closed)
        assert not second.closed
        assert [f.time for f in case.heard.frames] == [START, START + 1, START + 1]
        assert case.ends == []


async def test_nothing_of_the_old_one_is_held_on_to(monkeypatch: pytest.MonkeyPatch) -> None:
    sessions: weakref.WeakSet[Session] = weakref.WeakSet()

    class Seen(Session):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            sessions.add(self)

    monkeypatch.setattr(module, "Session", Seen)
    case = Case(LineSettings(silence_s=5.0, longest_silence_s=5.0, recycle_s=0.2, first_s=0.01))
    async with run(case):
        (await case.stream(0)).kline("A0USDT", START)
        (await case.stream(1)).kline("A0USDT", START + 1)
        await case.venue.until(lambda: case.venue.streams[0].closed)
        case.venue.streams.clear()
        for _ in range(20):  # the task of the old one comes to its end
            await asyncio.sleep(0)
        gc.collect()
        assert len(sessions) == 1


async def test_a_replacement_that_fails_is_tried_again_while_the_old_one_goes_on() -> None:
    case = Case(LineSettings(silence_s=5.0, longest_silence_s=5.0, recycle_s=0.2, first_s=0.01))
    async with run(case):
        first = await case.stream(0)
        case.venue.script.steps["A0/USDT"] = [NetworkError("full")] * 2
        first.kline("A0USDT", START)
        third = await case.stream(3)
        assert case.ends == []
        assert not first.closed
        third.kline("A0USDT", START)
        await case.venue.until(lambda: first.closed)


async def test_the_loss_of_the_old_one_during_a_failed_replacement_is_told() -> None:
    case = Case(LineSettings(silence_s=5.0, longest_silence_s=5.0, recycle_s=0.2, first_s=0.01))
    async with run(case):
        first = await case.stream(0)
        first.kline("A0USDT", START)
        second = await case.stream(1)
        first.on_message(None, {"e": "serverShutdown"})
        second.on_message(None, {"e": "serverShutdown"})
        await case.venue.until(lambda: bool(case.ends))
        assert case.line.state == "recovering"
        third = await case.stream(2)
        third.kline("A0USDT", START)
        await case.venue.until(lambda: case.line.state == "live")


async def test_a_request_that_is_refused_again_and_again_is_split() -> None:
    case = Case(n=8)
    case.venue.script.steps["A0/USDT"] = [BadSymbol("invalid")] * 6
    case.line._batch = 8
    async with run(case):
        await case.stream(6)
        asked = [len(s.asked[0]) for s in case.venue.streams[:7]]
    assert asked == [8, 8, 8, 2, 2, 2, 1]


@pytest.mark.parametrize(("steady_s", "grows"), [(60.0, True), (0.0, False)])
async def test_the_wait_grows_while_the_line_flaps_and_shrinks_when_it_was_steady(
    monkeypatch: pytest.MonkeyPatch, steady_s: float, grows: bool
) -> None:
    monkeypatch.setattr(module, "STEADY_S", steady_s)
    case = Case(LineSettings(silence_s=5.0, longest_silence_s=5.0, first_s=0.01, longest_s=9.0))
    async with run(case):
        for number in range(4):
            stream = await case.stream(number)
            stream.kline("A0USDT", START)
            await case.venue.until(lambda: case.line.state == "live")
            stream.on_message(None, {"e": "serverShutdown"})
        await case.venue.until(lambda: len(case.ends) == 4)
        assert (case.line._backoff._next_s > 0.1) is grows

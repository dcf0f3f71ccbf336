import asyncio
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from opportunity.feeds.exchange.records import Rows, Want
from opportunity.feeds.exchange.repair import AUDIT_BARS, MOST_AT_ONCE, Repair
from opportunity.feeds.exchange.venue.failures import VenueError

SYMBOLS = ("BTC/USDT", "ETH/USDT")


class Wanting:
    """An assembler that wants what it is told, once."""

    def __init__(self, wants):
        self.wants, self.answers, self.failures, self.dropped = list(wants), [], [], []
        self.audited = []

    def wanted(self, now):
        wants, self.wants = self.wants, []
        return wants

    def answer(self, answer):
        self.answers.append(answer)

    def failed(self, want, now):
        self.failures.append((want, now))

    def drop(self, row):
        self.dropped.append(row)

    def audit(self, row, now):
        self.audited.append((row, now))


class Asked:
    """A venue that answers, or raises what it was given."""

    def __init__(self, error=None):
        self.time = 777
        self.clock = SimpleNamespace(now=lambda: self.time, speed=60.0)
        self.calls, self.open, self.most, self.error = [], 0, 0, error
        self.go = asyncio.Event()
        self.go.set()

    async def bars(self, symbol, timeframe, since, limit):
        self.open += 1
        self.most = max(self.most, self.open)
        self.calls.append((symbol, timeframe, since, limit))
        await self.go.wait()
        self.open -= 1
        if self.error is not None:
            raise self.error
        return Rows(np.array([since]), np.ones((1, 5)), 777)


async def carried_out(venue, assembler, until):
    wake = asyncio.Event()
    work = asyncio.ensure_future(Repair(venue, assembler, SYMBOLS, "1m", wake).run())
    try:
        async with asyncio.timeout(30):
            while not until():  # noqa: ASYNC110 - what is waited for are plain lists
                await asyncio.sleep(0.001)
    finally:
        work.cancel()
        await asyncio.wait([work])
    assert work.cancelled()
    return wake.is_set()


async def test_a_want_is_asked_for_and_answered():
    venue, assembler = Asked(), Wanting([Want(1, 60_000, 240_000)])
    woken = await carried_out(venue, assembler, lambda: assembler.answers)
    assert woken
    assert venue.calls == [("ETH/USDT", "1m", 60_000, 3)]
    assert assembler.answers[0].want == Want(1, 60_000, 240_000)
    assert assembler.answers[0].rows.asked_at == 777


@pytest.mark.parametrize("kind", ["unreachable", "banned", "garbled", "limited"])
async def test_a_failure_is_told_and_ends_nothing(kind):
    venue = Asked(VenueError("no", kind=kind))
    assembler = Wanting([Want(0, 0, 60_000)])
    await carried_out(venue, assembler, lambda: assembler.failures)
    assert assembler.failures == [(Want(0, 0, 60_000), 777)]
    assert not assembler.dropped


async def test_a_symbol_that_the_venue_refuses_is_dropped():
    assembler = Wanting([Want(0, 0, 60_000)])
    await carried_out(
        Asked(VenueError("no such", kind="refused")), assembler, lambda: assembler.dropped
    )
    assert assembler.dropped == [0]


async def test_few_requests_are_under_way_together():
    venue, assembler = Asked(), Wanting([Want(0, i * 60_000, (i + 1) * 60_000) for i in range(30)])
    venue.go.clear()
    asyncio.get_running_loop().call_later(0.05, venue.go.set)
    await carried_out(venue, assembler, lambda: len(assembler.answers) == 30)
    assert venue.most == MOST_AT_ONCE


async def test_every_symbol_is_audited_in_turn_once_in_ten_bars():
    venue, assembler = Asked(), Wanting([])
    venue.time = start = 1_748_865_600_000

    def look(now):
        venue.time += 60_000  # a bar between two looks
        return []

    assembler.wanted = look
    venue.clock.speed = 1e4
    await carried_out(venue, assembler, lambda: venue.time > start + 40 * 60_000)
    rows = [row for row, _ in assembler.audited]
    assert rows[:6] == [0, 1, 0, 1, 0, 1]
    of_first = [at for row, at in assembler.audited if row == 0]
    step = AUDIT_BARS * 60_000
    assert all(abs(b - a - step) <= 60_000 for a, b in pairwise(of_first))
    assert len(rows) == pytest.approx(8, abs=2)

"""Whoever appends, in whatever order that is told: each event once, in order, without a hole."""

import asyncio
import random
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.api import event_line
from app.api.event_line import EventLine
from app.api.messages import Message
from app.api.source import MOST_MISSED
from opportunity.storage.events import StoredEvent
from opportunity.storage.failures import DatabaseError


class Press:
    """Makes messages that say nothing; bodies with a 'bad' break."""

    def event(self, event: StoredEvent) -> Message:
        if event.body.get("bad"):
            raise ValueError("bad")
        return self.bare(event)

    def bare(self, event: StoredEvent) -> Message:
        return Message(event.channel, "", event.stream_seq, "e", b"{}")


class Log:
    """An event log that can fail."""

    def __init__(self, n: int = 0, first: int = 1) -> None:
        self.rows = [stored(seq) for seq in range(first, n + 1)]
        self.head, self.reads, self.fails = n, 0, False
        self.lock = threading.Lock()

    def append(self, **body) -> StoredEvent:
        with self.lock:
            self.head += 1
            self.rows.append(stored(self.head, **body))
            return self.rows[-1]

    def heads(self):
        if self.fails:
            raise DatabaseError("not now")
        return {"trade": self.head, "alert": 0, "config": 0}

    def after(self, channel, seq, limit):
        self.reads += 1
        if self.fails:
            raise DatabaseError("not now")
        with self.lock:
            rows = self.rows if channel == "trade" else []
            return tuple(e for e in rows if e.stream_seq > seq)[:limit]


def stored(seq: int, **body) -> StoredEvent:
    return StoredEvent(seq, f"k{seq}", 1, 1, "fill", body, "trade", seq)


@pytest.fixture
async def start():
    made = []

    def begin(log, kept=16):
        heard: list[int] = []
        line = EventLine(log, Press(), kept, lambda messages: heard.extend(m.seq for m in messages))
        made.append(line)
        return line, heard

    yield begin
    for line in made:
        await line.close()


async def until(true) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 - the line calls, it does not await
            await asyncio.sleep(0.002)


async def test_next_number_goes_out_at_once_without_the_log(start):
    log = Log(3)
    line, heard = start(log)
    assert line.seqs() == {"trade": 3, "alert": 0, "config": 0}
    assert [m.seq for m in line.hear(log.append())] == [4]
    assert line.hear(log.rows[-1]) == []  # told twice
    assert (line.seqs()["trade"], log.reads, heard) == (4, 0, [])


async def test_who_comes_early_waits_for_those_before(start):
    log = Log()
    line, heard = start(log)
    first, second, third = log.append(), log.append(), log.append()
    assert line.hear(third) == []
    assert line.hear(first) == [] or heard == []
    await until(lambda: line.seqs()["trade"] == 3)
    assert line.hear(second) == []
    assert sorted(heard + ([1] if 1 not in heard else [])) == [1, 2, 3]


async def test_what_nobody_tells_of_is_found(start, monkeypatch):
    monkeypatch.setattr(event_line, "POLL_S", 0.01)
    log = Log()
    line, heard = start(log)
    log.append()
    await until(lambda: heard == [1])
    log.fails = True
    log.append()
    await asyncio.sleep(0.05)
    assert heard == [1]
    log.fails = False
    await until(lambda: heard == [1, 2])
    assert line.seqs()["trade"] == 2


async def test_a_long_absence_is_made_up_for_in_pieces(start):
    log = Log()
    line, heard = start(log)
    for _ in range(2 * MOST_MISSED + 7):
        log.append()
    line.look("trade")
    await until(lambda: len(heard) == 2 * MOST_MISSED + 7)
    assert heard == list(range(1, 2 * MOST_MISSED + 8))


async def test_missed_comes_from_memory_then_from_the_log(start):
    log = Log(20)
    line, _ = start(log, kept=4)
    for _ in range(6):
        line.hear(log.append())
    assert [m.seq for m in await line.missed("trade", 22)] == [23, 24, 25, 26]
    assert log.reads == 0
    assert [m.seq for m in await line.missed("trade", 5)] == list(range(6, 27))
    assert log.reads == 1
    assert await line.missed("trade", 26) == []
    assert await line.missed("trade", 27) is None
    log.fails = True
    assert await line.missed("trade", 5) is None


async def test_what_was_let_go_or_is_too_much_is_not_had(start):
    line, _ = start(Log(30, first=11))
    assert await line.missed("trade", 9) is None
    assert [m.seq for m in await line.missed("trade", 10)] == list(range(11, 31))
    line, _ = start(Log(MOST_MISSED + 1))
    assert await line.missed("trade", 0) is None
    assert len(await line.missed("trade", 1)) == MOST_MISSED


async def test_event_that_breaks_its_contract_keeps_its_number(start):
    log = Log()
    line, _ = start(log)
    assert [m.seq for e in (log.append(bad=True), log.append()) for m in line.hear(e)] == [1, 2]
    assert line.broken == 1


async def test_a_hole_in_the_log_does_not_stop_it(start):
    log = Log()
    line, heard = start(log)
    log.append()
    log.rows.clear()
    log.append()
    line.look("trade")
    await until(lambda: heard == [2])
    assert [m.seq for m in line.hear(log.append())] == [3]


async def test_nothing_comes_after_the_close(start):
    log = Log()
    line, heard = start(log)
    log.append()
    line.look("trade")
    await line.close()
    line.look("trade")
    await asyncio.sleep(0.01)
    assert heard == []


@settings(max_examples=40, deadline=None)
@given(n=st.integers(1, 40), seed=st.integers(0, 2**32))
def test_in_whatever_order_it_is_told(n, seed):
    """Some are told late, some twice, some never; some by threads."""

    async def play() -> list[int]:
        rng, log, heard = random.Random(seed), Log(), []
        line = EventLine(log, Press(), 8, lambda messages: heard.extend(m.seq for m in messages))
        told: list[StoredEvent] = []
        for _ in range(n):
            told.append(log.append())
            rng.shuffle(told)
            while told and rng.random() < 0.7:
                event = told[-1] if rng.random() < 0.2 else told.pop()
                heard.extend(m.seq for m in line.hear(event))
            if rng.random() < 0.3:
                await asyncio.sleep(0)
        line.look("trade")
        await until(lambda: line.seqs()["trade"] == n)
        await line.close()
        return heard

    assert asyncio.run(play()) == list(range(1, n + 1))

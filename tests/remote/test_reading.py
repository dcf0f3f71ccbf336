"""What is read anew is never older than what was told or turned meanwhile."""

import asyncio

from opportunity.remote.line import Answer
from opportunity.remote.problems import RemoteError
from opportunity.remote.reading import Reading

CONFIRMED = {"type": "subscription_confirmed"}


class Asked:
    """A line whose answers wait until they are let go."""

    def __init__(self):
        self.n, self.fails = 0, 0
        self.gate = asyncio.Event()

    async def get(self, path):
        await self.gate.wait()
        if self.fails:
            self.fails -= 1
            raise RemoteError("nobody there")
        self.n += path.endswith("status")
        return {"n": self.n}

    async def ask(self, method, path):
        return Answer({"n": self.n}, "")


async def settle(reading):
    await asyncio.wait([reading._task])


async def test_it_reads_once_after_the_first_confirmation_and_after_a_loss():
    line, taken = Asked(), []
    line.gate.set()
    reading = Reading(line, taken.append)
    for message in (CONFIRMED, CONFIRMED, {"type": "resumed", "complete": True}):
        reading.hear(message)
        await settle(reading)
    assert [found.status["n"] for found in taken] == [1]
    reading.hear({"type": "resumed", "complete": False})
    await settle(reading)
    assert [found.status["n"] for found in taken] == [1, 2]
    await reading.close()


async def test_what_changed_meanwhile_is_read_once_more():
    line, taken = Asked(), []
    reading = Reading(line, taken.append)
    reading.hear(CONFIRMED)
    await asyncio.sleep(0)
    reading.hear({"type": "config_changed"})
    line.gate.set()
    await settle(reading)
    assert [found.status["n"] for found in taken] == [2]
    await reading.close()


async def test_a_reading_that_fails_is_made_up_for_when_the_line_is_back():
    line, taken = Asked(), []
    line.gate.set()
    line.fails = 1
    reading = Reading(line, taken.append)
    reading.hear(CONFIRMED)
    await settle(reading)
    assert taken == []
    reading.hear({"type": "resumed", "complete": True})
    await settle(reading)
    assert len(taken) == 1
    await reading.close()

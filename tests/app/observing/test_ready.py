"""Readiness: what is looked at, how often, and what is said."""

import asyncio
import threading
from types import SimpleNamespace

import pytest

from app.observing import ready
from app.observing.ready import FRESH_S, Seen, Storage, reasons_of
from opportunity.errors import OpportunityError
from opportunity.feeds.status import FeedStatus


async def test_many_asks_are_one_look() -> None:
    clock, looks = [0.0], []
    storage = Storage(lambda: looks.append(1) or 3, lambda: clock[0])
    found = await asyncio.gather(*(storage.seen() for _ in range(50)))
    assert set(found) == {Seen("", 3)}
    assert len(looks) == 1
    clock[0] = FRESH_S + 0.1
    await storage.seen()
    assert len(looks) == 2
    await storage.close()


async def test_an_error_is_told_and_goes_away() -> None:
    clock, errors = [0.0], [OpportunityError("no room"), OSError("gone")]

    def look() -> int:
        if errors:
            raise errors.pop(0)
        return 0

    storage, found = Storage(look, lambda: clock[0]), []
    for _ in range(3):
        found.append((await storage.seen()).error)
        clock[0] += FRESH_S + 0.1
    assert found == ["no room", "gone", ""]


async def test_a_database_that_hangs_is_not_waited_for(monkeypatch) -> None:
    monkeypatch.setattr(ready, "PATIENCE_S", 0.05)
    go, looks = threading.Event(), []

    def look() -> int:
        looks.append(1)
        go.wait(10)
        return 1

    clock = [0.0]
    storage = Storage(look, lambda: clock[0])
    for _ in range(3):
        assert (await storage.seen()).error == "no answer"
        clock[0] += FRESH_S + 0.1
    assert len(looks) == 1  # one thread, however often it is asked
    go.set()
    async with asyncio.timeout(30):
        while (await storage.seen()).error:
            clock[0] += FRESH_S + 0.1
    await storage.close()


def services_of(**changed) -> SimpleNamespace:
    agent = SimpleNamespace(last_error="", running=True, storage_error="")
    made = SimpleNamespace(agent=agent, snapshot=lambda: 1, feed_status=lambda: None)
    for name, value in changed.items():
        setattr(agent if hasattr(agent, name) else made, name, value)
    return made


@pytest.mark.parametrize(
    ("changed", "storage", "said"),
    [
        ({}, "", []),
        ({"snapshot": lambda: None}, "", ["the agent is still reading history"]),
        ({"last_error": "at /srv/x SECRET"}, "", ["the agent reports an error"]),
        ({"running": False}, "", ["the agent does not run"]),
        ({"storage_error": "SECRET"}, "", ["the database does not answer"]),
        ({}, "SECRET", ["the database does not answer"]),
        ({"feed_status": lambda: FeedStatus("down", "SECRET", 1)}, "",
         ["the line to the market is down"]),
        ({"feed_status": lambda: FeedStatus("recovering", "SECRET", 1)}, "", []),
    ],
)  # fmt: skip
def test_reasons_in_plain_words(changed, storage, said) -> None:
    assert reasons_of(services_of(**changed), storage) == said

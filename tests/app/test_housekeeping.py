import asyncio
import threading

import pytest

from app.housekeeping import Housekeeping
from opportunity.config import load_settings
from opportunity.storage.database import DatabaseError, open_database
from opportunity.storage.events import Event
from opportunity.storage.repositories import Memory

DAY_MS = 86_400_000


@pytest.fixture
def memory(tmp_path):
    now = [0]
    memory = Memory(open_database(f"sqlite:///{tmp_path / 'x.sqlite'}"), lambda: now[0])
    memory.events.append([Event(str(i), 0, "audit", {}) for i in range(3)])
    now[0] = 500 * DAY_MS
    yield memory
    memory.close()


async def until(reached) -> None:
    async with asyncio.timeout(10):
        while not reached():  # noqa: ASYNC110 - a thread of the product counts
            await asyncio.sleep(0.01)


async def test_old_rows_go_shortly_after_the_start(memory) -> None:
    keeping = Housekeeping(load_settings({}, {}).retention.copy, memory, first_s=0.0)
    keeping.start()
    keeping.start()
    await until(lambda: keeping.rounds == 1)
    assert [e.key for e in memory.events.read()] == ["2"]
    await keeping.close()
    assert not [t for t in threading.enumerate() if t.name == "housekeeping"]


async def test_settings_say_for_how_long(memory) -> None:
    settings = load_settings({"retention": {"event": 0}}, {})
    keeping = Housekeeping(settings.retention.copy, memory, first_s=0.0)
    keeping.start()
    await until(lambda: keeping.rounds == 1)
    assert len(memory.events.read()) == 3
    await keeping.close()


async def test_it_ends_before_it_has_begun(memory) -> None:
    keeping = Housekeeping(load_settings({}, {}).retention.copy, memory)
    keeping.start()
    await keeping.close()
    assert keeping.rounds == 0
    await Housekeeping(load_settings({}, {}).retention.copy, memory).close()


async def test_a_failure_is_tried_again_later(memory, monkeypatch) -> None:
    calls = []

    class Failing:
        def prune(self, enough):
            calls.append(enough())
            if len(calls) == 1:
                raise DatabaseError("no")
            return {}

    monkeypatch.setattr("app.housekeeping.AGAIN_S", 0.0)
    monkeypatch.setattr(memory, "pruner", lambda days: Failing())
    keeping = Housekeeping(load_settings({}, {}).retention.copy, memory, first_s=0.0)
    keeping.start()
    await until(lambda: keeping.rounds == 2)
    assert calls == [False, False]
    await keeping.close()


async def test_days_that_were_turned_meanwhile_hold(memory) -> None:
    days = {"event": 0}
    keeping = Housekeeping(lambda: days, memory, first_s=0.0)
    days["event"] = 365
    keeping.start()
    await until(lambda: keeping.rounds == 1)
    assert [e.key for e in memory.events.read()] == ["2"]
    await keeping.close()

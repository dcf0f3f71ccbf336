"""Looks by the clock: one at a time, on a thread, only while somebody sees them."""

import orjson
import pytest

from app.pages import system_watch
from app.pages.system_watch import SystemWatch, look
from opportunity.errors import DatabaseError


@pytest.fixture
def watch(services, doc):
    seen = [True]
    made = SystemWatch(services, doc, lambda: seen[0])
    made.eyes = seen
    yield made
    made.close()


async def test_a_look_finds_file_memory_and_an_answer(services) -> None:
    found = look(services)
    assert found.error == ""
    assert found.size > 0
    assert found.free > 0
    assert found.resident > 1 << 20


async def test_a_database_that_does_not_answer_is_told(services, monkeypatch) -> None:
    def fail() -> int:
        raise DatabaseError("locked")

    monkeypatch.setattr(services, "look_at_storage", fail)
    assert look(services).error == "locked"


async def test_a_server_has_no_file_and_another_system_no_statm(
    services, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(system_watch, "STATM", tmp_path / "none")
    assert system_watch._file("postgresql://host/name") == (None, None)
    assert system_watch._file(f"sqlite:///{tmp_path / 'none.sqlite'}") == (None, None)
    assert look(services).resident is None


async def test_nobody_who_looks_costs_nothing(watch, doc, turn) -> None:
    watch.eyes[0] = False
    watch.again()
    assert doc.session_callbacks == []
    watch.eyes[0] = True
    watch.again()
    watch.again()
    assert len(doc.session_callbacks) == 1  # one look at a time
    await turn(doc)
    assert orjson.loads(watch.state.state)["version"]
    watch.again()
    assert len(doc.session_callbacks) == 1


async def test_what_was_found_after_the_end_is_dropped(watch, doc, turn) -> None:
    watch.again()
    watch.close()
    await turn(doc)
    assert watch.state.state == "{}"


async def test_the_last_minute_is_against_a_look_before(watch, doc, turn) -> None:
    for _ in range(system_watch.MINUTE + 3):
        watch.again()
        await turn(doc)
    assert len(watch._past) == system_watch.MINUTE + 1

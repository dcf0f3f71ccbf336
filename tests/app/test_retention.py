import pytest

from app.retention import Retention
from opportunity.config import load_settings
from opportunity.errors import ConflictError
from opportunity.storage.database import open_database
from opportunity.storage.repositories import Memory


@pytest.fixture
def memory(tmp_path):
    memory = Memory(open_database(f"sqlite:///{tmp_path / 'x.sqlite'}"), lambda: 7)
    yield memory
    memory.close()


def retention(memory: Memory, **days: int) -> Retention:
    return Retention(load_settings({"retention": days}, {}), memory, lambda: 5)


async def test_days_are_turned_kept_and_audited(memory) -> None:
    kept = retention(memory, event=90)
    assert (kept.days()["event"], kept.days()["candidate"], kept.version) == (90, 180, 0)
    assert await kept.set({"event": 30}, "somebody") == 1
    assert kept.days()["event"] == 30
    (said,) = memory.events.read(("audit",))
    assert (said.body["what"], said.body["by"]) == ("retention", "somebody")
    assert (said.body["before"]["event"], said.body["after"]["event"]) == (90, 30)


async def test_what_people_set_counts_more_than_the_environment(memory) -> None:
    await retention(memory).set({"event": 30}, "somebody")
    again = retention(memory, event=90, candidate=0)
    assert again.days()["event"] == 30
    assert again.version == 1


@pytest.mark.parametrize(
    ("values", "words"),
    [({"evnt": 1}, "event"), ({"event": -1}, "0 to 36500"), ({"event": 1.5}, "whole"),
     ({"event": True}, "whole"), ({"event": 36_501}, "36500")],
)  # fmt: skip
async def test_what_breaks_a_rule_changes_nothing(memory, values, words) -> None:
    kept = retention(memory)
    with pytest.raises((ValueError, TypeError), match=words):
        await kept.set(values, "somebody")
    assert kept.days() == retention(memory).days()
    assert memory.events.read() == ()


async def test_of_two_the_second_is_told(memory) -> None:
    kept = retention(memory)
    await kept.set({"event": 30}, "one", expected=0)
    with pytest.raises(ConflictError):
        await kept.set({"event": 40}, "two", expected=0)
    assert kept.days()["event"] == 30


async def test_it_says_what_the_tables_hold(memory) -> None:
    kept = retention(memory)
    await kept.set({"event": 30}, "somebody")
    (events,) = [one for one in await kept.extents() if one.table == "event"]
    assert (events.rows, events.oldest, events.feed_time) == (1, 7, False)

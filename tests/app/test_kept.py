import asyncio
import threading

import pytest

from app.kept import Kept, Turnable
from opportunity.errors import ConflictError
from opportunity.storage.database import open_database
from opportunity.storage.events import EventRepository
from opportunity.storage.failures import DatabaseError
from opportunity.storage.turned import TurnedRepository


class Thing:
    """Two numbers that people turn; `low` stays below `high`."""

    def __init__(self) -> None:
        self.values = {"low": 1, "high": 5}
        self.told: list = []

    def check(self, values) -> None:
        if not values["low"] < values["high"]:
            raise ValueError(f"low must be below high, was {values['low']}")

    def kept(self, stored) -> Kept:
        what = Turnable(
            "thing", "limits", lambda: dict(self.values), self.values.update, self.check
        )
        return Kept(what, stored, lambda: 3, lambda *told: self.told.append(told))


@pytest.fixture
def engine(tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    yield engine
    engine.dispose()


@pytest.fixture
def stored(engine):
    return TurnedRepository(engine, lambda: 7)


async def test_change_is_stored_set_and_told(stored):
    thing = Thing()
    kept = thing.kept(stored)
    assert kept.version == 0
    assert await kept.set({"low": 2}, "api", "why not") == 1
    assert kept.get() == thing.values == {"low": 2, "high": 5}
    assert thing.told == [({"low": 2, "high": 5}, 1, "api")]
    assert stored.read("thing").values == {"low": 2, "high": 5}


async def test_it_comes_back_at_the_next_start(stored):
    await Thing().kept(stored).set({"low": 2}, "api")
    again = Thing()
    kept = again.kept(stored)
    assert (again.values, kept.version, again.told) == ({"low": 2, "high": 5}, 1, [])


@pytest.mark.parametrize(
    ("values", "words"),
    [({"low": 9}, "low must be below high"), ({"lo": 2}, "Did you mean 'low'")],
)
async def test_what_breaks_a_rule_changes_nothing(stored, values, words):
    thing = Thing()
    kept = thing.kept(stored)
    with pytest.raises(ValueError, match=words):
        await kept.set(values, "api")
    assert (thing.values, kept.version, thing.told) == ({"low": 1, "high": 5}, 0, [])


async def test_who_is_late_changes_nothing(stored):
    thing = Thing()
    kept = thing.kept(stored)
    await kept.set({"low": 2}, "api", expected=0)
    with pytest.raises(ConflictError):
        await kept.set({"low": 3}, "api", expected=0)
    assert thing.values["low"] == 2


async def test_what_cannot_be_stored_is_not_set(stored, engine):
    thing = Thing()
    kept = thing.kept(stored)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE event")
    with pytest.raises(DatabaseError):
        await kept.set({"low": 2}, "api")
    assert thing.values["low"] == 1
    thing.values["low"] = 3
    kept.changed()  # Python has set it: it is in force, and told
    assert thing.told == [({"low": 3, "high": 5}, 0, "python")]


async def test_changes_from_python_are_stored_with_what_was_before(stored, engine):
    thing = Thing()
    kept = thing.kept(stored)
    kept.changed()  # nothing is another
    thing.values["low"] = 3
    kept.changed()
    assert kept.version == 1
    (event,) = EventRepository(engine, lambda: 0).read(["limits"])
    assert (event.body["by"], event.body["before"], event.body["after"]) == (
        "python", {"low": 1, "high": 5}, {"low": 3, "high": 5},
    )


async def test_own_changes_are_not_taken_for_pythons(stored):
    thing = Thing()
    kept = thing.kept(stored)

    def put(values):
        thing.values.update(values)
        kept.changed()  # as the watcher of a Param object does

    kept._what = Turnable("thing", "limits", kept._what.get, put, kept._what.check)
    assert await kept.set({"low": 2}, "page") == 1
    assert [by for *_, by in thing.told] == ["page"]


async def test_stored_values_that_are_not_allowed_any_more_fall_back(stored):
    await Thing().kept(stored).set({"low": 4}, "api")

    class Stricter(Thing):
        def check(self, values) -> None:
            if values["low"] > 2:
                raise ValueError("low must be at most 2")

    again = Stricter()
    assert again.kept(stored).version == 1
    assert again.values == {"low": 1, "high": 5}


class Slow:
    """Holds up the first write until it is let go on."""

    def __init__(self, stored, monkeypatch) -> None:
        self.inside, self.go_on, write = threading.Event(), threading.Event(), stored.write

        def slow(*args):
            self.inside.set()
            assert self.go_on.wait(10)
            return write(*args)

        monkeypatch.setattr(stored, "write", slow)


async def test_two_that_change_at_once_both_count_and_the_loop_goes_on(stored, monkeypatch):
    thing = Thing()
    kept = thing.kept(stored)
    slow = Slow(stored, monkeypatch)
    both = [asyncio.ensure_future(kept.set(v, "api")) for v in ({"low": 2}, {"high": 9})]
    assert await asyncio.to_thread(slow.inside.wait, 10)  # here the loop is free while it stores
    assert (thing.values, kept.version) == ({"low": 1, "high": 5}, 0)
    slow.go_on.set()
    assert await asyncio.gather(*both) == [1, 2]
    assert thing.values == stored.read("thing").values == {"low": 2, "high": 9}
    assert kept.version == 2


@pytest.mark.parametrize("name", ["low", "high"])
async def test_what_python_sets_while_a_change_is_stored_is_not_lost(stored, monkeypatch, name):
    thing = Thing()
    kept = thing.kept(stored)
    slow = Slow(stored, monkeypatch)
    change = asyncio.ensure_future(kept.set({"low": 2}, "api"))
    assert await asyncio.to_thread(slow.inside.wait, 10)
    slow.go_on.set()
    thing.values[name] = 4
    kept.changed()
    version = await change
    assert thing.values == stored.read("thing").values == {"low": 2, "high": 5} | (
        {"high": 4} if name == "high" else {}
    )
    assert kept.version == version == stored.read("thing").version == 3

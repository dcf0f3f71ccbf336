"""One thing that is read from time to time: never twice at once, nor after the page is gone."""

import pytest

from app.pages.reading import Reading
from opportunity.errors import OpportunityError


class Room:
    """Counts what is read; its clock stands still until it is moved."""

    def __init__(self, doc) -> None:
        self.now, self.n, self.found, self.whys = 0.0, 0, [], []
        self.fails: Exception | None = None
        self.reading = Reading(
            doc, self._work, self.found.append, self.whys.append, lambda: self.now, 3.0
        )

    async def _work(self) -> int:
        self.n += 1
        if self.fails is not None:
            raise self.fails
        return self.n


@pytest.fixture
def room(doc) -> Room:
    return Room(doc)


async def test_many_askers_are_answered_once(room, doc, turn) -> None:
    for _ in range(5):
        room.reading.ask()
    assert room.n == 0  # not within the caller
    await turn(doc)
    assert room.found == [1]


async def test_what_is_asked_too_early_is_read_later(room, doc, turn) -> None:
    room.reading.ask()
    await turn(doc)
    room.reading.ask()
    await turn(doc)
    assert room.found == [1]
    room.now = 3.0
    room.reading.again()
    await turn(doc)
    assert room.found == [1, 2]
    room.now = 9.0
    room.reading.again()  # nobody asked
    await turn(doc)
    assert room.found == [1, 2]


async def test_somebody_who_waits_is_not_kept_waiting(room, doc, turn) -> None:
    room.reading.ask()
    room.reading.ask(soon=True)  # while it is being read
    await turn(doc)
    assert room.found == [1, 2]


@pytest.mark.parametrize("error", [OpportunityError("disk is full"), ValueError("disk is full")])
async def test_a_failure_is_told_and_tried_again(room, doc, turn, error) -> None:
    room.fails = error
    room.reading.ask()
    await turn(doc)
    assert (room.found, room.whys) == ([], ["disk is full"])
    room.fails = None
    room.reading.ask(soon=True)
    await turn(doc)
    assert room.found == [2]


async def test_nothing_after_the_close(room, doc, turn) -> None:
    room.reading.ask()
    room.reading.close()
    await turn(doc)
    room.reading.ask(soon=True)
    await turn(doc)
    assert room.found == []

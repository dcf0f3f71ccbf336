import asyncio

import pytest

from app.once import KeyTakenError, Once
from opportunity.storage.database import open_database
from opportunity.storage.failures import DatabaseError
from opportunity.storage.idempotency import IdempotencyRepository


@pytest.fixture
def kept(tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    yield IdempotencyRepository(engine, lambda: 1)
    engine.dispose()


class Work:
    """Counts how often it is done."""

    def __init__(self, error: Exception | None = None) -> None:
        self.n, self.error = 0, error

    async def __call__(self):
        self.n += 1
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        return 200, {"n": self.n}


async def test_without_a_key_it_is_done_each_time(kept):
    once, work = Once(kept), Work()
    assert [await once.answer("/r", None, {}, work) for _ in range(2)] == [
        (200, {"n": 1}), (200, {"n": 2}),
    ]


async def test_same_key_and_request_is_done_once_also_after_a_restart(kept):
    work = Work()
    for once in (Once(kept), Once(kept)):
        for _ in range(2):
            assert await once.answer("/r", "k", {"a": 1, "b": 2}, work) == (200, {"n": 1})
            assert await once.answer("/r", "k", {"b": 2, "a": 1}, work) == (200, {"n": 1})
    assert work.n == 1


async def test_at_the_same_time_too(kept):
    once, work = Once(kept), Work()
    found = await asyncio.gather(*(once.answer("/r", "k", {}, work) for _ in range(20)))
    assert set(map(str, found)) == {str((200, {"n": 1}))}
    assert work.n == 1
    assert once._busy == {}


async def test_another_request_under_the_key_is_refused_another_route_is_not(kept):
    once, work = Once(kept), Work()
    await once.answer("/r", "k", {"a": 1}, work)
    with pytest.raises(KeyTakenError):
        await once.answer("/r", "k", {"a": 2}, work)
    assert await once.answer("/s", "k", {"a": 2}, work) == (200, {"n": 2})


async def test_what_failed_may_be_tried_again(kept):
    once, work = Once(kept), Work(ValueError("no"))
    with pytest.raises(ValueError, match="no"):
        await once.answer("/r", "k", {}, work)
    work.error = None
    assert await once.answer("/r", "k", {}, work) == (200, {"n": 2})
    assert once._busy == {}


async def test_what_is_done_is_answered_even_if_the_answer_cannot_be_kept(kept, monkeypatch):
    def full(*_):
        raise DatabaseError("no room")

    monkeypatch.setattr(kept, "keep", full)
    assert await Once(kept).answer("/r", "k", {}, Work()) == (200, {"n": 1})

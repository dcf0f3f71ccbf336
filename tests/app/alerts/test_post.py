import asyncio

import pytest

from app.alerts import post as module
from app.alerts.post import Post
from app.alerts.rules import AlertRules
from opportunity.feeds.clock import wall_ms
from opportunity.storage.failures import DatabaseError
from opportunity.storage.outbox import Outbox
from opportunity.storage.outbox_rows import Note


def note(key: str, kind: str = "breaker") -> Note:
    return Note(key, kind, f"title {key}", "body")


@pytest.fixture
def box(engine) -> Outbox:
    return Outbox(engine, wall_ms)


@pytest.fixture
async def post(box, channel):
    post = Post(box, {"ops": channel}, AlertRules, wall_ms)
    yield post
    await post.close()


async def test_heard_kept_and_sent(post, box, hook):
    post.start(3)
    assert not post.due
    post.add(None)
    post.add(note("a"))
    post.heard(7)
    assert post.due
    assert post.came.is_set()
    assert await post.keep()
    assert (await asyncio.to_thread(hook.wait, 1))[0]["title"] == "title a"
    assert box.read_up_to() == 7
    assert not post.due


async def test_the_number_alone_can_wait(post, box, monkeypatch):
    post.start(3)
    post.heard(9)
    assert not post.due
    monkeypatch.setattr(module, "KEEP_CURSOR_S", -1.0)
    assert post.due
    await post.keep()
    assert box.read_up_to() == 9


async def test_what_was_heard_last_is_kept_on_closing(post, box, hook):
    post.start(0)
    post.add(note("a"))
    post.heard(2)
    await post.close()
    assert (box.read_up_to(), len(box.page().rows)) == (2, 1)


async def test_a_database_in_trouble_is_told_past_the_outbox(post, box, hook, monkeypatch):
    post.start(0)

    def full(*_):
        raise DatabaseError("no room")

    with monkeypatch.context() as broken:
        broken.setattr(box, "put", full)
        for one in (note("a"), note("s", "storage"), note("b")):
            post.add(one)
        post.heard(5)
        assert not await post.keep()
        assert [m["title"] for m in hook.got] == ["title s"]
        assert not await post.keep()
    assert post.due
    assert await post.keep()
    await asyncio.to_thread(hook.wait, 2)
    assert "title a" in hook.texts()
    assert "title b" in hook.texts()
    assert box.read_up_to() == 5


async def test_what_waits_in_memory_is_bounded(box, channel, monkeypatch):
    monkeypatch.setattr(module, "MOST_PENDING", 3)
    post = Post(box, {"ops": channel}, AlertRules, wall_ms)
    for i in range(9):
        post.add(note(str(i)))

    def full(*_):
        for i in range(3, 6):  # while the others are on their way
            post.add(note(str(i)))
        raise DatabaseError("full")

    with monkeypatch.context() as broken:
        broken.setattr(box, "put", full)
        assert not await post.keep()
    assert await post.keep()
    assert [row.title for row in box.waiting("ops")] == ["title 0", "title 1", "title 2"]


async def test_without_channels_nothing_is_kept(box):
    post = Post(box, {}, AlertRules, wall_ms)
    post.start(0)
    post.add(note("a"))
    assert not post.due
    await post.close()

import asyncio

from app.api.messages import Message
from app.api.replay import replay
from app.api.source import MOST_MISSED


class Played:
    """A source to which things happen while it is asked."""

    def __init__(self, head, happens=()):
        self.head, self.happens = head, list(happens)
        self.has_all = True

    def seqs(self):
        return {"trade": self.head, "alert": 0, "config": 0}

    async def missed(self, channel, after):
        to = self.head
        await asyncio.sleep(0)
        self.head += self.happens.pop(0) if self.happens else 0
        if not self.has_all:
            return None
        return [Message(channel, "", n, "e", b"{}") for n in range(after + 1, to + 1)]


def seqs(found):
    return {c: None if m is None else [one.seq for one in m] for c, m in found.items()}


async def test_what_happens_meanwhile_is_asked_for_until_nothing_is_behind():
    source = Played(5, happens=(2, 3))
    assert seqs(await replay(source, {"trade": 3})) == {"trade": [4, 5, 6, 7, 8, 9, 10]}
    assert source.head == 10


async def test_nothing_missed_is_not_asked_for():
    source = Played(5, happens=(1,))
    assert seqs(await replay(source, {"trade": 5, "alert": 0})) == {"trade": [], "alert": []}
    assert source.happens


async def test_what_cannot_be_had_is_said_channel_by_channel():
    source = Played(5)
    source.has_all = False
    assert seqs(await replay(source, {"trade": 3, "alert": 0})) == {"trade": None, "alert": []}
    assert seqs(await replay(Played(5), {"trade": 9})) == {"trade": None}


async def test_too_many_are_not_replayed_also_where_they_come_in_pieces():
    assert (await replay(Played(MOST_MISSED + 1), {"trade": 0}))["trade"] is None
    source = Played(MOST_MISSED - 1, happens=(2,))
    assert (await replay(source, {"trade": 0}))["trade"] is None
    assert len((await replay(Played(MOST_MISSED), {"trade": 0}))["trade"]) == MOST_MISSED

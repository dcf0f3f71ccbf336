import json
from datetime import UTC, datetime

import pytest

from opportunity.config_lists import NewsSource
from opportunity.feeds.polling import Answer, PollError
from opportunity.feeds.source_kinds import (
    MOST_KNOWN,
    STALE_MS,
    FearGreedPage,
    NewsFolder,
    NewsPage,
)
from opportunity.feeds.syndication import FeedError
from opportunity.market.observations import FearGreed, Headline
from opportunity.market.timeframe import HOUR_MS

NOW = 1_704_110_400_000
DESK = NewsSource("desk", "https://a.example/rss")


class Answers:
    """A page that answers what it is told to, then that nothing has changed."""

    def __init__(self, *bodies: object) -> None:
        self.bodies = [b if isinstance(b, bytes) else json.dumps(b).encode() for b in bodies]
        self.forgotten = 0

    async def get(self, session) -> Answer | None:
        return Answer(self.bodies.pop(0)) if self.bodies else None

    def forget(self) -> None:
        self.forgotten += 1


def item(key: int, title: str, at: int | None = NOW, **fields) -> dict[str, object]:
    return {"id": key, "title": title, "timestamp": at, **fields}


async def polled(source, now: int = NOW):
    return await source.poll(None, lambda: now)


async def test_headlines_are_told_once_oldest_first():
    first = [item(2, "Second", NOW - 1), item(1, "First", NOW - 2, symbols=["BTC/USDT"])]
    page = NewsPage(DESK, page=Answers(first, [*first, item(3, "Third", publisher="Wire")]))
    assert await polled(page) == [
        Headline(NOW - 2, NOW, "desk", "First", "desk", ("BTC/USDT",)),
        Headline(NOW - 1, NOW, "desk", "Second", "desk"),
    ]
    assert await polled(page, NOW + 5) == [Headline(NOW, NOW + 5, "desk", "Third", "Wire")]
    assert await polled(page, NOW + 9) == []


async def test_dates_of_the_future_are_mistakes_and_old_headlines_no_news():
    page = NewsPage(DESK, page=Answers([
        item(1, "Tomorrow", NOW + 10**7), item(2, "Old", NOW - STALE_MS - 1),
        item(3, "Just in time", NOW - STALE_MS),
    ]))  # fmt: skip
    found = [(h.title, h.event_time, h.available_at) for h in await polled(page)]
    assert found == [("Just in time", NOW - STALE_MS, NOW), ("Tomorrow", NOW, NOW)]


async def test_undated_headlines_are_news_from_the_second_poll_on():
    page = NewsPage(DESK, page=Answers(
        [item(1, "Of any age", None)], [item(1, "Of any age", None), item(2, "New", None)]
    ))  # fmt: skip
    assert await polled(page) == []
    assert [(h.title, h.event_time) for h in await polled(page, NOW + 7)] == [("New", NOW + 7)]


async def test_garbage_is_asked_for_again_in_whole():
    answers = Answers(b"<html>", [item(1, "First")])
    page = NewsPage(DESK, page=answers)
    with pytest.raises(FeedError):
        await polled(page)
    assert answers.forgotten == 1
    assert len(await polled(page)) == 1


async def test_what_was_told_is_remembered_for_long_and_not_for_ever():
    bodies = [[item(1000 * k + i, "t") for i in range(999)] for k in range(8)]
    page = NewsPage(DESK, page=Answers(*bodies, bodies[-1], bodies[0]))
    for body in bodies:
        assert len(await polled(page)) == len(body)
    assert len(page._known._told) == MOST_KNOWN
    assert await polled(page) == []
    assert len(await polled(page)) == 999


async def test_folder_tells_what_is_dropped_into_it(tmp_path):
    folder = NewsFolder(NewsSource("drop", str(tmp_path / "in")))
    with pytest.raises(PollError, match="folder cannot be read"):
        await polled(folder)
    (tmp_path / "in").mkdir()
    stamp = datetime.fromtimestamp(NOW / 1000, UTC).isoformat()
    (tmp_path / "in" / "a.json").write_text(json.dumps([
        {"title": "Undated"}, {"title": "Old", "date": "2020-01-01"},
        {"title": "Now", "date": stamp},
    ]))  # fmt: skip
    assert [h.title for h in await polled(folder)] == ["Undated", "Now"]
    assert await polled(folder) == []


def fng(value: object, at: int = NOW - 12 * HOUR_MS, error: str | None = None) -> object:
    data = [{"value": value, "timestamp": str(at // 1000)}]
    return {"data": data, "metadata": {"error": error}}


async def test_fear_and_greed_is_told_when_it_changes():
    page = FearGreedPage(page=Answers(fng("40"), fng("40"), fng("41"), fng("41", NOW - HOUR_MS)))
    told = [await polled(page, NOW + k) for k in range(5)]
    old = NOW - 12 * HOUR_MS
    assert told == [
        [FearGreed(old, NOW, "alternative.me", 40)], [],
        [FearGreed(old, NOW + 2, "alternative.me", 41)],
        [FearGreed(NOW - HOUR_MS, NOW + 3, "alternative.me", 41)], [],
    ]  # fmt: skip


@pytest.mark.parametrize(
    "body", [b"", b"<html>", [], {}, fng("many"), fng("40", error="secret"), fng(40, NOW + 10**9)]
)
async def test_fear_and_greed_of_another_form_is_an_error_that_shows_nothing_of_it(body):
    answers = Answers(body)
    with pytest.raises(FeedError, match="answer must be a Fear & Greed value") as caught:
        await polled(FearGreedPage(page=answers))
    assert "secret" not in str(caught.value)
    assert answers.forgotten == 1

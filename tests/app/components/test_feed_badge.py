from typing import get_args

import orjson
import pytest

from app.components.feed_badge import LOOKS, FeedBadge, feed_words
from opportunity.feeds.status import FeedStatus, LineState

AT = 1_767_614_400_000  # 12:00 UTC


def status(state: LineState = "live", **values) -> FeedStatus:
    return FeedStatus(state, "Bars come over the stream", AT, **values)


def test_feed_without_a_line_is_hidden() -> None:
    badge = FeedBadge()
    assert badge.said == "null"
    badge.draw(status())
    assert orjson.loads(badge.said)["label"] == "Feed: live"
    badge.draw(None)
    assert badge.said == "null"


def test_every_state_has_a_glyph_of_its_own() -> None:
    assert set(LOOKS) == set(get_args(LineState))
    assert len({sign for sign, _ in LOOKS.values()}) == len(LOOKS)


@pytest.mark.parametrize(("state", "tone"), [("live", "good"), ("recovering", "busy"),
                                             ("down", "bad"), ("banned", "bad")])
def test_state_is_told_by_word_and_glyph(state, tone) -> None:
    words = feed_words(status(state))
    assert words["label"] == f"Feed: {state}"
    assert words["sign"] == LOOKS[state][0]
    assert words["tone"] == tone


def test_ban_says_until_when() -> None:
    words = feed_words(status("banned", retry_at=AT + 90 * 60_000))
    assert words["label"] == "Feed: banned until 13:30:00"
    assert (words["state"], words["until"]) == ("banned", "13:30:00")
    assert "Asked again at 13:30:00 UTC" in words["title"]


def test_tooltip_holds_text_skew_and_counts() -> None:
    title = feed_words(status(
        skew_ms=-42, n_reconnects=1, n_corrections=3, n_refused=1, delay_ms=2_140.0,
    ))["title"]
    assert title.splitlines() == [
        "Bars come over the stream", "Since 12:00 UTC", "Bars come 2.1 s after their close",
        "Clock of the exchange: -42 ms against ours", "1 reconnect",
        "3 bars corrected, 1 row refused",
    ]

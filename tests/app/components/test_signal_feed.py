from typing import Any

import orjson
import pytest
from drawn import drawn
from said import english

from app.components.signal_feed import KEPT, MOVE, SignalFeed, milliseconds


def _signal(score: float, direction: str = "BULLISH", ts: Any = 1_000) -> dict[str, Any]:
    return {"score": score, "direction": direction, "confidence": 0.3, "risk_level": "LOW",
            "ts": ts}


def _lines(feed: SignalFeed) -> list[dict[str, Any]]:
    feed.refresh(5_000, enabled=True)
    return list(orjson.loads(feed.state)["items"])


def test_only_news_become_lines_but_all_are_counted() -> None:
    feed = SignalFeed()
    feed.take({"BTC/USDT": _signal(0.62)})
    feed.take({"BTC/USDT": _signal(0.62 + MOVE / 2)})
    feed.take({"BTC/USDT": _signal(0.72)})
    feed.take({"BTC/USDT": _signal(0.3, "BEARISH")})
    words = [english(line["words"]) for line in _lines(feed)]
    assert words == ["turned bearish", "stronger", "bullish"]
    assert orjson.loads(feed.state)["count"] == 4


def test_newest_stand_on_top_and_old_ones_go() -> None:
    feed = SignalFeed()
    for i in range(KEPT + 5):
        feed.take({f"S{i}/USDT": _signal(0.7)})
    lines = _lines(feed)
    assert len(lines) == KEPT
    assert lines[0]["symbol"] == f"S{KEPT + 4}/USDT"
    assert [line["n"] for line in lines] == sorted((line["n"] for line in lines), reverse=True)


def test_signal_without_a_score_is_no_line() -> None:
    feed = SignalFeed()
    feed.take({"BTC/USDT": {"score": None, "direction": "NEUTRAL", "ts": 0}})
    assert _lines(feed) == []


def test_click_selects() -> None:
    chosen: list[str] = []
    SignalFeed(on_select=chosen.append)._handle_msg({"symbol": "BTC/USDT"})
    assert chosen == ["BTC/USDT"]


@pytest.mark.parametrize(
    ("ts", "ms"), [(5, 5), (None, 0), ("1970-01-01T00:00:01+00:00", 1_000)]
)
def test_milliseconds_reads_numbers_and_iso(ts: Any, ms: int) -> None:
    assert milliseconds(ts) == ms


def test_ages_go_on_with_the_market_between_signals() -> None:
    feed = SignalFeed()
    feed.take({"BTC/USDT": _signal(0.62, ts=1_000)})
    feed.refresh(1_000, enabled=True)
    ages = drawn(SignalFeed, """
        const age = () => root.querySelector(".age").textContent, found = [age()];
        const beat = (detail) =>
          document.dispatchEvent(new CustomEvent("opportunity:beat", { detail }));
        beat(7_201_000); found.push(age());
        beat(1_000); found.push(age());
        model.tell("remove"); beat(9_000_000_000); found.push(age());
        return found;""", state=feed.state)
    assert ages == ["now", "2 h", "2 h", "2 h"]

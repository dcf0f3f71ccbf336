import asyncio

import orjson
import pytest

from app.components.island import dumps
from app.components.rows import FIELDS, table_state
from app.pages import live_table
from app.pages.live_session import LiveSession
from app.pages.live_table import address_of


@pytest.fixture
async def session(world, doc, turn):
    made = LiveSession(world, doc, "", "1h", "dark")
    made.open()
    await turn(doc)
    yield made
    made.close()


def _state(session):
    return orjson.loads(session.table.rows)


def _bar(session):
    return orjson.loads(session.rows.bar.state)


def _ask(session, what):
    said = []
    session.rows.bar._send_msg = said.append
    session.rows.bar._handle_msg({"what": what, "n": 1})
    return said


async def _until(session, doc, turn, told) -> None:
    async def wait() -> None:
        while not told():
            await turn(doc)
            await asyncio.sleep(0)

    await asyncio.wait_for(wait(), 20)


async def test_quick_scan_says_what_it_found_and_shows_the_live_ranking(
    session, world, doc, turn
) -> None:
    said = _ask(session, "quick")
    await _until(session, doc, turn, lambda: said)
    (answer,) = said
    assert answer["error"] == ""
    assert answer["found"]["values"]["n"] == 6
    assert world.scanned == [(world.symbols, world.timeframes, None, True)]
    assert _state(session)["scan"] == ""


async def test_deep_scan_takes_every_timeframe_and_stays_until_it_is_left(
    session, world, doc, turn
) -> None:
    live = _state(session)
    said = _ask(session, "deep")
    assert _bar(session)["running"] == {"kind": "Deep", "done": 0, "total": 6}
    await _until(session, doc, turn, lambda: said)
    await turn(doc)
    assert "could not be read" in said[0]["found"]["text"]  # the fake has no bars of the others
    assert [s for part in world.scanned for s in part[0]] == list(world.symbols)
    assert world.scanned[0][1] == ("5m", "15m", "30m", "1h", "2h", "4h", "6h", "12h", "1d", "1w")
    shown = _state(session)
    assert (shown["scan"], _bar(session)["kind"]) == ("Deep", "Deep")
    assert shown["rows"] == live["rows"]  # of the same bars
    assert _bar(session)["running"] is None
    world.close_bars("1h")
    await turn(doc)
    assert _state(session)["rows"] == shown["rows"]
    _ask(session, "live")
    assert _state(session)["scan"] == ""
    assert _state(session)["rows"] != shown["rows"]


async def test_a_scan_that_is_stopped_shows_what_it_has(
    session, world, doc, turn, monkeypatch
) -> None:
    scan = world.scan

    async def stops(*args, **named):
        session.rows.bar._handle_msg({"what": "stop", "n": 2})
        return await scan(*args, **named)

    monkeypatch.setattr(world, "scan", stops)
    said = _ask(session, "deep")
    await _until(session, doc, turn, lambda: [m for m in said if m["n"] == 1])
    await turn(doc)
    assert len(world.scanned) == 1
    assert len(_state(session)["rows"]) == 1


async def test_one_scan_at_a_time_and_none_of_a_page_that_is_gone(
    session, world, doc, turn
) -> None:
    said = _ask(session, "deep")
    session.rows.bar._handle_msg({"what": "deep", "n": 2})
    await _until(session, doc, turn, lambda: len(said) == 2)
    assert [bool(m["error"]) for m in sorted(said, key=lambda m: m["n"])] == [False, True]
    rows = session.table.rows
    _ask(session, "deep")
    session.close()
    await turn(doc)
    assert session.table.rows == rows


async def test_a_draft_is_scanned_under_its_own_weights(session, world, doc, turn) -> None:
    session.weights.draft.update(sar=0.7)
    said = _ask(session, "quick")
    await _until(session, doc, turn, lambda: said)
    assert world.scanned[0][2].sar == 0.7


async def test_unknown_questions_are_refused(session) -> None:
    (answer,) = _ask(session, "dance")
    assert "what must be" in answer["error"]


async def test_filters_choose_the_rows_when_not_all_travel(session, world, monkeypatch) -> None:
    monkeypatch.setattr(live_table, "LIMIT", 2)
    before = session.table.rows
    session.table.filters = orjson.dumps({"q": "BTC"}).decode()
    assert session.table.rows == before  # as many as may travel have travelled: same state
    monkeypatch.setattr(
        session.rows, "_shown", lambda kind="": live_table.Shown(
            limit=2, filters=live_table.Filters.of(orjson.loads(session.table.filters))
        )
    )
    session.table.filters = orjson.dumps({"q": "ETH"}).decode()
    assert [row[FIELDS.index("symbol")] for row in _state(session)["rows"]] == ["ETH/USDT"]


async def test_pages_of_one_market_share_one_text_and_a_draft_has_its_own(
    session, world, doc, turn, monkeypatch
) -> None:
    found = world.evaluation()
    monkeypatch.setattr(world, "evaluation", lambda: found)
    other = LiveSession(world, doc, "", "1h", "light")
    for one in (session, other):
        one.rows.show(found)
    assert session.table.rows is other.table.rows
    assert _state(session) == orjson.loads(dumps(table_state(found)))
    session.weights.draft.update(smc=0.9)
    session.rows.show(session.weights.rank(found))
    assert _state(session)["draft"] is True
    assert _state(other)["draft"] is False
    world.agent.last_error = "no bars"
    other.rows.draw()
    assert _state(other)["problem"] == "no bars"
    other.close()


def test_the_address_says_how_the_table_is_shown() -> None:
    found = address_of(
        {"view": [b"heat"], "sort": [b"change"], "down": [b"1"], "side": [b"bearish"],
         "conf": [b"0.3"], "compare": [b"BTC-USDT,XX,ETH-USDT"]},
        ("BTC/USDT", "ETH/USDT"),
    )  # fmt: skip
    assert orjson.loads(found.pop("filters")) == {"side": "bearish", "conf": 0.3}
    assert orjson.loads(found.pop("compared")) == ["BTC/USDT", "ETH/USDT"]
    assert found == {"view": "heat", "sort": "change", "down": True}


def test_an_address_that_makes_no_sense_says_nothing() -> None:
    found = address_of({"view": [b"<script>"], "sort": [b"x"], "q": [b"\xff"], "conf": []}, ())
    assert set(found) == {"filters", "down", "compared"}

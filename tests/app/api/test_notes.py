from dataclasses import replace

import pytest

from opportunity.market.notes import BarNote
from opportunity.storage.bar_notes import NotePage

PATH = "/api/data/notes"
NOTE = BarNote(
    "corrected", "BTC/USDT", "1m", 60_000, 125_000, (1.0, 2.0, 0.5, 1.5, 10.0),
    (1.0, 2.5, 0.5, float("nan"), 11.0), 250.0, 1, "<b>late</b>",
)


async def test_notes_come_as_they_were_kept(world):
    world.services.page = NotePage((NOTE, replace(NOTE, kind="empty", before=None, after=None)), 8)
    status, body, _ = await world.call("GET", PATH)
    assert status == 200
    assert (body["next"], body["source"]) == (8, "simulated")
    first, second = body["notes"]
    assert first == {
        "kind": "corrected", "symbol": "BTC/USDT", "timeframe": "1m", "time": 60_000,
        "noted_at": 125_000, "before": [1.0, 2.0, 0.5, 1.5, 10.0],
        "after": [1.0, 2.5, 0.5, None, 11.0], "change_bp": 250.0, "revision": 1,
        "text": "<b>late</b>",
    }
    assert (second["before"], second["after"]) == (None, None)
    assert world.services.asked == (None, None, 0, 100, None)


async def test_question_is_handed_on(world):
    query = "?symbol=nope-usdt&kind=refused&since=5&limit=7&after=9"
    status, body, _ = await world.call("GET", PATH + query)
    assert (status, body["notes"], body["next"]) == (200, [], None)
    assert world.services.asked == ("NOPE/USDT", "refused", 5, 7, 9)  # may be kept from before


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?symbol=%3F%3F", "symbol"), ("?kind=odd", "kind"), ("?since=-1", "since"),
        ("?limit=0", "limit"), ("?limit=1001", "limit"), ("?after=x", "after"),
        ("?since=99999999999999999999", "since"), ("?until=1", "until"),
    ],
)  # fmt: skip
async def test_bad_question_names_its_field(world, query, field):
    assert (await world.refused(422, "GET", PATH + query))["field"] == field

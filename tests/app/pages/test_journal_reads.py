"""What the Journal page reads, over a real database with judged ideas."""

import orjson
import pytest
from journals import HOUR, START, Room, ideas

from app.components.outcomes import led_by
from app.pages import journal_reads
from app.pages.journal_reads import Filters, read_challengers, read_figures, read_signals
from opportunity.storage.decisions import Chosen


class Services:
    """What the page asks of the server."""

    source, symbols = "simulated", ("BTC/USDT", "ETH/USDT")

    def __init__(self, room: Room) -> None:
        self.journal, self.shadows = room.service, self

    async def all(self):
        return ()

    async def champion(self):
        return None


@pytest.fixture
async def services(tmp_path):
    made = [
        one._replace(action="filtered", stopped_by=("min_score",)) if i % 3 else one
        for i, one in enumerate(ideas(150))
    ]
    room = Room(tmp_path, made)
    await room.judged()
    yield Services(room)
    await room.close()


async def test_newest_signals_with_outcomes(services) -> None:
    state = orjson.loads(await read_signals(services, Filters(wanted=50)))
    times = [row["time"] for row in state["rows"]]
    assert len(times) == 50
    assert times == sorted(times, reverse=True)
    assert times[0] == START + 149 * HOUR
    assert state["more"] is True
    assert set(state["rows"][0]["outcomes"]) == {"4", "12", "24", "48"}


@pytest.mark.parametrize(
    ("chosen", "holds"),
    [
        (Chosen(symbol="ETH/USDT"), lambda r: r["symbol"] == "ETH/USDT"),
        (Chosen(side=-1), lambda r: r["side"] == -1),
        (Chosen(untraded=True), lambda r: r["action"] == "filtered"),
        (Chosen(outcome="wrong", horizon=12), lambda r: r["outcomes"]["12"]["what"] == "wrong"),
        (Chosen(stopped_by="min_score"), lambda r: r["why"]),
    ],
)
async def test_filters_hold_for_every_row(services, chosen, holds) -> None:
    rows = orjson.loads(await read_signals(services, Filters(chosen, wanted=40)))["rows"]
    assert len(rows) == 40
    assert all(holds(row) for row in rows)


async def test_those_led_by_a_detector_are_looked_for(services, monkeypatch) -> None:
    monkeypatch.setattr(journal_reads, "MOST_READ", 100)
    state = orjson.loads(await read_signals(services, Filters(detector="smc", wanted=30)))
    page = await services.journal.decisions(limit=500)
    expected = [d.id for d in page.decisions if led_by(d) == "smc"][:30]
    assert [row["id"] for row in state["rows"]] == expected
    assert state["looked"] % 100 == 0
    monkeypatch.setattr(journal_reads, "MOST_LOOKED", 100)
    few = orjson.loads(await read_signals(services, Filters(detector="smc", wanted=300)))
    assert (few["looked"], few["more"]) == (100, True)


async def test_figures_of_all_parts(services) -> None:
    states = {name: orjson.loads(text) for name, text in (await read_figures(services, 24)).items()}
    assert set(states) == {"summary", "gates", "untraded", "decay", "reliability"}
    parts = states["summary"]["parts"]
    assert parts["all"]["hit"]["n"] == states["summary"]["judged"] == 300
    assert parts["entered"]["hit"]["n"] + parts["untraded"]["hit"]["n"] == 300
    assert parts["bullish"]["hit"]["n"] + parts["bearish"]["hit"]["n"] == 300
    gates = {gate["name"]: gate for gate in states["gates"]["gates"]}
    assert gates["min_score"]["alone"] == gates["min_score"]["n"] == 200
    assert [row["action"] for row in states["untraded"]["rows"]] == ["filtered"] * 40
    assert len(states["decay"]["rows"]) == 10
    assert states["reliability"]["success"]["n"] == 300


async def test_no_challenger_is_told(services) -> None:
    found = await read_challengers(services, "gone")
    assert orjson.loads(found["state"])["rows"] == []
    assert (found["story"], found["chosen"]) == ("{}", "")

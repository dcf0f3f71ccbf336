import asyncio

import accounts
import orjson
import pytest

from app.components.account import AccountHistory, EquityChart
from app.pages.portfolio_past import LOAD_S, Past
from opportunity.storage.failures import DatabaseError


@pytest.fixture
def past(world, doc):
    world.paper = accounts.FakePaper()
    made = Past(world, doc, AccountHistory(), EquityChart())
    yield made
    made.close()


async def _until(told, doc, turn) -> None:
    async with asyncio.timeout(30):
        while not told():
            await turn(doc)


async def test_curve_and_history_are_read(past, doc, turn):
    past.load(history=True)
    await _until(lambda: past._history.state != "{}", doc, turn)
    assert len(orjson.loads(past._history.state)["trades"]) == 3
    points = orjson.loads(past._chart.points)
    assert points["start"] == 10_000.0
    assert len(points["time"]) == 6


async def test_not_too_often_and_nothing_is_forgotten(past, world, doc, turn):
    past.load()
    await _until(lambda: past._chart.points != "{}", doc, turn)
    assert past._history.state == "{}"  # only the curve was asked for
    n = len(world.paper.asked)
    past.load(history=True)
    await turn(doc)
    assert len(world.paper.asked) == n
    world.skip(LOAD_S + 1)
    past.again()
    await _until(lambda: past._history.state != "{}", doc, turn)


async def test_what_cannot_be_read_is_asked_for_again(past, world, doc, turn, monkeypatch):
    async def broken(*_, **__):
        raise DatabaseError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(world.paper, "equity", broken)
        past.load(history=True)
        await _until(lambda: not past._loading, doc, turn)
    assert past._chart.points == "{}"
    assert past._history.problem == "gone"  # else it would say that no trade has ended
    world.skip(LOAD_S + 1)
    past.again()
    await _until(lambda: past._history.state != "{}", doc, turn)
    assert past._history.problem == ""


async def test_a_page_that_has_gone_loads_nothing(past, doc):
    past.close()
    past.load(history=True)
    assert doc.session_callbacks == []

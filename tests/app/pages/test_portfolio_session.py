from dataclasses import replace

import accounts
import orjson
import pytest

from app.pages.pace import PICTURE_MS
from app.pages.portfolio_session import PortfolioSession
from opportunity.storage.events import StoredEvent


@pytest.fixture
async def session(world, doc, turn):
    world.paper = accounts.FakePaper()
    made = PortfolioSession(world, doc, "dark")
    made.open()
    await turn(doc)
    yield made
    made.close()


def _told(part) -> dict:
    return orjson.loads(part.state)


async def test_page_shows_the_account_as_it_is(session):
    assert _told(session.summary)["equity"] == accounts.STATE.equity
    assert len(_told(session.positions)["positions"]) == 2
    assert _told(session.hands) == {
        "ready": True, "open": 3, "start_cash": 10_000.0, "recorded": False,
    }  # fmt: skip
    assert orjson.loads(session.chart.newest)["time"] == accounts.NOW
    assert len(_told(session.history)["fills"]) == 3


async def test_a_recorded_account_is_not_begun_anew(world, doc, turn, tmp_path):
    world.paper, world.session = accounts.FakePaper(), tmp_path
    session = PortfolioSession(world, doc, "dark")
    session.open()
    await turn(doc)
    assert _told(session.hands)["recorded"] is True
    session.close()


async def test_every_part_has_its_place_in_the_markup(session):
    from app.pages.shell import HERE

    markup = (HERE / "portfolio.html").read_text() + (HERE / "shell.html").read_text()
    for name in session.roots():
        assert f"roots.{name}" in markup


async def test_news_of_the_account_are_drawn(session, world, doc, turn):
    world.paper.now = replace(accounts.STATE, equity=9_000.0, time=accounts.NOW + 1)
    world.hub.publish("portfolio", "", world.paper.now)
    await turn(doc)
    assert _told(session.summary)["equity"] == 9_000.0
    assert orjson.loads(session.chart.newest)["equity"] == 9_000.0


async def test_a_new_epoch_reads_everything_again(session, world, doc, turn):
    world.skip(10)
    n = len(world.paper.asked)
    world.paper.now = replace(accounts.EMPTY, epoch=3)
    world.hub.publish("portfolio", "", world.paper.now)
    await turn(doc)
    assert len(world.paper.asked) == n + 3


async def test_a_fill_reads_the_history_again(session, world, doc, turn):
    world.skip(10)
    n = len(world.paper.asked)
    world.hub.emit("event", StoredEvent(1, "k", 1, 1, "fill", {"book": "paper"}))
    await turn(doc)
    assert len(world.paper.asked) == n + 3
    world.skip(10)
    world.hub.emit("event", StoredEvent(2, "l", 1, 1, "price_alert", {}))
    await turn(doc)
    assert len(world.paper.asked) == n + 3


async def test_switch_of_the_agent_and_limits_are_followed(session, world, doc, turn):
    await world.controls.set_enabled(False, "api")
    world.paper.turned["max_drawdown"] = 0.5
    await turn(doc)
    assert not session.head.agent.enabled
    assert "Agent OFF" in _told(session.summary)["held_back"]["text"]
    assert _told(session.summary)["drawdown_limit"] == 0.5


async def test_before_there_is_an_account(world, doc, turn):
    world.paper = accounts.FakePaper(None)
    session = PortfolioSession(world, doc, "light")
    session.open()
    await turn(doc)
    assert "missing" in _told(session.positions)
    assert _told(session.hands)["ready"] is False
    world.paper.now = accounts.EMPTY
    world.hub.publish("portfolio", "", accounts.EMPTY)
    await turn(doc)
    assert _told(session.positions)["positions"] == []
    session.close()


async def test_closing_leaves_the_hub(session, world):
    assert world.hub.n_subscribers == 1
    session.close()
    assert world.hub.n_subscribers == 0
    assert PICTURE_MS > 0

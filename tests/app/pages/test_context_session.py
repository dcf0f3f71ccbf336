"""One open Context page: what surrounds the market, read beside the page; one choice of symbol."""

import threading

import orjson
import pytest
from surrounded import NOW, around, told

from app.components.whale_flow import whale_state
from app.pages import context_session
from app.pages.context_session import ContextSession
from opportunity.storage.failures import DatabaseError


class Around:
    """Answers with surroundings, and counts."""

    def __init__(self) -> None:
        self.n, self.found, self.fails = 0, around(moods=(30,), headlines=[told()]), False

    async def read(self):
        self.n += 1
        if self.fails:
            raise DatabaseError("disk is full")
        return self.found


@pytest.fixture
async def session(world, doc, turn):
    world.around = Around()
    made = ContextSession(world, doc, "dark")
    made.open()
    await turn(doc)
    yield made
    made.close()


async def test_it_follows_the_agent_and_leaves(world, doc) -> None:
    world.around = Around()
    session = ContextSession(world, doc, "dark")
    session.open()
    assert session.head.agent.enabled is True
    assert world.hub.n_subscribers == 1
    session.close()
    assert world.hub.n_subscribers == 0


async def test_all_parts_show_what_was_read(session, world) -> None:
    assert world.around.n == 1
    assert orjson.loads(session.gauge.state)["value"] == 30.0
    assert len(orjson.loads(session.news.state)["items"]) == 1
    rows = {row["symbol"]: row for row in orjson.loads(session.table.state)["rows"]}
    assert set(rows) == {"BTC/USDT", "ETH/USDT"}
    assert orjson.loads(session.whales.state)["stamp"] == "simulated"
    assert session.gauge.clock == session.news.clock == session.whales.clock == NOW


async def test_it_is_worded_on_another_thread(session, world, doc, turn, monkeypatch) -> None:
    seen = []

    def noted(*given):
        seen.append(threading.get_ident())
        return whale_state(*given)

    monkeypatch.setattr(context_session, "whale_state", noted)
    session.reading.ask(soon=True)
    await turn(doc)
    assert len(seen) == 1
    assert threading.get_ident() not in seen


async def test_before_the_warm_up_nothing_is_shown(world, doc, turn) -> None:
    world.around = Around()
    world.around.found = None
    session = ContextSession(world, doc, "dark")
    session.open()
    await turn(doc)
    assert (session.gauge.state, session.news.state) == ("{}", "{}")
    session.close()


async def test_a_symbol_is_chosen_for_all_parts(session) -> None:
    session.table.symbol = "ETH/USDT"
    assert (session.news.symbol, session.whales.symbol) == ("ETH/USDT", "ETH/USDT")
    session.news.symbol = ""
    assert (session.table.symbol, session.whales.symbol) == ("", "")


async def test_an_unknown_symbol_is_passed_over(session) -> None:
    session.table.symbol = "ETH/USDT"
    session.news.symbol = "<b>"
    assert session.whales.symbol == "ETH/USDT"


async def test_news_have_it_read_again_but_not_too_often(session, world, doc, turn) -> None:
    world.move()
    await turn(doc)
    assert world.around.n == 1
    world.skip(context_session.LOAD_S)
    world.move()
    await turn(doc)
    assert world.around.n == 2


async def test_a_failure_is_told(session, world, doc, turn) -> None:
    world.around.fails = True
    world.skip(context_session.LOAD_S)
    world.hub.publish("scan", "", world.evaluation())
    await turn(doc)
    assert session.gauge.problem == "disk is full"
    assert orjson.loads(session.gauge.state)["value"] == 30.0  # what was known stays


async def test_nothing_is_read_after_the_close(session, world, doc, turn) -> None:
    session.close()
    world.skip(context_session.LOAD_S)
    session.reading.ask(soon=True)
    await turn(doc)
    assert world.around.n == 1

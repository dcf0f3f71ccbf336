"""One open Risk page: what it draws, follows, changes and leaves."""

from dataclasses import replace

import orjson
import pytest
from portfolios import account_of
from risky import FakeMarket, FakePaper, risk_of

from app.pages.risk_looks import LOAD_S
from app.pages.risk_session import RiskSession

HELD = {"BTC/USDT": 2_000.0, "ETH/USDT": -500.0}


def put(world, state) -> None:
    world.paper = FakePaper(state)
    world.risk = risk_of(world.paper, FakeMarket())


@pytest.fixture
async def session(world, doc, turn):
    put(world, account_of(HELD))
    made = RiskSession(world, doc, "dark")
    made.open()
    await arrived(made, doc, turn)
    yield made
    made.close()


async def arrived(session, doc, turn) -> None:
    """Let everything that is under way come to the page."""
    for _ in range(200):
        await turn(doc)
        if not session.looks._loading:
            break
    else:
        raise AssertionError("nothing arrived")
    for _ in range(3):
        await turn(doc)


def told(part) -> dict:
    return orjson.loads(part.state)


async def settled(doc, turn, ready) -> None:
    for _ in range(200):
        await turn(doc)
        if ready():
            return
    raise AssertionError("it did not come")


async def test_it_shows_the_account_as_it_is(session) -> None:
    assert {tile["name"] for tile in told(session.overview)["tiles"]} >= {"var95", "drawdown"}
    assert [row["symbol"] for row in told(session.exposure)["assets"]] == list(HELD)
    assert len(told(session.tail)["methods"]) == 4
    assert len(told(session.stress)["scenarios"]) == 9
    assert len(told(session.breakers)["breakers"]) == 4
    assert told(session.alike)["symbols"] == list(HELD)
    assert told(session.limits)["version"] == 1
    assert told(session.sizer)["symbols"] == list(session.services.symbols)


async def test_every_part_has_its_place_in_the_markup(session) -> None:
    from app.pages.shell import HERE

    markup = (HERE / "risk.html").read_text() + (HERE / "shell.html").read_text()
    for name in session.roots():
        assert f"roots.{name}" in markup


async def test_news_of_the_account_are_drawn(session, world, doc, turn) -> None:
    world.skip(LOAD_S + 1)
    open_ = replace(account_of().breakers[0], state="OPEN")
    state = account_of(HELD, drawdown=0.1, breakers=(open_, *account_of().breakers[1:]))
    world.paper.now = state
    world.hub.publish("portfolio", "", state)
    await settled(doc, turn, lambda: told(session.overview)["standing"] == "stopped")
    assert told(session.breakers)["breakers"][0]["state"] == "OPEN"


async def test_another_level_and_horizon_is_asked_for(session, doc, turn) -> None:
    before = told(session.tail)["total"]
    session._ask({"type": "tail", "level": "0.99", "days": "10"})
    await settled(doc, turn, lambda: told(session.tail)["level"] == 0.99)
    assert told(session.tail)["total"] > 3 * before
    offered = orjson.loads(session.tail.offered)
    assert (offered["level"], offered["days"]) == ("0.99", "10")
    session._ask({"type": "tail", "level": "0.5", "days": "1"})  # is not offered
    assert session.looks.wanted.level == 0.99


async def test_the_map_is_of_what_is_held_or_of_what_is_watched(session, doc, turn) -> None:
    assert session.alike.chosen == "held"
    session.services.symbols = (*HELD, "SOL/USDT")
    session._ask({"type": "map", "of": "watched"})
    await settled(doc, turn, lambda: told(session.alike)["of"] == "watched")
    assert told(session.alike)["symbols"] == [*HELD, "SOL/USDT"]
    session._ask({"type": "map", "of": "everything"})
    assert session.alike.chosen == "watched"


async def test_with_nothing_held_the_map_is_of_what_is_watched(world, doc, turn) -> None:
    put(world, account_of())
    session = RiskSession(world, doc, "dark")
    assert session.alike.chosen == "watched"
    session.open()
    await arrived(session, doc, turn)
    assert told(session.overview)["empty"]
    assert told(session.stress)["empty"]
    session.close()


async def test_limits_are_applied_and_told(session, world, doc, turn) -> None:
    session._ask({"type": "limits", "values": {"kelly": 0.5}, "version": 1, "why": "more"})
    await settled(doc, turn, lambda: session.limits.answer != "{}")
    assert orjson.loads(session.limits.answer)["text"]["text"] == "The limits are in force."
    assert told(session.limits)["version"] == 2
    assert world.paper.done == [("limits", {"kelly": 0.5}, "page", "more")]


async def test_somebody_who_was_quicker_is_shown_beside(session, world, doc, turn) -> None:
    await world.paper.set_limits({"kelly": 0.1}, "bob")
    session._ask({"type": "limits", "values": {"kelly": 0.5}, "version": 1})
    await settled(doc, turn, lambda: session.limits.conflict != "{}")
    found = orjson.loads(session.limits.conflict)
    assert found["values"]["kelly"] == 0.1
    assert found["version"] == 2
    assert world.paper.trading.risk.kelly == 0.1
    session._ask({"type": "limits", "values": {"kelly": 0.5}, "version": found["version"]})
    await settled(doc, turn, lambda: world.paper.trading.risk.kelly == 0.5)


async def test_limits_of_others_arrive(session, world, doc, turn) -> None:
    await world.paper.set_limits({"max_position": 0.1}, "bob")
    world.hub.emit("config", {"what": "limits", "value": {}, "version": 2, "by": "bob", "ts": 1})
    await settled(doc, turn, lambda: told(session.limits)["version"] == 2)
    await settled(doc, turn, lambda: told(session.exposure)["limit"] == 0.1)


async def test_what_breaks_a_rule_is_told_in_words(session, doc, turn) -> None:
    session._ask({"type": "limits", "values": {"kely": 0.5}, "version": 1})
    await settled(doc, turn, lambda: session.limits.answer != "{}")
    error = orjson.loads(session.limits.answer)["error"]
    assert "Did you mean 'kelly'" in error["values"]["why"]


async def test_a_breaker_is_closed_by_hand(session, world, doc, turn) -> None:
    session._ask({"type": "reset_breaker", "name": "drawdown", "why": "seen"})
    await settled(doc, turn, lambda: session.breakers.answer != "{}")
    assert world.paper.done == [("breakers", "drawdown", "page", "seen")]


async def test_a_size_is_answered_with_how_it_fits(session, doc, turn) -> None:
    session._ask({"type": "size", "n": 4, "symbol": "BTC/USDT", "entry": "100", "stop": "95"})
    await settled(doc, turn, lambda: session.sizer.together != "{}")
    plan = orjson.loads(session.sizer.plan)
    assert (plan["n"], plan["side"]) == (4, 1)
    assert orjson.loads(session.sizer.together)["with"] == "ETH/USDT"
    session._ask({"type": "size", "n": 5, "symbol": "BTC/USDT", "entry": "x"})
    await settled(doc, turn, lambda: orjson.loads(session.sizer.plan)["n"] == 5)
    assert "must be a number" in orjson.loads(session.sizer.plan)["error"]


async def test_an_answer_to_older_typing_is_dropped(session, doc, turn) -> None:
    session._tell_size(99, {"symbol": "BTC/USDT", "side": 1}, None)
    session._tell_together(99, {"pairs": 1}, None)
    assert (session.sizer.plan, session.sizer.together) == ("{}", "{}")


async def test_what_is_shown_stays_while_nothing_newer_is_known(session, world, doc, turn) -> None:
    async def fail(state):
        raise OSError("the market is gone")

    before = told(session.overview)
    world.risk.view = fail
    session.looks.load(soon=True)
    await settled(doc, turn, lambda: "error" in told(session.overview))
    assert told(session.overview) == before | {"error": "the market is gone"}


async def test_nonsense_is_passed_over(session) -> None:
    before = told(session.overview)
    for pressed in ({}, {"type": "buy"}, {"type": "map"}, {"type": "tail"}):
        session._ask(pressed)
    assert told(session.overview) == before


async def test_before_there_is_an_account(world, doc, turn) -> None:
    put(world, account_of())
    world.paper.now = None
    session = RiskSession(world, doc, "light")
    session.open()
    await arrived(session, doc, turn)
    assert told(session.overview) == {}
    assert told(session.breakers)["missing"]
    session.close()


async def test_it_follows_the_agent_and_leaves(session, world, doc) -> None:
    assert session.head.agent.enabled is True
    assert world.hub.n_subscribers == 1
    session.close()
    assert world.hub.n_subscribers == 0
    session.looks.load()
    assert not session.looks._loading

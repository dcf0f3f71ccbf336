import asyncio

import orjson
from said import english

from app.pages.live_context import LOAD_S, LiveContext
from app.pages.live_session import LiveSession


async def _until(told, world, doc, turn) -> None:
    async with asyncio.timeout(30):
        while not told():
            await turn(doc)
            await asyncio.sleep(0.005)


async def test_context_of_the_chosen_symbol_is_fetched_once_in_a_while(world, doc, turn) -> None:
    loaded: list[str] = []
    context = LiveContext(world, doc, lambda: loaded.append(context.symbol))
    context.follow("BTC/USDT")
    context.follow("BTC/USDT")
    await _until(lambda: loaded, world, doc, turn)
    assert context.known is not None
    assert context.known.symbol == "BTC/USDT"
    context.follow("BTC/USDT")
    assert doc.session_callbacks == []  # too soon
    world.skip(LOAD_S + 1)
    context.follow("BTC/USDT")
    assert len(doc.session_callbacks) == 1


async def test_what_comes_for_another_symbol_is_not_shown(world, doc, turn) -> None:
    loaded: list[str] = []
    context = LiveContext(world, doc, lambda: loaded.append(context.known.symbol))
    context.follow("BTC/USDT")
    context.follow("ETH/USDT")
    assert context.known is None
    await _until(lambda: loaded, world, doc, turn)
    assert loaded == ["ETH/USDT"]
    context.close()
    context.follow("SOL/USDT")
    assert doc.session_callbacks == []


async def test_card_shows_mood_and_headlines_of_its_symbol(world, doc, turn) -> None:
    session = LiveSession(world, doc, "ETH/USDT", "1h", "dark")
    session.open()
    await _until(lambda: session.why.context != "{}", world, doc, turn)
    shown = orjson.loads(session.why.context)
    assert shown["stamp"] == "simulated"
    assert [english(w) for w in shown["facts"][0][:2]] == ["Fear & Greed", "20, extreme fear"]
    assert shown["headlines"][0]["title"] == "<i>Coin</i> soars"  # the browser shows it as text
    state = orjson.loads(session.why.state)
    assert {s["name"] for s in state["steps"] if not s["exists"]} == {
        "sentiment", "news", "whales",
    }
    session.close()

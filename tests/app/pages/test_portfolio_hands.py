import asyncio

import accounts
import orjson
import pytest

from app.components.account import AccountHands
from app.pages.portfolio_hands import Hands


@pytest.fixture
def paper(world):
    world.paper = accounts.FakePaper()
    return world.paper


@pytest.fixture
def press(world, doc, turn, paper):
    hands, part = Hands(world, doc), AccountHands()

    async def press(**asked):
        before = part.answer
        hands.ask(part, asked)
        async with asyncio.timeout(30):
            while part.answer == before:
                await turn(doc)
        return orjson.loads(part.answer)

    return press


@pytest.mark.parametrize(
    ("asked", "done", "words"),
    [
        ({"type": "close", "symbol": "BTC/USDT"}, ("close", "BTC/USDT", "page", ""), "next open"),
        ({"type": "flatten", "why": "w" * 300}, ("flatten", "page", "w" * 200), "{n} positions"),
        ({"type": "reset", "cash": 500, "why": "new"}, ("reset", 500.0, "page", "new"), "anew"),
        ({"type": "reset_breaker", "name": "drawdown"},
         ("reset_breakers", "drawdown", "page", ""), "closed by hand"),
    ],
)
async def test_commands_are_carried_out_and_told(press, paper, asked, done, words):
    told = await press(**asked)
    assert paper.done == [done]
    assert words in told["text"]["text"]
    assert told["error"] == ""


@pytest.mark.parametrize(
    "asked",
    [{"type": "close", "symbol": "SOL/USDT"}, {"type": "close"}, {"type": "reset", "cash": "x"},
     {"type": "reset", "cash": None}, {"type": "buy"}, {}],
)
async def test_nonsense_is_refused_in_words(press, asked):
    told = await press(**asked)
    assert told["text"] == ""
    assert told["error"]["text"] == "Not done: {why}"
    assert told["error"]["values"]["why"]


async def test_what_cannot_be_done_now_is_told(press, paper):
    paper.error = accounts.NOT_NOW
    assert "agent must run" in (await press(type="flatten"))["error"]["values"]["why"]


async def test_a_page_that_has_gone_is_told_nothing(world, doc, turn, paper):
    hands, part = Hands(world, doc), AccountHands()
    hands.ask(part, {"type": "flatten"})
    hands.close()
    await turn(doc)
    assert paper.done == [("flatten", "page", "")]  # it was asked for, so it is done
    assert part.answer == "{}"

import math

import pytest

from app.universe import Choice, Outcome, Quote


class FakeUniverse:
    """Keeps what it is asked."""

    def __init__(self, symbols) -> None:
        self.stored: Choice | None = None
        self.asked: list = []
        self.overruled = ""
        self._symbols = symbols

    def in_force(self, stored):
        return stored or Choice(top=6)

    async def chosen(self):
        return self.stored

    def watched(self, sort="volume"):
        return tuple(Quote(s, 1.0, 0.01, 5.0) for s in self._symbols)

    async def look(self, choice, sort="volume"):
        self.asked.append((choice, sort))
        if choice.quote == "XXX":
            raise ValueError("quote must be a known name, was 'XXX'")
        names = choice.symbols or self._symbols[: choice.top]
        quotes = [Quote(s, math.nan, math.nan, math.nan) for s in (*names, "WIF/USDT")]
        return Outcome(tuple(quotes), ("WIF/USDT",), "")

    async def choose(self, choice, by, why=""):
        found = await self.look(choice)
        self.stored, self.by = choice, (by, why)
        return found


@pytest.fixture
async def universe(world):
    world.services.universe = FakeUniverse(world.services.symbols)
    return world.services.universe


async def test_what_is_watched_and_what_a_choice_would_give(world, universe):
    status, body, _ = await world.call("GET", "/api/universe?quote=usdt&top=2&sort=name")
    assert status == 200
    assert universe.asked == [(Choice("usdt", 2), "name")]
    assert len(body["watched"]) == 6
    assert body["watched"][0]["volume_24h"] == 5.0
    assert (body["chosen"], body["source"]) == (None, "simulated")
    would = body["would"]
    assert [line["symbol"] for line in would["symbols"]] == ["BTC/USDT", "ETH/USDT", "WIF/USDT"]
    assert would["symbols"][0]["price"] is None
    assert (would["added"], would["held"]) == (["WIF/USDT"], ["WIF/USDT"])
    assert would["removed"] == list(world.services.symbols[2:])
    assert would["applies"] == "restart"


async def test_without_a_question_it_is_what_is_in_force(world, universe):
    await world.call("GET", "/api/universe")
    universe.stored = Choice(top=1)
    await world.call("GET", "/api/universe")
    assert [choice for choice, _ in universe.asked] == [Choice(top=6), Choice(top=1)]


async def test_a_choice_is_kept_for_the_next_start(world, universe):
    asked = {"symbols": ["btcusdt", "ETH-USDT"], "why": "only these"}
    status, body, _ = await world.call("PUT", "/api/universe", json=asked)
    assert status == 200
    assert universe.stored == Choice("", None, ("BTC/USDT", "ETH/USDT"))
    assert universe.by == ("api", "only these")
    assert body["chosen"] == {"quote": None, "top": None, "symbols": ["BTC/USDT", "ETH/USDT"]}
    await world.call("PUT", "/api/universe", json={"quote": "eur", "top": 5})
    assert universe.stored == Choice("EUR", 5)


async def test_settings_that_win_are_named(world, universe):
    universe.overruled = "symbols"
    _, body, _ = await world.call("PUT", "/api/universe", json={"top": 3})
    assert body["would"]["applies"] == "overruled"
    assert "symbols" in body["would"]["note"]


@pytest.mark.parametrize(
    "query", ["top=0", "top=2001", "sort=size", "quote=a%20b", "quote=XXX", "n=3"]
)
async def test_questions_are_checked(world, universe, query):
    await world.refused(422, "GET", f"/api/universe?{query}")


@pytest.mark.parametrize("body", [{"top": "3"}, {"symbols": ["!!"]}, {"sort": "name"}])
async def test_choices_are_checked(world, universe, body):
    await world.refused(422, "PUT", "/api/universe", json=body)


async def test_before_the_exchange_said_what_it_trades(world, universe):
    world.services.symbols = ()
    for method in ("GET", "PUT"):
        problem = await world.refused(503, method, "/api/universe")
        assert problem["code"] == "warming_up"

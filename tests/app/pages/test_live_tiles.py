from types import SimpleNamespace

import orjson
import pytest

from app.pages.head import Head
from app.pages.live_tiles import MEASURE_S, LiveTiles
from opportunity.errors import CoverageError


def account(*positions):
    return SimpleNamespace(
        source="simulated", equity=10_000.0, start_cash=10_000.0, day_pnl_pct=0.0,
        positions=positions, exposure=0.1, leverage=0.1, drawdown=0.0, n_trades=0, wins=0,
        can_trade=True, why_not="", storage="ok", breakers=(),
    )


class Risk:
    def __init__(self) -> None:
        self.asked, self.fails = 0, False

    async def tails(self, state, level, days):
        self.asked += 1
        if self.fails:
            raise CoverageError("the past must cover 30 days, was 2")
        return SimpleNamespace(tails={"historical": SimpleNamespace(var=180.0, note="")})


@pytest.fixture
async def tiles(world, doc):
    world.risk = Risk()
    made = LiveTiles(world, Head(world, doc, "dark"))
    yield made
    made.close()


def _state(tiles):
    return orjson.loads(tiles.view.state)


async def test_an_account_that_is_not_open_yet_says_so(tiles) -> None:
    tiles.open()
    assert _state(tiles) == {"opening": True}


async def test_risk_is_measured_aside_and_seldom(tiles, world, doc, turn) -> None:
    world.paper.held = account("one")
    tiles.open()
    assert _state(tiles)["risk"] is None
    await turn(doc)
    assert _state(tiles)["risk"] == pytest.approx(0.018)
    for _ in range(3):
        tiles.heard({"portfolio": {}}, [])
    await turn(doc)
    assert world.risk.asked == 1
    world.skip(MEASURE_S + 1)
    tiles.heard({"portfolio": {}}, [])
    await turn(doc)
    assert world.risk.asked == 2


async def test_nothing_held_is_no_risk_and_asks_nobody(tiles, world, doc, turn) -> None:
    world.paper.held = account()
    tiles.open()
    await turn(doc)
    assert (_state(tiles)["risk"], world.risk.asked) == (0.0, 0)


async def test_what_cannot_be_measured_leaves_the_rest(tiles, world, doc, turn) -> None:
    world.risk.fails = True
    world.paper.held = account("one")
    tiles.open()
    await turn(doc)
    assert (_state(tiles)["risk"], _state(tiles)["open"]) == (None, 1)


async def test_a_page_that_is_gone_is_told_nothing(tiles, world, doc, turn) -> None:
    world.paper.held = account("one")
    tiles.open()
    before = tiles.view.state
    tiles.close()
    await turn(doc)
    assert tiles.view.state == before

import math
from dataclasses import replace

import pytest
from portfolios import account_of
from risky import FakeMarket, FakePaper, risk_of

from app.auth.pages import NotAllowedError
from app.auth.roles import Caller, Role
from app.pages.risk_hands import RiskHands
from app.risk import MarketNow
from opportunity.errors import ConflictError, OpportunityError

TRADER = Caller("anna", Role.TRADER, "session")


@pytest.fixture
def hands(world):
    """Hands of a trader over a small account, with a market that has a price and an ATR."""
    world.paper = FakePaper(account_of({"ETH/USDT": 2_000.0}))
    world.risk = risk_of(world.paper, FakeMarket())
    world.risk.market = lambda symbol: MarketNow(100.0, 2.0, 1e8)
    return RiskHands(world, TRADER)


async def test_a_breaker_is_closed_under_a_name(hands, world) -> None:
    told = await hands.reset_breaker({"name": "drawdown", "why": "w" * 900})
    assert world.paper.done == [("breakers", "drawdown", "anna", "w" * 500)]
    assert told["values"]["name"]["text"] == "Drawdown"
    with pytest.raises(ValueError, match="Did you mean 'drawdown'"):
        await hands.reset_breaker({"name": "drawdwn"})
    world.paper.failure = OpportunityError("agent must run")
    with pytest.raises(OpportunityError):
        await hands.reset_breaker({"name": "drawdown"})


async def test_limits_are_set_if_nobody_was_quicker(hands, world) -> None:
    asked = {"values": {"max_drawdown": 0.2}, "version": 1, "why": "calm"}
    assert (await hands.set_limits(asked))["text"] == "The limits are in force."
    assert world.paper.done == [("limits", {"max_drawdown": 0.2}, "anna", "calm")]
    with pytest.raises(ConflictError):
        await hands.set_limits(asked)  # version 2 is in force
    assert world.paper.trading.risk.max_drawdown == 0.2


@pytest.mark.parametrize(
    "asked",
    [{"values": {}, "version": 1}, {"version": 1}, {"values": {"kelly": 0.1}},
     {"values": {"kelly": 0.1}, "version": True}, {"values": [1], "version": 1}],
)  # fmt: skip
async def test_nonsense_changes_nothing(hands, world, asked) -> None:
    with pytest.raises(ValueError, match="must"):
        await hands.set_limits(asked)
    assert world.paper.done == []


async def test_a_viewer_changes_nothing_but_may_calculate(world, hands) -> None:
    viewer = RiskHands(world, Caller("eve", Role.VIEWER, "session"))
    for work in (
        viewer.set_limits({"values": {"kelly": 0.1}, "version": 1}),
        viewer.reset_breaker({"name": "drawdown"}),
    ):
        with pytest.raises(NotAllowedError):
            await work
    assert world.paper.done == []
    assert (await viewer.size({"symbol": "BTC/USDT"}))["size"] > 0


async def test_empty_fields_are_taken_from_market_account_and_limits(hands) -> None:
    told = await hands.size({"symbol": "BTC/USDT", "side": 0})
    assert (told["entry"], told["stop"], told["side"]) == (100.0, 97.0, 1)
    assert told["equity"] == 10_000.0
    assert told["gross"] == 2_000.0
    assert told["risk"] == 0.01
    assert not math.isnan(told["confidence"])
    assert not told["far"]
    assert told["held_back"] == ""


async def test_what_is_typed_counts(hands) -> None:
    told = await hands.size({
        "symbol": "BTC/USDT", "side": -1, "entry": "150", "stop": "160", "account": "5,000",
        "risk": "2", "confidence": "0.5",
    })  # fmt: skip
    assert (told["entry"], told["stop"], told["side"], told["equity"]) == (150.0, 160.0, -1, 5e3)
    assert (told["risk"], told["confidence"], told["gross"]) == (0.02, 0.5, 0.0)
    assert told["plain"] == pytest.approx(10.0)
    assert told["far"]  # 50 % above the newest price


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"symbol": "BTC/USDX"}, "Did you mean"),
        ({"symbol": "BTC/USDT", "entry": "abc"}, "entry must be a number"),
        ({"symbol": "BTC/USDT", "entry": "inf"}, "finite"),
        ({"symbol": "BTC/USDT", "side": 1, "stop": "120"}, "stop of a long must be below"),
        ({"symbol": "BTC/USDT", "risk": "0"}, "risk must be a fraction"),
        ({"symbol": "BTC/USDT", "confidence": "3"}, "confidence must be in"),
        ({"symbol": "BTC/USDT", "account": "-5"}, "equity must be"),
        ({"symbol": "BTC/USDT", "side": 7}, "side must be"),
    ],
)
async def test_what_breaks_a_rule_is_told(hands, asked, words) -> None:
    with pytest.raises(ValueError, match=words):
        await hands.size(asked)


async def test_without_a_price_the_entry_must_be_given(hands, world) -> None:
    world.risk.market = lambda symbol: MarketNow()
    with pytest.raises(ValueError, match="entry must be given"):
        await hands.size({"symbol": "BTC/USDT"})
    with pytest.raises(ValueError, match="must give a stop"):
        await hands.size({"symbol": "BTC/USDT", "entry": "10"})
    assert (await hands.size({"symbol": "BTC/USDT", "entry": "10", "stop": "9"}))["size"] > 0


async def test_an_account_that_holds_back_says_why(hands, world) -> None:
    world.paper.now = replace(account_of(), can_trade=False, why_not="breaker open: daily_loss")
    told = await hands.size({"symbol": "BTC/USDT"})
    assert told["held_back"]["values"]["names"][0]["text"] == "Daily loss"
    other = await hands.size({"symbol": "BTC/USDT", "account": "500"})
    assert other["held_back"] == ""


async def test_how_it_moves_with_what_is_held(hands, world) -> None:
    found = await hands.together("BTC/USDT", 1)
    assert (found["pairs"], found["with"]) == (1, "ETH/USDT")
    assert found["highest"] == pytest.approx(0.5, abs=0.12)
    assert (await hands.together("ETH/USDT", 1))["pairs"] == 0  # itself is no other
    world.paper.now = None
    assert (await hands.together("BTC/USDT", 1))["pairs"] == 0

from dataclasses import replace

import pytest
from portfolios import account_of
from risky import with_risk

PLAN, STOP = "/api/risk/calculate-position", "/api/risk/calculate-stop-loss"
HELD = {"BTC/USDT": 2_000.0, "ETH/USDT": -500.0}
RUNBOOK = {"entry_price": 45_000, "stop_loss": 44_000, "account_size": 10_000, "risk_percent": 2}


@pytest.fixture
def room(world):
    return with_risk(world, account_of(HELD))


# -- position ----------------------------------------------------------------------------------


async def test_position_of_the_runbook(room):
    status, body, _ = await room.call("POST", PLAN, json=RUNBOOK)
    assert status == 200
    assert body["position_size"] == pytest.approx(0.2, abs=1e-12)
    assert body["position_value"] == pytest.approx(9_000)
    assert body["position_percent"] == pytest.approx(90)
    assert body["binding"] == "notional"
    assert body["capped_size"] == pytest.approx(1 / 15)
    assert [bound["name"] for bound in body["bounds"]] == [
        "risk", "notional", "leverage", "liquidity", "volatility", "kelly",
    ]  # fmt: skip
    assert body["bounds"][3]["units"] is None
    position = body["position"]
    assert position["take_profit"] == [46_000, 47_000, 48_000]
    assert (position["direction"], position["r_multiple"]) == ("BULLISH", 2)
    assert position["quantity"] == body["capped_size"]
    assert position["risk_amount"] == pytest.approx(1_000 / 15)
    assert position["risk_pct"] == pytest.approx(10 / 15)
    assert (body["status"], body["reason"], position["symbol"]) == ("success", "", None)
    assert body["risk_status"]["open_positions"] == 2


@pytest.mark.parametrize("account", ["account_size", "account_balance"])
@pytest.mark.parametrize("risk", ["risk_percent", "risk_percentage"])
async def test_position_takes_every_name(room, account, risk):
    asked = {"entry_price": 45_000, "stop_loss": 44_000, account: 10_000, risk: 2}
    _, body, _ = await room.call("POST", PLAN, json=asked)
    assert body["position_size"] == pytest.approx(0.2)


async def test_position_takes_names_that_agree_and_refuses_those_that_do_not(room):
    status, _, _ = await room.call("POST", PLAN, json=RUNBOOK | {"account_balance": 10_000})
    assert status == 200
    for name, value in (("account_balance", 9_000), ("risk_percentage", 1)):
        problem = await room.refused(400, "POST", PLAN, json=RUNBOOK | {name: value})
        assert problem["code"] == "contradiction"
        assert problem["field"] in ("account_size", "risk_percent")
    both = {"confidence": 0.5, "score": {"confidence": 0.6}}
    assert (await room.refused(400, "POST", PLAN, json=RUNBOOK | both))["field"] == "confidence"
    both = {"direction": "LONG", "score": {"direction": "BEARISH"}}
    assert (await room.refused(400, "POST", PLAN, json=RUNBOOK | both))["field"] == "direction"


async def test_position_without_account_is_the_papers_with_what_it_holds(room):
    asked = {"entry_price": 45_000, "stop_loss": 44_000}
    _, body, _ = await room.call("POST", PLAN, json=asked)
    assert (body["account_size"], body["risk_percent"]) == (10_000, 1)
    assert body["position_size"] == pytest.approx(0.1)
    leverage = body["bounds"][2]
    assert leverage["units"] == pytest.approx((30_000 - 2_500) / 45_000)


async def test_position_of_the_paper_account_is_rejected_while_it_may_not_trade(room):
    room.services.paper.now = replace(account_of(), can_trade=False, why_not="drawdown")
    asked = {"entry_price": 45_000, "stop_loss": 44_000}
    _, body, _ = await room.call("POST", PLAN, json=asked)
    assert (body["status"], body["reason"]) == ("rejected", "drawdown")
    _, body, _ = await room.call("POST", PLAN, json=RUNBOOK)
    assert body["status"] == "success"  # an account of one's own is not held by our breakers


async def test_position_of_a_symbol_brings_what_is_known_of_it(room):
    asked = RUNBOOK | {"symbol": "btcusdt", "score": {"confidence": 0.5, "direction": "BULLISH"}}
    _, body, _ = await room.call("POST", PLAN, json=asked)
    assert body["position"]["symbol"] == "BTC/USDT"
    units = {bound["name"]: bound["units"] for bound in body["bounds"]}
    market = room.services.market
    row, hour = market.symbols.index("BTC/USDT"), market.timeframes.index("1h")
    assert units["liquidity"] == pytest.approx(0.01 * market.volume_24h[row] / 45_000)
    assert units["volatility"] == pytest.approx(200 / market.atr[row, hour])
    assert units["kelly"] == pytest.approx(10_000 * 0.25 * (0.25 / 1.5) / 1_000)
    problem = await room.refused(404, "POST", PLAN, json=RUNBOOK | {"symbol": "NOPE/USDT"})
    assert problem["code"] == "unknown_symbol"


async def test_position_that_is_too_small_is_rejected(room):
    _, body, _ = await room.call("POST", PLAN, json=RUNBOOK | {"quantity_step": 1})
    assert (body["status"], body["capped_size"]) == ("rejected", 0)
    assert "at least one step" in body["reason"]


@pytest.mark.parametrize(
    ("change", "status"),
    [({"stop_loss": 45_000}, 400), ({"direction": "SHORT"}, 400), ({"direction": "UP"}, 422),
     ({"entry_price": 0}, 422), ({"entry_price": "45000"}, 422), ({"risk_percent": 0}, 422),
     ({"risk_percent": 101}, 422), ({"owner": 1}, 422), ({"account_size": -1}, 422),
     ({"score": {"direction": "BEARISH"}}, 400), ({"entry_price": 1e300}, 422),
     ({"stop_loss": 1e-300}, 422), ({"account_size": 1e300}, 422), ({"atr": 1e-300}, 422)],
)  # fmt: skip
async def test_position_that_makes_no_sense_is_refused(room, change, status):
    await room.refused(status, "POST", PLAN, json=RUNBOOK | change)


@pytest.mark.parametrize("entry", [1e-15, 1.0, 1e15])
@pytest.mark.parametrize("away", [1 - 1e-15, 0.5, 1 + 1e-15, 1.5])
@pytest.mark.parametrize("account", [1e-15, 1e15])
async def test_position_of_extreme_numbers_is_answered(room, entry, away, account):
    body = {
        "entry_price": entry, "stop_loss": min(max(entry * away, 1e-15), 1e15),
        "account_size": account, "atr": 1e-15, "quantity_step": 1e-15, "volume_24h": 1e15,
        "confidence": 1.0,
    }  # fmt: skip
    status, answer, _ = await room.call("POST", PLAN, json=body)
    assert status == (400 if body["stop_loss"] == entry else 200), answer


async def test_position_needs_its_prices(room):
    problem = await room.refused(422, "POST", PLAN, json={"symbol": "BTCUSDT"})
    assert {error["field"] for error in problem["errors"]} == {"entry_price"}
    problem = await room.refused(400, "POST", PLAN, json={"entry_price": 100, "account_size": 9})
    assert problem["detail"] == "stop_loss or a direction must be given, were not"


async def test_position_without_a_stop_has_it_placed(room):
    asked = {"entry_price": 100, "account_size": 10_000, "risk_percent": 1, "direction": "LONG"}
    _, body, _ = await room.call("POST", PLAN, json=asked | {"atr": 4, "structure_levels": [97]})
    assert body["position"]["stop_loss"] == 97
    assert body["position_size"] == pytest.approx(100 / 3)
    problem = await room.refused(400, "POST", PLAN, json=asked)
    assert "must give a stop" in problem["detail"]


async def test_position_of_own_account_needs_no_paper_account(room):
    room.services.paper.now = None
    _, body, _ = await room.call("POST", PLAN, json=RUNBOOK)
    assert body["risk_status"] is None
    assert body["position_size"] == pytest.approx(0.2)


# -- stop --------------------------------------------------------------------------------------


async def test_stop_is_the_tighter_one(room):
    asked = {"entry_price": 100, "direction": "BULLISH", "atr": 4, "structure_levels": [90, 97]}
    _, body, _ = await room.call("POST", STOP, json=asked)
    assert (body["stop_loss"], body["basis"]) == (97, "structure")
    assert (body["atr_stop"], body["structure_stop"], body["atr"]) == (94, 97, 4)
    _, body, _ = await room.call("POST", STOP, json=asked | {"direction": "SHORT"})
    assert (body["stop_loss"], body["direction"]) == (106, "BEARISH")


async def test_stop_takes_the_atr_of_the_symbol(room):
    market = room.services.market
    atr = market.atr[market.symbols.index("BTC/USDT"), market.timeframes.index("1h")]
    asked = {"entry_price": 100, "direction": "long", "symbol": "BTC-USDT"}
    _, body, _ = await room.call("POST", STOP, json=asked)
    assert body["stop_loss"] == pytest.approx(100 - 1.5 * atr)
    assert body["symbol"] == "BTC/USDT"


async def test_stop_of_nothing_is_refused(room):
    problem = await room.refused(
        400, "POST", STOP, json={"entry_price": 100, "direction": "LONG"}
    )
    assert problem["code"] == "no_stop"
    await room.refused(422, "POST", STOP, json={"entry_price": 100})
    await room.refused(422, "POST", STOP, json={"entry_price": 100, "direction": "NEUTRAL"})


@pytest.mark.parametrize(("factor", "words"), [
    (1.0, ""), (1.19, ""), (0.81, ""), (1.5, "50% above"), (0.7, "30% below"), (50, "far above"),
])  # fmt: skip
async def test_entry_far_from_the_price_is_noted_and_answered(room, factor, words):
    market = room.services.market
    entry = factor * float(market.price[market.symbols.index("BTC/USDT")])
    asked = RUNBOOK | {"entry_price": entry, "stop_loss": 0.99 * entry}
    stop = {"entry_price": entry, "direction": "LONG", "symbol": "BTC/USDT"}
    for path, body in ((PLAN, asked | {"symbol": "BTC/USDT"}), (STOP, stop)):
        status, answer, _ = await room.call("POST", path, json=body)
        assert status == 200
        assert words in answer["note"]
        assert bool(answer["note"]) is bool(words)
    assert (await room.call("POST", PLAN, json=asked))[1]["note"] == ""

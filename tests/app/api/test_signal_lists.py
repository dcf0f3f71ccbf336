import pytest
from journals import HOUR, IDEA, START, Room, ideas

LIVE, PAST = "/api/signals/live", "/api/signals/history"


@pytest.fixture
async def room(world, tmp_path):
    made = Room(tmp_path, [
        *ideas(30),
        IDEA._replace(time=START + 41 * HOUR, action="refused", side=-1, success=float("nan")),
    ])  # fmt: skip
    world.services.journal = made.service
    yield made
    await made.close()


async def live(world, query=""):
    return (await world.call("GET", LIVE + query))[1]


async def test_signals_come_strongest_first(world):
    for symbol, score in (("BTC/USDT", 0.7), ("ETH/USDT", 0.1), ("SOL/USDT", 0.5)):
        world.services.publish_signal(symbol, score)
    body = await live(world)
    assert [one["symbol"] for one in body["signals"]] == ["ETH/USDT", "BTC/USDT"]
    first = body["signals"][0]
    assert (first["id"], first["direction"], first["success"]) == ("ETHUSDT", "BEARISH", None)
    assert first["timeframes"] == {"5m": 0.1, "1h": 0.5}
    assert (body["count"], body["total"], body["enabled"]) == (2, 2, True)
    assert (body["timestamp"], body["source"]) == (first["ts"], "simulated")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?direction=BULLISH", ["BTC/USDT"]),
        ("?exclude_neutral=false", ["ETH/USDT", "BTC/USDT", "SOL/USDT"]),
        ("?min_confidence=0.6", []),
        ("?limit=1", ["ETH/USDT"]),
    ],
)
async def test_what_is_asked_for_is_what_comes(world, query, found):
    for symbol, score in (("BTC/USDT", 0.7), ("ETH/USDT", 0.1), ("SOL/USDT", 0.5)):
        world.services.publish_signal(symbol, score)
    body = await live(world, query)
    assert [one["symbol"] for one in body["signals"]] == found
    assert body["count"] == len(found)
    if "limit" in query:
        assert body["total"] == 2


async def test_without_signals_and_with_the_agent_off(world):
    assert (await live(world))["timestamp"] is None
    world.services.publish_signal("BTC/USDT", 0.9)
    world.services.agent.enabled = False
    body = await live(world)
    assert (body["enabled"], body["count"]) == (False, 1)


async def test_undefined_numbers_are_null(world):
    world.services.publish_signal("BTC/USDT", 0.9, confidence=float("nan"))
    assert (await live(world))["signals"][0]["confidence"] is None


@pytest.mark.parametrize(
    "bad",
    ["direction=UP", "direction=NEUTRAL", "min_confidence=2", "limit=0", "limit=2001",
     "exclude_neutral=maybe", "page=1"],
)  # fmt: skip
async def test_bad_query_is_refused(world, bad):
    await world.refused(422, "GET", f"{LIVE}?{bad}")


async def test_history_is_the_log_of_decisions_in_the_fields_of_a_signal(world, room):
    _, body, _ = await world.call("GET", PAST + "?limit=2")
    _, log, _ = await world.call("GET", "/api/decisions?limit=2")
    assert [one["decision"] for one in body["signals"]] == [d["id"] for d in log["decisions"]]
    first, told = body["signals"][0], log["decisions"][0]
    assert (first["direction"], first["success"], first["ts"]) == ("BEARISH", None, told["time"])
    assert first["symbol"].replace("/", "") == first["id"]
    for name in ("score", "confidence", "price", "action", "timeframe", "risk_level"):
        assert first[name] == told[name]
    assert (body["count"], body["next"], body["source"]) == (2, log["next"], "simulated")


async def test_pages_of_history_join(world, room):
    whole = (await world.call("GET", PAST + "?limit=500"))[1]["signals"]
    found, after = [], ""
    while True:
        page = (await world.call("GET", f"{PAST}?limit=7{after}"))[1]
        found += page["signals"]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert found == whole
    assert len(whole) == 61
    some = (await world.call("GET", f"{PAST}?symbol=eth-usdt&since={START}"))[1]
    assert {one["symbol"] for one in some["signals"]} == {"ETH/USDT"}
    for bad in ("symbol=!!", "limit=501", "since=-1", "horizon=4"):
        await world.refused(422, "GET", f"{PAST}?{bad}")

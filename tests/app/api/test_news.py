import pytest

PATH = "/api/news"


async def test_newest_headlines_come_as_they_were_written(world):
    status, body, _ = await world.call("GET", f"{PATH}?symbol=btc-usdt&limit=3")
    assert status == 200
    assert (body["symbol"], body["id"], body["source"]) == ("BTC/USDT", "BTCUSDT", "simulated")
    assert [h["title"] for h in body["headlines"]] == [
        f"<b>Bitcoin</b> headline {i}" for i in range(3)
    ]
    assert all(h["known_at"] <= body["ts"] for h in body["headlines"])
    _, body, _ = await world.call("GET", f"{PATH}?symbol=BTCUSDT")
    assert len(body["headlines"]) == 20


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ("", 422, "symbol"), ("?symbol=%3F%3F", 422, "symbol"), ("?symbol=NOPEUSDT", 404, "symbol"),
        ("?symbol=BTCUSDT&limit=0", 422, "limit"), ("?symbol=BTCUSDT&limit=101", 422, "limit"),
        ("?symbol=BTCUSDT&since=1", 422, "since"),
    ],
)  # fmt: skip
async def test_bad_question_names_its_field(world, query, status, field):
    assert (await world.refused(status, "GET", PATH + query))["field"] == field


async def test_nothing_is_known_while_the_agent_warms_up(world):
    world.services.market = None
    problem = await world.refused(503, "GET", f"{PATH}?symbol=BTCUSDT")
    assert problem["code"] == "warming_up"

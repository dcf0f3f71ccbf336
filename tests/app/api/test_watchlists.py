import pytest

from opportunity.storage.database import open_database
from opportunity.storage.watchlists import WatchlistRepository


@pytest.fixture
async def world(world, tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    world.services.watchlists = WatchlistRepository(engine, lambda: 7)
    yield world
    engine.dispose()


PATH = "/api/watchlists"


async def test_lists_are_kept_replaced_and_deleted(world):
    asked = {"symbols": ["btcusdt", "ETH-USDT", "BTC/USDT", "WIF/USDT"]}
    status, body, _ = await world.call("PUT", f"{PATH}/my%20majors", json=asked)
    assert status == 200
    kept = {
        "name": "my majors", "symbols": ["BTC/USDT", "ETH/USDT", "WIF/USDT"],
        "ids": ["BTCUSDT", "ETHUSDT", "WIFUSDT"], "unwatched": ["WIF/USDT"], "updated_at": 7,
    }
    assert body["watchlist"] == kept
    assert (await world.call("GET", PATH))[1] == {"watchlists": [kept]}
    await world.call("PUT", f"{PATH}/my%20majors", json={"symbols": []})
    assert (await world.call("GET", PATH))[1]["watchlists"][0]["symbols"] == []
    assert (await world.call("DELETE", f"{PATH}/my%20majors"))[0] == 200
    problem = await world.refused(404, "DELETE", f"{PATH}/my%20majors")
    assert problem["code"] == "unknown_watchlist"


@pytest.mark.parametrize("name", ["...", "%20%20", "a%2Fb", "x" * 65])
async def test_names_are_as_those_of_presets(world, name):
    await world.refused(422, "PUT", f"{PATH}/{name}", json={"symbols": []})


async def test_an_address_holds_no_nul(world):
    assert (await world.refused(400, "PUT", f"{PATH}/a%00b", json={"symbols": []}))["code"] == "url"


@pytest.mark.parametrize("body", [{}, {"symbols": ["!!"]}, {"symbols": "BTC/USDT"},
                                  {"symbols": ["BTC/USDT"] * 501}, {"symbols": [], "more": 1}])
async def test_bodies_are_checked(world, body):
    await world.refused(422, "PUT", f"{PATH}/list", json=body)

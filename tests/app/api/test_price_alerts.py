import pytest

from app.alerts.price_feed import Market, PriceFeed
from opportunity.feeds.clock import wall_ms
from opportunity.storage import price_alerts as module
from opportunity.storage.database import open_database
from opportunity.storage.repositories import Memory

PATH = "/api/price-alerts"
GIVEN = {"symbol": "btcusdt", "rule": "above", "price": 100, "note": "top"}


class WithPrices:
    """The part of `services.alerts` that is used here."""

    def __init__(self, prices: PriceFeed) -> None:
        self.prices = prices


@pytest.fixture
async def prices(world, tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    memory = Memory(engine, wall_ms)
    market = Market("m", "simulated", 60_000, None)
    made = PriceFeed(market, memory.price_alerts("m"), memory.events,
                     lambda _: None)  # fmt: skip
    world.services.alerts = WithPrices(made)
    yield made
    engine.dispose()


async def test_made_listed_fired_and_deleted(world, prices):
    status, made, _ = await world.call("POST", PATH, json=GIVEN)
    assert status == 201
    assert (made["symbol"], made["price"], made["again"]) == ("BTC/USDT", 100.0, False)
    assert made["state"] == "waiting"
    _, again, _ = await world.call("POST", PATH, json=GIVEN | {"again": True, "rule": "below"})
    for price in (99.5, 100.5):
        prices.hear({("price", "BTC/USDT"): (0, price, price, price, price, 1.0)})
        await prices.look()
    _, body, _ = await world.call("GET", PATH)
    assert body["source"] == "simulated"
    assert [(a["id"], a["state"]) for a in body["alerts"]] == [
        (again["id"], "waiting"), (made["id"], "fired"),
    ]  # fmt: skip
    status, body, _ = await world.call("DELETE", f"{PATH}/{made['id']}")
    assert (status, body) == (200, {"status": "success", "id": made["id"]})
    problem = await world.refused(404, "DELETE", f"{PATH}/{made['id']}")
    assert problem["code"] == "unknown_alert"
    assert len((await world.call("GET", PATH))[1]["alerts"]) == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"symbol": "??"}, "symbol"), ({"rule": "at"}, "rule"), ({"price": 0}, "price"),
        ({"price": "100"}, "price"), ({"note": "x" * 201}, "note"), ({"again": 1}, "again"),
        ({"odd": 1}, "odd"),
    ],
)  # fmt: skip
async def test_what_breaks_a_rule_is_named(world, prices, change, field):
    problem = await world.refused(422, "POST", PATH, json=GIVEN | change)
    assert problem["field"] == field
    assert prices.all() == []


async def test_a_symbol_that_nobody_watches_is_not_there(world, prices):
    problem = await world.refused(404, "POST", PATH, json=GIVEN | {"symbol": "NOPE/USDT"})
    assert (problem["code"], problem["field"]) == ("unknown_symbol", "symbol")
    assert prices.all() == []


async def test_there_is_a_bound(world, prices, monkeypatch):
    monkeypatch.setattr(module, "MOST", 1)
    await world.call("POST", PATH, json=GIVEN)
    assert (await world.refused(409, "POST", PATH, json=GIVEN))["code"] == "too_many"


@pytest.mark.parametrize("id", ["x", "1.5", "99999999999999999999999"])
async def test_odd_numbers_are_not_there(world, prices, id):
    status, problem, _ = await world.call("DELETE", f"{PATH}/{id}")
    assert status in (404, 422)
    assert "Traceback" not in str(problem)

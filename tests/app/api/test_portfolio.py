import accounts
import pytest

from app.once import Once
from opportunity.storage.failures import DatabaseError, StorageFull
from opportunity.storage.idempotency import Answered


class KeptAnswers:
    """Answers in memory."""

    def __init__(self) -> None:
        self.rows: dict[str, Answered] = {}

    def find(self, key):
        return self.rows.get(key)

    def keep(self, key, answered):
        return self.rows.setdefault(key, answered)


@pytest.fixture
async def world(world):
    world.services.paper = accounts.FakePaper()
    world.services.once = Once(KeptAnswers())
    return world


async def test_account_as_it_travels(world):
    status, body, _ = await world.call("GET", "/api/portfolio")
    assert status == 200
    assert (body["paper"], body["source"], body["book"]) == (True, "simulated", "paper")
    assert body["positions"][0]["symbol"] == "BTC/USDT"
    status, body, _ = await world.call("GET", "/api/portfolio/positions")
    assert [p["side"] for p in body["positions"]] == ["LONG", "SHORT"]
    assert body["source"] == "simulated"


@pytest.mark.parametrize("path", ["", "/positions", "/performance"])
async def test_before_there_is_an_account(world, path):
    world.services.paper.now = None
    problem = await world.refused(503, "GET", f"/api/portfolio{path}")
    assert (problem["code"], problem["retry_after_s"]) == ("no_account", 5)


@pytest.mark.parametrize(
    ("what", "n", "after"), [("orders", 5, 1), ("fills", 3, None), ("trades", 3, None)]
)
async def test_pages(world, what, n, after):
    status, body, _ = await world.call(
        "GET", f"/api/portfolio/{what}?limit=7&after=9&symbol=btcusdt"
    )
    assert status == 200
    assert (len(body[what]), body["next"], body["paper"]) == (n, after, True)
    assert world.services.paper.asked == [(7, 9, "BTC/USDT")]
    for bad in ("limit=0", "limit=1001", "after=-1", "symbol=!!", "page=2"):
        await world.refused(422, "GET", f"/api/portfolio/{what}?{bad}")


async def test_curve(world):
    status, body, _ = await world.call("GET", "/api/portfolio/equity?since=5&until=9&most=50")
    assert status == 200
    assert world.services.paper.asked == [(5, 9, 50)]
    assert {len(body[n]) for n in ("time", "equity", "cash", "gross", "drawdown")} == {5}
    for bad in ("most=1", "most=10001", "since=-1", "until=soon"):
        await world.refused(422, "GET", f"/api/portfolio/equity?{bad}")


async def test_performance(world):
    status, body, _ = await world.call("GET", "/api/portfolio/performance")
    assert (status, body["trades"], body["enough"], body["profit_factor"]) == (200, 3, False, None)
    assert {line["symbol"] for line in body["by_symbol"]} == {"BTC/USDT", "ETH/USDT"}


async def test_close_and_flatten(world):
    paper = world.services.paper
    status, body, _ = await world.call(
        "POST", "/api/portfolio/close", json={"symbol": "BTC-USDT", "why": "enough"}
    )
    assert (status, body["orders"]) == (200, [11])
    status, body, _ = await world.call("POST", "/api/portfolio/flatten")
    assert (status, body["orders"]) == (200, [11, 12])
    assert paper.done == [("close", "BTC/USDT", "api", "enough"), ("flatten", "api", "")]
    problem = await world.refused(
        404, "POST", "/api/portfolio/close", json={"symbol": "SOL/USDT"}
    )
    assert problem["code"] == "no_position"
    await world.refused(422, "POST", "/api/portfolio/close", json={})
    await world.refused(422, "POST", "/api/portfolio/flatten", json={"all": True})


async def test_reset_wants_the_word(world):
    asked = {"cash": 5_000}
    for confirm in ({}, {"confirm": "reset"}, {"confirm": "yes"}):
        problem = await world.refused(400, "POST", "/api/portfolio/reset", json=asked | confirm)
        assert problem["code"] == "not_confirmed"
        assert '"RESET"' in problem["detail"]
    for cash in (0, -1, None):
        await world.refused(
            422, "POST", "/api/portfolio/reset", json={"cash": cash, "confirm": "RESET"}
        )
    assert world.services.paper.done == []
    status, body, _ = await world.call(
        "POST", "/api/portfolio/reset", json=asked | {"confirm": "RESET", "why": "new month"}
    )
    assert (status, body["cash"]) == (200, 5_000)
    assert world.services.paper.done == [("reset", 5_000, "api", "new month")]


async def test_idempotency_key(world):
    headers, path = {"Idempotency-Key": "abc"}, "/api/portfolio/flatten"
    answers = [await world.call("POST", path, json={}, headers=headers) for _ in range(3)]
    assert [(status, body) for status, body, _ in answers] == [answers[0][:2]] * 3
    assert len(world.services.paper.done) == 1
    problem = await world.refused(422, "POST", path, json={"why": "other"}, headers=headers)
    assert problem["code"] == "key_used"
    await world.refused(400, "POST", path, json={}, headers={"Idempotency-Key": "a b"})
    status, _, _ = await world.call(
        "POST", "/api/portfolio/close", json={"symbol": "BTC/USDT"}, headers=headers
    )
    assert status == 200  # a key belongs to one route


@pytest.mark.parametrize(
    ("error", "status", "code", "wait"),
    [
        (accounts.NOT_NOW, 409, "not_now", None),
        (StorageFull("disk at /secret is full"), 503, "read_only", "30"),
        (DatabaseError("password wrong"), 503, "storage", "5"),
    ],
)
async def test_what_cannot_be_done_now(world, error, status, code, wait):
    world.services.paper.error = error
    for path, asked in (("close", {"symbol": "BTC/USDT"}), ("flatten", {}),
                        ("reset", {"cash": 1, "confirm": "RESET"})):
        problem = await world.refused(status, "POST", f"/api/portfolio/{path}", json=asked)
        assert problem["code"] == code
        _, _, headers = await world.call("POST", f"/api/portfolio/{path}", json=asked)
        assert headers.get("Retry-After") == wait
        assert "secret" not in str(problem)
        assert "password" not in str(problem)

import csv
import io

import accounts
import pyarrow.parquet as pq
import pytest
from journals import HOUR, START, Room, ideas

from opportunity.contracts.exports import WHATS
from opportunity.contracts.portfolio import TradeItem

PATH = "/api/export"


@pytest.fixture
async def world(world, tmp_path):
    made = Room(tmp_path, ideas(30))
    world.services.journal = made.service
    world.services.paper = accounts.FakePaper()
    world.services.publish_signal("BTC/USDT", 0.7)
    world.services.publish_signal("ETH/USDT", 0.2)
    await made.judged()
    yield world
    await made.close()


async def rows_of(world, query):
    status, text, headers = await world.call("GET", f"{PATH}/{query}")
    assert status == 200
    assert headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert headers["X-Row-Count"] == str(len(rows))
    return rows, headers["X-Complete"] == "true"


@pytest.mark.parametrize("what", WHATS)
@pytest.mark.parametrize("format", ["csv", "json", "parquet"])
async def test_everything_in_every_format(world, what, format):
    address = f"{world.url}{PATH}/{what}?format={format}"
    async with world.http.get(address) as answer:
        data = await answer.read()
        assert answer.status == 200
        wanted = f'attachment; filename="{what}.{format}"'
        assert answer.headers["Content-Disposition"] == wanted
        n = int(answer.headers["X-Row-Count"])
    assert n > 0
    if format == "csv":
        rows = list(csv.DictReader(io.StringIO(data.decode(), newline="")))
        assert {row["source"] for row in rows} == {"simulated"}
    elif format == "json":
        body = (await world.call("GET", f"{PATH}/{what}?format=json"))[1]
        rows = body["rows"]
        assert (body["what"], body["source"], body["count"]) == (what, "simulated", n)
    else:
        rows = pq.read_table(io.BytesIO(data)).to_pylist()
    assert len(rows) == n


async def test_trades_are_those_of_the_list(world):
    _, body, _ = await world.call("GET", f"{PATH}/trades?format=json")
    _, listed, _ = await world.call("GET", "/api/portfolio/trades")
    plain = [{n: row[n] for n in TradeItem.model_fields} for row in body["rows"]]
    assert plain == listed["trades"]


async def test_decisions_and_outcomes_are_those_of_the_log(world):
    _, log, _ = await world.call("GET", "/api/decisions?limit=500")
    rows, complete = await rows_of(world, "decisions")
    assert complete
    assert [int(row["id"]) for row in rows] == [d["id"] for d in log["decisions"]]
    assert rows[0]["why"] == log["decisions"][0]["why"]
    rows, _ = await rows_of(world, "journal")
    told = [(str(d["id"]), o["barrier"]) for d in log["decisions"] for o in d["outcomes"]]
    assert [(row["decision"], row["barrier"]) for row in rows] == told


async def test_what_is_asked_for_is_what_comes(world):
    some = START + 10 * HOUR
    rows, complete = await rows_of(world, f"decisions?symbol=eth-usdt&since={some}")
    assert {row["symbol"] for row in rows} == {"ETH/USDT"}
    assert complete
    rows, complete = await rows_of(world, "decisions?limit=7")
    assert (len(rows), complete) == (7, False)
    rows, complete = await rows_of(world, "trades?limit=3")
    assert (len(rows), complete) == (3, True)
    assert (await rows_of(world, f"trades?until={accounts.NOW}"))[0] == []
    assert len((await rows_of(world, f"trades?since={accounts.NOW}"))[0]) == 3
    rows, _ = await rows_of(world, "signals?symbol=ethusdt")
    assert [row["symbol"] for row in rows] == ["ETH/USDT"]
    rows, _ = await rows_of(world, "scanner")
    assert [row["rank"] for row in rows] == [str(i + 1) for i in range(len(rows))]
    rows, complete = await rows_of(world, "equity?limit=3")
    assert (len(rows), complete) == (3, False)
    times = [row["time"] for row in (await rows_of(world, "equity"))[0]]
    assert times == sorted(times, reverse=True)
    assert len(times) == 5


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("everything", 422, "invalid"), ("trades?format=xlsx", 422, "invalid"),
        ("trades?limit=100001", 422, "invalid"), ("trades?symbol=!!", 422, "invalid"),
        ("equity?symbol=BTCUSDT", 400, "contradiction"), ("trades?page=2", 422, "invalid"),
    ],
)  # fmt: skip
async def test_bad_request_is_refused(world, query, status, code):
    assert (await world.refused(status, "GET", f"{PATH}/{query}"))["code"] == code


async def test_only_some_are_made_at_once(world):
    world.application.settings["exports"] = 2
    problem = await world.refused(503, "GET", f"{PATH}/trades")
    assert (problem["code"], problem["retry_after_s"]) == ("busy", 2)
    world.application.settings["exports"] = 1
    assert (await world.call("GET", f"{PATH}/trades"))[0] == 200
    world.services.paper.trades = None  # a fault of ours gives its turn back, too
    assert (await world.call("GET", f"{PATH}/trades"))[0] == 500
    assert world.application.settings["exports"] == 1

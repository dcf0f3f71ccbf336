import aiohttp
import pytest
from local_exchange import get

from app.exchange.injector import FAULTS
from app.exchange.server import LocalExchange

GIVEN = {"delist": {"symbols": ["BTC/USDT"]}, "swap": {"symbols": ["BTC/USDT", "ETH/USDT"]}}


async def send(exchange: LocalExchange, method: str, path: str, **more):
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, exchange.url + path, **more) as answer,
    ):
        return answer.status, await answer.json()


async def test_every_fault_may_be_ordered_and_taken_back(calm: LocalExchange) -> None:
    for number, kind in enumerate(FAULTS, 1):
        order = {"kind": kind, "after_s": 900, **GIVEN.get(kind, {})}
        status, made = await send(calm, "POST", "/control/faults", json=order)
        assert (status, made["id"], made["kind"]) == (201, number, kind)
    status, listed = await send(calm, "GET", "/control/faults")
    assert [f["kind"] for f in listed] == list(FAULTS)
    status, left = await send(calm, "DELETE", "/control/faults?id=1")
    assert (status, len(left)) == (200, len(FAULTS) - 1)
    assert await send(calm, "DELETE", "/control/faults") == (200, [])


async def test_state_says_what_happened(calm: LocalExchange) -> None:
    await send(calm, "POST", "/control/faults", json={"kind": "server_error", "times": 1})
    assert (await get(calm, "/api/v3/time"))[0] == 500
    status, state = await send(calm, "GET", "/control/state")
    assert status == 200
    assert (state["source"], state["speed"], state["calls"]) == ("simulated", 30.0, 1)
    assert state["injected"] == {"server_error": 1}
    assert state["log"][0]["what"] == "/api/v3/time"
    assert abs(state["now"] - calm.now()) < 60_000
    assert state["told"] == state["now"]


async def test_control_works_during_maintenance(calm: LocalExchange) -> None:
    await send(calm, "POST", "/control/faults", json={"kind": "maintenance"})
    assert (await get(calm, "/api/v3/ping"))[0] == 503
    assert (await send(calm, "GET", "/control/state"))[0] == 200


@pytest.mark.parametrize(
    ("more", "status", "words"),
    [
        ({"data": b"{}"}, 415, "Content-Type must be application/json"),
        ({"json": {"kind": "stal"}}, 400, "Did you mean 'stall'"),
        ({"json": {"kind": "gap", "symbols": ["BTC/USTD"]}}, 400, "Did you mean 'BTC/USDT'"),
        ({"data": b"{", "headers": {"Content-Type": "application/json"}}, 400, "not JSON"),
        ({"json": {"kind": "stall"}, "headers": {"Origin": "http://evil"}}, 403, "this machine"),
        ({"json": {"kind": "stall"}, "headers": {"Host": "evil:80"}}, 403, "this machine"),
    ],
)
async def test_wrong_order_is_refused(calm: LocalExchange, more, status: int, words: str) -> None:
    code, body = await send(calm, "POST", "/control/faults", **more)
    assert code == status
    assert words in body["error"]
    assert calm.faults.listed() == []


@pytest.mark.parametrize(("number", "status"), [("7", 404), ("x", 400)])
async def test_unknown_number_is_refused(calm: LocalExchange, number: str, status: int) -> None:
    assert (await send(calm, "DELETE", f"/control/faults?id={number}"))[0] == status

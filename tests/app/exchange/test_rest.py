import asyncio

import aiohttp
import orjson
import pytest
from local_exchange import binance, get, rows

from app.exchange.call_faults import (
    EmptyBody,
    HtmlBody,
    Maintenance,
    RateLimit,
    Refuse,
    ServerError,
    ShortBody,
    SlowAnswer,
    TruncatedJson,
)
from app.exchange.faults import Fault
from app.exchange.server import LocalExchange

TIME = "/api/v3/time"


@pytest.mark.parametrize("status", [429, 418])
async def test_rate_limit_bans_and_counts_calls(calm: LocalExchange, status: int) -> None:
    calm.faults.add(RateLimit(status=status, retry_after_s=1, ban_s=0.4, times=1))
    code, headers, body = await get(calm, TIME)
    assert (code, headers["Retry-After"], orjson.loads(body)["code"]) == (status, "1", -1003)
    assert calm.faults.calls_in_ban == 0
    assert (await get(calm, "/api/v3/ping"))[0] == status  # it may have been on its way already
    assert (calm.faults.calls_in_ban, calm.faults.calls_on_their_way) == (0, 1)
    await asyncio.sleep(0.15)
    code, headers, _ = await get(calm, "/api/v3/ping")
    assert (code, calm.faults.calls_in_ban) == (status, 1)
    assert headers["Retry-After"] == "1"
    await asyncio.sleep(0.35)
    assert (await get(calm, TIME))[0] == 200
    assert (calm.faults.calls, calm.faults.calls_in_ban) == (4, 1)
    assert calm.faults.injected == {"rate_limit": 1}


async def test_rate_limit_may_lack_its_header(calm: LocalExchange) -> None:
    calm.faults.add(RateLimit(retry_after_s=None, times=1))
    status, headers, _ = await get(calm, TIME)
    assert status == 429
    assert "Retry-After" not in headers
    assert (await get(calm, TIME))[0] == 200  # no header, no length: no ban


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        (ServerError(status=500), 500, b'{"code":-1000'),
        (ServerError(status=503, body="html"), 503, b"<!DOCTYPE html>"),
        (ServerError(status=504, body="empty"), 504, b""),
        (HtmlBody(), 200, b"<!DOCTYPE html>"),
        (HtmlBody(status=502), 502, b"<!DOCTYPE html>"),
        (EmptyBody(), 200, b""),
        (TruncatedJson(keep=0.5), 200, b'{"serverTim'),
        (Maintenance(), 503, b"<!DOCTYPE html>"),
    ],
)
async def test_fault_is_seen_on_the_wire(
    calm: LocalExchange, fault: Fault, status: int, body: bytes
) -> None:
    number = calm.faults.add(fault)
    code, headers, said = await get(calm, TIME)
    assert code == status
    assert said.startswith(body)
    assert bool(said) == bool(body)
    assert ("html" in headers["Content-Type"]) == said.startswith(b"<")
    assert calm.faults.injected == {fault.kind: 1}
    calm.faults.remove(number)
    assert (await get(calm, TIME))[0] == 200


async def test_truncated_json_does_not_parse(calm: LocalExchange) -> None:
    calm.faults.add(TruncatedJson(keep=0.7, times=1))
    _, _, body = await get(calm, "/api/v3/klines", symbol="BTCUSDT", interval="1m")
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(body)


async def test_short_body_ends_before_its_length(calm: LocalExchange) -> None:
    calm.faults.add(ShortBody(keep=0.3, times=1))
    with pytest.raises(aiohttp.ClientPayloadError):
        await get(calm, TIME)
    assert (await get(calm, TIME))[0] == 200


async def test_refused_call_has_no_answer(calm: LocalExchange) -> None:
    calm.faults.add(Refuse(for_s=30.0, times=2))  # the client tries a GET again by itself
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await get(calm, TIME)


async def test_slow_answer_takes_its_time(calm: LocalExchange) -> None:
    calm.faults.add(SlowAnswer(delay_s=0.3, times=1))
    began = calm.clock.real()
    assert (await get(calm, TIME))[0] == 200
    assert calm.clock.real() - began >= 0.3


async def test_fault_keeps_to_its_paths_and_symbols(calm: LocalExchange) -> None:
    calm.faults.add(ServerError(paths=("klines",), symbols=("ETHUSDT",)))
    assert (await get(calm, TIME))[0] == 200
    assert len(await rows(calm, "BTCUSDT", limit=2)) == 2
    status, _, _ = await get(calm, "/api/v3/klines", symbol="ETHUSDT", interval="1m")
    assert status == 500


async def test_ccxt_raises_what_it_raises_for_binance(calm: LocalExchange) -> None:
    import ccxt

    async with binance(calm) as client:
        await client.load_markets()
        cases = [
            (RateLimit(retry_after_s=2, ban_s=0, times=1), ccxt.DDoSProtection),
            (ServerError(status=503, body="html", times=1), ccxt.ExchangeNotAvailable),
            (ServerError(status=504, body="empty", times=1), ccxt.RequestTimeout),
            (ServerError(status=500, times=1), ccxt.OperationFailed),
            (ShortBody(times=1), ccxt.ExchangeError),
            (SlowAnswer(delay_s=4.0, times=1), ccxt.RequestTimeout),
        ]
        client.timeout = 1_000
        for fault, error in cases:
            calm.faults.add(fault)
            with pytest.raises(error):
                await client.fetch_ohlcv("BTC/USDT", "1m", limit=2)
            if isinstance(fault, RateLimit):
                assert client.last_response_headers["Retry-After"] == "2"
            calm.faults.clear()
        assert len(await client.fetch_ohlcv("BTC/USDT", "1m", limit=2)) == 2


async def test_unknown_path_is_404_and_counts(calm: LocalExchange) -> None:
    status, _, _ = await get(calm, "/api/v3/order")
    assert (status, calm.faults.calls) == (404, 1)

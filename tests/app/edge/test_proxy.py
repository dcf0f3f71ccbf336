"""The reverse proxy, over real sockets: what goes through it comes out as it went in."""

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator

import aiohttp
import pytest
from fronted import SECRET, Front, fronted
from yarl import URL

from app.edge.forwarding import MARK


@pytest.fixture
async def front() -> AsyncIterator[Front]:
    async with fronted() as made:
        yield made


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"])
async def test_methods_paths_and_queries_come_through_as_they_are(
    front: Front, method: str
) -> None:
    path = "/a%2Fb/..%2f/%E2%82%AC?q=1&q=2&x=%2B+"
    async with front.http.request(
        method, URL(front.url + path, encoded=True), headers={"X-Own": "1", MARK: "guess"}
    ) as answer:
        assert answer.status == 200
    ((seen, raw, headers),) = front.seen
    assert (seen, raw) == (method, path)
    assert headers["X-Own"] == "1"
    assert headers[MARK] == SECRET
    assert headers["X-Forwarded-For"] == "127.0.0.1"
    assert headers["Host"] == f"127.0.0.1:{front.port}"


@pytest.mark.parametrize("size", [0, 1, 65_536, 5_000_000])
async def test_bodies_come_through_in_pieces(front: Front, size: int) -> None:
    body = bytes(range(256)) * (size // 256 + 1)
    body = body[:size]

    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, size, 100_000):
            yield body[at : at + 100_000]

    for data in (io.BytesIO(body), pieces()):  # with a length, and without
        async with front.http.post(front.url + "/x", data=data) as answer:
            told = await answer.json()
        assert told == {"size": size, "hash": hashlib.sha256(body).hexdigest()}


async def test_answers_come_through_in_pieces(front: Front) -> None:
    async with front.http.get(front.url + "/pieces?n=400") as answer:
        body = await answer.read()
    assert body == b"".join(b"%08d" % n * 1_000 for n in range(400))


async def test_a_redirect_and_each_cookie_are_the_callers(front: Front) -> None:
    async with front.http.get(front.url + "/cookies", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/x")
        assert len(answer.headers.getall("Set-Cookie")) == 2
    async with front.http.get(front.url + "/x", headers={"Cookie": "a=1; b=2"}) as answer:
        await answer.read()
    headers = front.seen[-1][2]
    assert headers["Cookie"] == "a=1; b=2"
    async with aiohttp.ClientSession() as other, other.get(front.url + "/x") as answer:
        await answer.read()
    assert "Cookie" not in front.seen[-1][2]  # nobody gets the cookies of another


async def test_answers_without_a_body_stay_without(front: Front) -> None:
    async with front.http.head(front.url + "/x") as answer:
        assert answer.status == 200
        assert int(answer.headers["Content-Length"]) > 0
        assert await answer.read() == b""
    async with front.http.get(front.url + "/same") as answer:
        assert (answer.status, answer.headers["ETag"]) == (304, '"7"')
    async with front.http.get(front.url + "/x") as answer:  # on the same connection
        assert answer.status == 200


async def test_an_answer_may_come_before_the_body_has(front: Front) -> None:
    async with front.http.post(front.url + "/full", data=io.BytesIO(b"x" * 3_000_000)) as answer:
        assert answer.status == 413


async def test_an_agent_that_is_away_is_a_503(front: Front) -> None:
    await front.behind.cleanup()
    for _ in range(2):
        async with front.http.post(front.url + "/x", data=b"x" * 300_000) as answer:
            told = await answer.json(content_type=None)
            assert (answer.status, told["code"]) == (503, "agent_away")
            assert answer.headers["Retry-After"] == "2"
            assert answer.headers["Content-Type"].startswith("application/problem+json")
            assert answer.headers["X-Request-Id"] == told["request_id"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
    front.upstream.url = ""  # the supervisor says so: not even tried
    async with front.http.get(front.url + "/x") as answer:
        assert answer.status == 503


async def test_an_answer_that_breaks_off_is_not_taken_for_whole(front: Front) -> None:
    with pytest.raises(aiohttp.ClientError):
        async with front.http.get(front.url + "/broken") as answer:
            await answer.read()


async def test_who_goes_away_is_not_asked_for_any_more(front: Front) -> None:
    asking = asyncio.ensure_future(front.http.get(front.url + "/hangs"))
    async with asyncio.timeout(30):
        while "asked" not in front.seen:  # noqa: ASYNC110 - sockets tell nobody
            await asyncio.sleep(0.01)
        asking.cancel()
        while "given up" not in front.seen:  # noqa: ASYNC110 - nor of this
            await asyncio.sleep(0.01)
        while front.proxy.n_running:  # noqa: ASYNC110 - nor of this
            await asyncio.sleep(0.01)


async def test_at_the_end_what_is_under_way_has_a_while(front: Front) -> None:
    async with front.http.get(front.url + "/x"):
        pass
    asking = asyncio.ensure_future(front.http.get(front.url + "/hangs"))
    async with asyncio.timeout(30):
        while "asked" not in front.seen:  # noqa: ASYNC110 - sockets tell nobody
            await asyncio.sleep(0.01)
        await front.proxy.close(0.05)
    assert front.proxy.n_running == 0
    asking.cancel()
    await asyncio.wait([asking])


SMUGGLED = (
    b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
    b"POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    b"POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    b"GET /x HTTP/1.1\r\nHost: h\r\n X: folded\r\n\r\n",
    b"GET /x HTTP/1.1\r\nHost: h\r\nX: a\nTransfer-Encoding: chunked\r\n\r\n",
)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("data", SMUGGLED)
async def test_requests_of_two_meanings_are_refused(front: Front, data: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
    writer.write(data + b"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n")
    async with asyncio.timeout(30):
        assert b" 200 " not in await reader.read()
    writer.close()
    await writer.wait_closed()
    assert not [one for one in front.seen if "smuggled" in str(one)]

"""A real nginx in front of a real server, with the site of the docs."""

import asyncio
import json
import re
import socket
import ssl
from io import BytesIO
from urllib.parse import urljoin

import aiohttp
import pytest

from tests.deploy.front import Front
from tests.deploy.tools import HOST, PASSWORD, until

ORIGIN = f"https://{HOST}"


@pytest.fixture(scope="module")
def front(server, tmp_path_factory):
    made = Front(
        tmp_path_factory.mktemp("nginx"), server.port, {"rate=100r/s": "rate=1000r/s"}
    ).start()
    yield made
    made.stop()


async def opened(client: aiohttp.ClientSession) -> str:
    """Log in as a browser does and return the page."""
    form = {"username": "desk", "password": PASSWORD}
    async with client.post(
        "/login", data=form, headers={"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"},
        allow_redirects=False,
    ) as answer:  # fmt: skip
        assert answer.status == 303, await answer.text()
        cookies = answer.headers.getall("Set-Cookie")
        assert all("Secure" in c and "SameSite=Lax" in c for c in cookies)
        assert any(c.startswith("__Host-") and "HttpOnly" in c for c in cookies)
    async with client.get("/") as answer:
        assert answer.status == 200
        return await answer.text()


# -- what works -----------------------------------------------------------------------------------


async def test_rest_with_a_key(front, server) -> None:
    async with front.client(headers=server.bearer()) as client:
        async with client.get("/api/agent/status") as answer:
            assert answer.status == 200
            assert (await answer.json())["source"] == "simulated"
            assert answer.headers.getall("Strict-Transport-Security") == ["max-age=31536000"]
            assert answer.headers["Server"] == "nginx"
            assert len(answer.headers["X-Request-Id"]) == 32
        async with client.put("/api/agent/toggle", params={"enabled": "true"}) as answer:
            assert answer.status == 200
        async with client.get("/api/agent/status", headers={"Authorization": ""}) as answer:
            assert answer.status == 401
        for path in ("/health", "/health/live", "/health/ready"):
            async with client.get(path) as answer:
                assert answer.status == 200


async def test_the_stream(front, server) -> None:
    async with (
        front.client(headers=server.bearer()) as client,
        client.ws_connect("/ws/realtime", origin=ORIGIN) as stream,
    ):
        assert (await stream.receive_json(timeout=10))["type"] == "status"
        await stream.send_json(
            {"action": "subscribe", "symbols": ["BTCUSDT"], "channels": ["price"]}
        )
        kinds = set()
        async with asyncio.timeout(20):
            while "price" not in kinds:
                kinds.add((await stream.receive_json())["type"])


async def test_a_page_with_login_and_its_line(front) -> None:
    async with front.client() as client:
        async with client.get("/", allow_redirects=False) as answer:
            assert answer.status == 302
            assert urljoin("/", answer.headers["Location"]).startswith("/login")
        page = await opened(client)
        token = re.search(r'"token":\s*"([^"]+)"', page)[1]
        script = re.search(r'src="([^"]*static/[^"]+\.js[^"]*)"', page)[1]
        assert not script.startswith("http")
        async with client.get(f"/{script.lstrip('/')}") as answer:
            assert answer.status == 200
        async with client.ws_connect(
            "/ws", origin=ORIGIN, protocols=["bokeh", token]
        ) as line:
            first = await line.receive(timeout=10)
            assert json.loads(first.data)["msgtype"] == "ACK" or first.type
        for path, protocols in (("/ws", ["bokeh", token]), ("/ws/realtime", [])):
            with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
                await client.ws_connect(path, origin="https://evil.example", protocols=protocols)


async def test_http_2(front) -> None:
    context = front.trusting()
    context.set_alpn_protocols(["h2"])
    with (
        socket.create_connection(("127.0.0.1", front.tls), 5) as line,
        context.wrap_socket(line, server_hostname=HOST) as secured,
    ):
        assert secured.selected_alpn_protocol() == "h2"


# -- what does not --------------------------------------------------------------------------------


async def test_plain_http_is_sent_to_tls(front) -> None:
    async with aiohttp.ClientSession() as client, client.get(
        f"http://127.0.0.1:{front.plain}/api/x?y=1", headers={"Host": "evil.example"},
        allow_redirects=False,
    ) as answer:  # fmt: skip
        assert answer.status == 301
        assert answer.headers["Location"] == f"https://{HOST}/api/x?y=1"


def test_another_name_gets_no_handshake(front) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", front.tls), 5) as line,
        pytest.raises(ssl.SSLError),
    ):
        context.wrap_socket(line, server_hostname="evil.example")


async def test_numbers_are_not_for_the_world(front, server) -> None:
    async with (
        front.client(headers=server.bearer("admin")) as client,
        client.get("/metrics") as answer,
    ):
        assert answer.status == 404


async def test_what_callers_say_of_themselves_is_not_believed(front, server) -> None:
    lies = {
        "X-Forwarded-For": "6.6.6.6", "X-Real-Ip": "6.6.6.6", "Forwarded": "for=6.6.6.6",
        "X-Forwarded-Proto": "http", "X-Forwarded-Host": "evil.example", "Via": "1.1 evil",
        "User-Agent": 'x"\\\r\n evil'.replace("\r\n", ""),
    }  # fmt: skip
    async with (
        front.client(headers={**server.bearer(), **lies}) as client,
        client.get("/api/scanner/rules-that-are-not-there") as answer,
    ):
        assert answer.status == 404
        name = answer.headers["X-Request-Id"]

    def told() -> list[dict]:
        lines = [line for line in server.started.said().splitlines() if name in line]
        return [t for t in map(json.loads, lines) if t["event"] == "request"]

    until(lambda: bool(told()), 10, "no line of the request")
    (line,) = told()
    assert line["remote"] == "127.0.0.1"
    assert line["user"].endswith("trader")
    assert "6.6.6.6" not in json.dumps(line)
    until(lambda: name in (front.folder / "access.log").read_text(), 10)
    for kept in (front.folder / "access.log").read_text().splitlines():
        json.loads(kept)  # whatever a browser calls itself


async def test_bodies_and_headers_are_bounded(front, server) -> None:
    async with front.client(headers=server.bearer()) as client:
        async with client.put("/api/agent/config", data=BytesIO(b"x" * (3 << 20))) as answer:
            assert answer.status == 413
        async with client.get("/api/agent/status", headers={"X-Long": "y" * 20_000}) as answer:
            assert answer.status in (400, 431)


async def test_passwords_are_not_tried_quickly(front) -> None:
    found = []
    async with front.client() as client:
        for i in range(25):
            async with client.post(
                "/api/auth/login", json={"username": f"nobody{i}", "password": "wrong" * 4}
            ) as answer:
                found.append(answer.status)
    assert found.count(429) >= 5
    assert set(found) <= {401, 429}


async def test_nothing_secret_is_written_down(front, server) -> None:
    async with front.client(headers=server.bearer()) as client:
        await client.get("/login?token=CANARY-link")
        await client.get("/api/agent/status?token=CANARY-link")
    written = server.started.said() + (front.folder / "access.log").read_text()
    for secret in (*server.keys.values(), PASSWORD, "CANARY-link"):
        assert secret not in written


@pytest.mark.parametrize(
    ("asked", "more"),
    [
        ("GET /", ""),
        ("GET /research?x=1", ""),
        ("GET /static/js/bokeh.min.js", ""),
        ("GET /nothing", ""),
        ("POST /", "Content-Length: 2\r\n"),
        ("POST /login", "Origin: https://evil.example\r\nContent-Length: 2\r\n"),
        ("POST /api/scanner/run", "Content-Length: 2\r\n"),
        ("GET /api/agent/status", ""),
        ("GET /health", ""),
        ("GET /ws", ""),
    ],
)
def test_no_connection_ends_without_a_word(server, asked, more) -> None:
    """A proxy keeps connections; one that is ended behind its back costs somebody a 502."""
    line = socket.create_connection(("127.0.0.1", server.port), 5)
    forwarded = "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: https\r\n"
    body = "{}" if "POST" in asked else ""
    line.sendall(f"{asked} HTTP/1.1\r\n{HEAD}{forwarded}{more}\r\n{body}".encode())
    line.settimeout(0.4)
    got, ended = b"", False
    try:
        while not ended:
            piece = line.recv(65_536)
            got, ended = got + piece, not piece
    except TimeoutError:
        pass
    except ConnectionResetError:
        ended = True
    line.close()
    head = got.partition(b"\r\n\r\n")[0].lower()
    assert head.startswith(b"http/1.1")
    assert b"\r\nconnection: close" in head or not ended, head


# -- smuggling: two servers that read one stream of bytes must never see two different requests ---

HEAD = f"Host: {HOST}\r\n"
INNER = f"GET /api/smuggled HTTP/1.1\r\n{HEAD}X: "

SMUGGLED = {
    "both lengths, length first": (
        f"POST /api/x HTTP/1.1\r\n{HEAD}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n"
        f"0\r\n\r\n{INNER}"
    ),
    "both lengths, chunks first": (
        f"POST /api/x HTTP/1.1\r\n{HEAD}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n"
        f"5c\r\n{INNER}\r\n0\r\n\r\n"
    ),
    "two lengths": (
        f"POST /api/x HTTP/1.1\r\n{HEAD}Content-Length: 0\r\nContent-Length: 60\r\n\r\n{INNER}"
    ),
    "a list of lengths": (
        f"POST /api/x HTTP/1.1\r\n{HEAD}Content-Length: 0, 60\r\n\r\n{INNER}"
    ),
    "a signed length": f"POST /api/x HTTP/1.1\r\n{HEAD}Content-Length: +0\r\n\r\n{INNER}",
    "a length of another base": (
        f"POST /api/x HTTP/1.1\r\n{HEAD}Content-Length: 0x0\r\n\r\n{INNER}"
    ),
    "an unknown coding": (
        f"POST /api/x HTTP/1.1\r\n{HEAD}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{INNER}"
    ),
    "two codings": (
        f"POST /api/x HTTP/1.1\r\n{HEAD}Transfer-Encoding: chunked\r\n"
        f"Transfer-Encoding: identity\r\n\r\n0\r\n\r\n{INNER}"
    ),
    "a coding behind a tab": (
        f"POST /api/x HTTP/1.1\r\n{HEAD}Transfer-Encoding:\x0bchunked\r\n"
        f"Content-Length: 0\r\n\r\n{INNER}"
    ),
    "a space before the colon": (
        f"POST /api/x HTTP/1.1\r\n{HEAD}Transfer-Encoding : chunked\r\n"
        f"Content-Length: 5\r\n\r\n0\r\n\r\n{INNER}"
    ),
    "a chunk of no number": (
        f"POST /api/x HTTP/1.1\r\n{HEAD}Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n{INNER}"
    ),
    "a chunk of a negative number": (
        f"POST /api/x HTTP/1.1\r\n{HEAD}Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n{INNER}"
    ),
    "a folded header": (
        f"POST /api/x HTTP/1.1\r\n{HEAD}Transfer-Encoding:\r\n chunked\r\n"
        f"Content-Length: 5\r\n\r\n0\r\n\r\n{INNER}"
    ),
    "two hosts": f"GET /api/x HTTP/1.1\r\n{HEAD}Host: evil.example\r\n\r\n",
    "no host": "GET /api/x HTTP/1.1\r\n\r\n",
    "NUL in a header": f"GET /api/x HTTP/1.1\r\n{HEAD}X: a\x00b\r\n\r\n",
    "a bare return in a header": f"GET /api/x HTTP/1.1\r\n{HEAD}X: a\rY: b\r\n\r\n",
    "space in the address": f"GET /api/x HTTP/1.1 HTTP/1.1\r\n{HEAD}\r\n{INNER}",
}


def answers(line: socket.socket, sent: str) -> list[int]:
    """Send bytes and an end, and return the statuses of all that comes back."""
    got = b""
    line.settimeout(1.5)
    try:
        line.sendall(sent.encode("latin-1"))
        while piece := line.recv(65_536):
            got += piece
    except (TimeoutError, OSError):
        pass
    finally:
        line.close()
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3})", got)]


def seen(server, path: str) -> bool:
    return any(f'"{path}"' in line for line in server.started.said().splitlines())


def test_two_requests_that_are_none_too_many_arrive_both(front, server) -> None:
    for path in ("/api/both-1", "/api/both-2"):  # or the tests below would prove nothing
        assert not seen(server, path)
    sent = "".join(f"GET /api/both-{i} HTTP/1.1\r\n{HEAD}\r\n" for i in (1, 2))
    assert answers(front.raw(), sent) == [401, 401]
    until(lambda: seen(server, "/api/both-1") and seen(server, "/api/both-2"), 10)


@pytest.mark.parametrize("way", ["through", "direct"])
@pytest.mark.parametrize("name", SMUGGLED)
def test_smuggled_requests_arrive_nowhere(front, server, name, way) -> None:
    path = f"/api/smuggled-{way[:6]}-{list(SMUGGLED).index(name)}"
    sent = SMUGGLED[name].replace("/api/smuggled", path)
    if way == "direct":
        line = socket.create_connection(("127.0.0.1", server.port), 5)
        sent = sent.replace(f"Host: {HOST}", f"Host: 127.0.0.1:{server.port}")
    else:
        line = front.raw()
    found = answers(line, sent)
    assert not any(200 <= status < 300 for status in found), found
    assert len(found) <= 1, found
    assert not seen(server, path)

"""Classes of vulnerabilities that servers of our kind had: each is tried here, once and for all.

What is named is the class; the numbers are those under which it became known elsewhere.
"""

import asyncio
import json
import re

import aiohttp
import pytest
from guarded import guarded
from spent import cpu_under

from app.api.base import MAX_BODY

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHEAP_S = 1.0
"""Of the processor: what is quadratic costs far more."""
"""An honest answer takes a few ms; what grows with the square takes many seconds."""




@pytest.fixture
def site(open_site):
    return open_site.fresh()


async def raw(site, *pieces: bytes, wait_s: float = 15.0) -> bytes:
    """Send bytes as they are; return all that comes back until the end, or until it is quiet."""
    reader, writer = await asyncio.open_connection("127.0.0.1", site.site.port)
    said = b""
    try:
        for piece in pieces:
            writer.write(piece)
        await writer.drain()
        async with asyncio.timeout(wait_s):
            while part := await reader.read(65_536):
                said += part
                if said.endswith(b"\r\n\r\n") or b"\r\n\r\n{" in said:
                    break
    except (TimeoutError, ConnectionError):
        said += b""
    finally:
        writer.close()
    return said


def head(site, *lines: str, path: str = "/health", method: str = "GET") -> bytes:
    first = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{site.site.port}\r\nConnection: close\r\n"
    return (first + "".join(f"{line}\r\n" for line in lines) + "\r\n").encode("latin-1")


def status(answer: bytes) -> int:
    """The status of an answer; 0 where the connection was closed without one."""
    found = re.match(rb"HTTP/1\.1 (\d{3}) ", answer)
    return int(found[1]) if found else 0


@pytest.mark.parametrize(
    "cookie",
    ['a="' + "\\" * 60_000, "a=b; " * 12_000, 'k="' + "\\0" * 30_000 + '"', "=" * 60_000],
    ids=["backslashes", "many", "octal", "equals"],
)
async def test_large_cookies_cost_nothing(site, cookie):
    """CVE-2024-52804: unquoting a cookie took quadratic time."""
    with cpu_under(CHEAP_S):
        answer = await raw(site, head(site, f"Cookie: opportunity-session=x; {cookie}", path="/"))
    assert status(answer) in (0, 400, 431)


@pytest.mark.parametrize("path", ["/login", "/", "/api/config/weights"])
async def test_a_malformed_multipart_body_is_not_parsed(site, capfd, path):
    """CVE-2025-47287, CVE-2026-31958: floods of log lines, thousands of parts."""
    part = b"--x\r\nContent-Disposition: form-data; name*=utf-8''a\r\n\r\nb\r\n"
    for body in (b"--x\r\nnothing\r\n" * 5_000, part * 10_000):
        lines = ("Content-Type: multipart/form-data; boundary=x", f"Content-Length: {len(body)}")
        with cpu_under(CHEAP_S):
            answer = await raw(site, head(site, *lines, path=path, method="POST"), body)
        assert status(answer) in (400, 403, 405, 415, 0)
    said = capfd.readouterr()
    assert (said.out + said.err).count("multipart") <= 2


async def test_repeated_headers_and_header_parameters_cost_nothing(site):
    """CVE-2025-67725, CVE-2025-67726: joining repeats and reading parameters was quadratic."""
    for lines in (
        [f"X-Same: {i}" for i in range(5_000)],
        ["Content-Type: multipart/form-data" + "; a=b" * 12_000],
        ['Content-Disposition: form-data; filename="' + '\\"' * 20_000],
    ):
        with cpu_under(CHEAP_S):
            answer = await raw(site, head(site, *lines))
        assert status(answer) in (0, 400, 431)


async def test_a_reason_or_header_cannot_be_injected(site):
    """CVE-2025-67724: text of a request in the status line or in a header."""
    paths = (
        "/api/%0d%0aSet-Cookie:%20a=b", "/x%0d%0aX-Evil:%201", "/login?next=a%0d%0aX-Evil:1",
    )  # fmt: skip
    for path in paths:
        answer = await raw(site, head(site, path=path))
        top = answer.partition(b"\r\n\r\n")[0]
        assert b"X-Evil" not in top
        assert b"Set-Cookie: a" not in top


async def test_a_cookie_of_ours_takes_no_text_of_a_request(site):
    """CVE-2026-35536: attributes of a cookie out of its value."""
    body = b"username=tom%3B+Domain%3Devil.example&password=x&next=a%3B+b"
    lines = (f"Origin: {site.url}", "Content-Type: application/x-www-form-urlencoded",
             f"Content-Length: {len(body)}")  # fmt: skip
    answer = await raw(site, head(site, *lines, path="/login", method="POST"), body)
    assert status(answer) == 401
    assert b"Set-Cookie" not in answer


async def test_many_arguments_are_refused_at_once(site):
    """CVE-2026-82397, CVE-2026-91990: thousands of arguments in a query or a form."""
    query = "&".join(f"a{i}=1" for i in range(1_500))
    body = "&".join(f"a{i}=1" for i in range(100_000)).encode()
    lines = (f"Origin: {site.url}", "Content-Type: application/x-www-form-urlencoded",
             f"Content-Length: {len(body)}")  # fmt: skip
    for asked in (
        (head(site, path=f"/health?{query}"),),
        (head(site, path=f"/?{query}"),),
        (head(site, *lines, path="/login", method="POST"), body),
    ):
        with cpu_under(CHEAP_S):
            answer = await raw(site, *asked)
        assert status(answer) in (400, 414)


async def test_folded_headers_are_refused_at_once(site):
    """GHSA-pcg2-g6cj-q92c: folded lines took quadratic time."""
    folded = b"X-Long: a\r\n" + b" b\r\n" * 10_000 + b"\r\n"
    with cpu_under(CHEAP_S):
        answer = await raw(site, head(site)[:-2] + folded)
    assert status(answer) in (0, 400, 431)


SMUGGLED = [
    ("Content-Length: 4", "Transfer-Encoding: chunked"),
    ("Transfer-Encoding: chunked", "Content-Length: 4"),
    ("Content-Length: 4", "Content-Length: 5"),
    ("Content-Length: +4",), ("Content-Length: 4_0",), ("Content-Length: 0x4",),
    ("Content-Length: -1",), ("Content-Length: 4, 5",), ("Content-Length:\x0b4",),
    ("Transfer-Encoding: chunked, identity",), ("Transfer-Encoding: xchunked",),
    ("Transfer-Encoding : chunked",), ("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
    ("Content-Length : 4",), (" Content-Length: 4",), ("Host: evil.example",),
]  # fmt: skip


@pytest.mark.parametrize("lines", SMUGGLED, ids=str)
async def test_a_second_request_cannot_hide_in_the_first(site, lines):
    """Request smuggling: two ways to read where a request ends."""
    hidden = b"0\r\n\r\nGET /api/agent/status HTTP/1.1\r\nHost: x\r\n\r\n"
    first = head(site, "Content-Type: application/json", *lines, path="/api/config/weights",
                 method="POST").replace(b"Connection: close\r\n", b"")  # fmt: skip
    answer = await raw(site, first, hidden, wait_s=1.0)
    assert answer.count(b"HTTP/1.1 2") == 0
    assert status(answer) in (0, 400, 403, 405, 411, 415, 501)


@pytest.mark.parametrize(
    "path",
    ["/static/../../../../etc/passwd", "/static/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
     "/static/extensions/panel/../../../../etc/passwd", "/static/..%2f..%2f..%2fetc%2fpasswd",
     "/static//etc/passwd", "/static/extensions/..%5c..%5cetc/passwd",
     "/static/js/%00bokeh.js", "/static/extensions/panel/%2e%2e%2f%2e%2e%2fauth.py"],
)  # fmt: skip
async def test_no_file_outside_is_served(site, path):
    """CVE-2026-91990 and before it many: a path, or a link, that leads out of a folder."""
    answer = await raw(site, head(site, path=path))
    assert status(answer) in (0, 400, 403, 404)
    assert b"root:" not in answer
    assert b"import " not in answer


@pytest.mark.parametrize("path", ["/ws", "/research/ws", "/portfolio/ws", "/ws/realtime"])
@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "http://127.0.0.1.evil.example:{port}", "null",
     "http://127.0.0.1:{port}@evil.example", "http://evil.example#127.0.0.1:{port}",
     "http://xlocalhost:{port}", "http://127x0.0.1:{port}", "http://127.0.0.1:{port}0"],
)  # fmt: skip
async def test_no_websocket_is_opened_by_another_site(site, path, origin):
    """CVE-2026-21883, CVE-2026-40110: an Origin that begins or ends like an allowed one."""
    lines = ("Upgrade: websocket", "Sec-WebSocket-Version: 13",
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol: bokeh, x",
             f"Origin: {origin.format(port=site.site.port)}")  # fmt: skip
    asked = head(site, *lines, path=path).replace(b"Connection: close", b"Connection: Upgrade")
    assert status(await raw(site, asked)) == 403


async def test_every_websocket_asks_for_the_login(tmp_path):
    """GHSA-w3vc-fx9p-wp4v: pages asked for a login, their WebSockets did not."""
    async with guarded(tmp_path) as site, site.browser() as browser:
        application = site.site._server._tornado
        paths = [rule.matcher._path for rule in application.wildcard_router.rules
                 if "ws" in str(getattr(rule.matcher, "_path", ""))]  # fmt: skip
        assert {"/ws", "/research/ws", "/portfolio/ws", "/ws/realtime"} <= set(paths)
        for path in (p for p in paths if "%s" not in p):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await browser.ws_connect(path, headers={"Origin": site.url})
            assert refused.value.status == 401


async def test_bodies_do_not_unpack_to_more_than_they_are(site):
    """Decompression bombs: a packed body is not unpacked at all."""
    bomb = b"\x1f\x8b\x08\x00" + b"\x00" * 1_000
    lines = ("Content-Type: application/json", "Content-Encoding: gzip",
             f"Content-Length: {len(bomb)}")  # fmt: skip
    answer = await raw(
        site, head(site, *lines, path="/api/config/weights", method="PUT"), bomb
    )
    assert status(answer) in (400, 415)


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 50_000, b"1" * 5_000 + b"0",
                                  b'{"a":1,"a":2}', b'{"a":NaN}', b"9" * 100_000])  # fmt: skip
async def test_json_is_bounded(site, body):
    """Deep nesting, huge integers, the same key twice."""
    lines = ("Content-Type: application/json", f"Content-Length: {len(body)}")
    with cpu_under(CHEAP_S):
        answer = await raw(site, head(site, *lines, path="/api/config/weights", method="PUT"), body)
    assert status(answer) in (400, 422)
    assert len(body) < MAX_BODY


async def test_errors_of_every_kind_say_nothing_of_the_inside(site):
    """Traces, versions and paths in errors."""
    for asked in (
        head(site, path="/api/nothing"), head(site, path="/nothing"),
        head(site, path="/api/agent/status", method="BREW"), head(site, path="/%ff%fe"),
        head(site, "Expect: 200-ok"), b"rubbish\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
        head(site, path="/api/scanner/run", method="POST"),
    ):  # fmt: skip
        answer = await raw(site, asked)
        for word in (b"Traceback", b"site-packages", b"Tornado", b"python", b".py"):
            assert word not in answer
        if b"application/problem+json" in answer:
            assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"]


@pytest.mark.parametrize(
    "path",
    ["/", "/login", "/logout", "/health", "/metrics", "/api/agent/status", "/api/nothing",
     "/nothing", "/static/js/bokeh.min.js", "/static/nothing.js", "/favicon.ico", "/ws/realtime",
     "/ws", "/autoload.js", "/api/docs", "/api/openapi.json"],
)  # fmt: skip
async def test_no_answer_lacks_its_headers(site, path):
    """Misconfiguration: headers on pages, files, errors and answers alike."""
    async with site.browser() as browser, browser.get(path) as answer:
        headers = answer.headers
        await answer.read()
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Referrer-Policy"] in ("no-referrer", "same-origin", "strict-origin")
    assert "Server" not in headers
    assert not any(name.startswith("Access-Control-") for name in headers)

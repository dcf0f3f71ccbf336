"""The same server below a path of another site."""

import asyncio
import re
from urllib.parse import urljoin

import pytest

from tests.deploy.front import Front
from tests.deploy.tools import DEPLOY, HOST, PASSWORD

ORIGIN = f"https://{HOST}"


@pytest.fixture(scope="module")
def front(server, tmp_path_factory):
    placed = (DEPLOY / "nginx_prefix.conf").read_text()
    other = "location = /other { return 204; }\n"
    made = Front(
        tmp_path_factory.mktemp("prefix"), server.port,
        {"    location / {\n        proxy_pass http://opportunity_pages;\n    }\n": other + placed},
    ).start()  # fmt: skip
    yield made
    made.stop()


async def test_rest_and_stream(front, server) -> None:
    async with front.client(headers=server.bearer()) as client:
        async with client.get("/desk/api/agent/status") as answer:
            assert answer.status == 200
        async with client.get("/desk/metrics") as answer:
            assert answer.status == 404
        async with client.get("/other") as answer:
            assert answer.status == 204
        async with client.ws_connect("/desk/ws/realtime", origin=ORIGIN) as stream:
            assert (await stream.receive_json(timeout=10))["type"] == "status"


@pytest.mark.parametrize("page", ["/desk/", "/desk/portfolio", "/desk/research"])
async def test_pages_find_what_belongs_to_them(front, page) -> None:
    async with front.client() as client:
        async with client.get(page, allow_redirects=False) as answer:
            assert answer.status == 302
            login = urljoin(page, answer.headers["Location"])
        assert login.partition("?")[0] == "/desk/login"
        async with client.post(
            login.partition("?")[0], allow_redirects=False,
            data={"username": "desk", "password": PASSWORD}, headers={"Origin": ORIGIN},
        ) as answer:  # fmt: skip
            assert answer.status == 303
            assert urljoin(login, answer.headers["Location"]).startswith("/desk/")
        async with client.get(page) as answer:
            assert answer.status == 200
            text = await answer.text()
        found = set(re.findall(r'(?:src|href)="([^"#]+)"', text))
        scripts = [urljoin(page, one) for one in found if ".js" in one]
        assert len(scripts) > 2
        assert all(one.startswith("/desk/") for one in scripts), scripts
        for script in scripts[:6]:
            async with client.get(script) as answer:
                assert answer.status == 200, script
        outside = {one for one in found if one.startswith(("/", "http:", "https:"))}
        assert outside == set()
        token = re.search(r'"token":\s*"([^"]+)"', text)[1]
        async with asyncio.timeout(20):
            line = await client.ws_connect(
                f"{page.rstrip('/')}/ws", origin=ORIGIN, protocols=["bokeh", token]
            )
            await line.receive()
            await line.close()

"""One page over a real Tornado server: what every page is held to."""

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import ModuleType
from typing import Any

import panel as pn
import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop

Made = list[weakref.ref[Any]]


@asynccontextmanager
async def served_page(
    page: ModuleType, session: str, world: Any, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[str, Made]]:
    """Yield the page's address, and weak references to the sessions that are made of it.

    Parameters
    ----------
    page : module
    session : str
        Name of the session's class in that module.
    """
    made: Made = []
    whole = getattr(page, session)

    def noted(*args: Any) -> Any:
        one = whole(*args)
        made.append(weakref.ref(one))
        return one

    monkeypatch.setattr(page, session, noted)
    server = pn.io.server.get_server(
        {page.PATH: lambda: page.page(world)}, port=0, address="127.0.0.1",
        loop=IOLoop.current(), start=False, show=False, unused_session_lifetime_milliseconds=1,
        check_unused_sessions_milliseconds=20,
    )  # fmt: skip
    server.start()
    yield f"http://127.0.0.1:{server.port}{page.PATH}", made
    server.stop()
    await server._http.close_all_connections()


async def comes_from_here(address: str) -> str:
    """Check that a page asks nobody else for anything; return its markup."""
    html = (await AsyncHTTPClient().fetch(address)).body.decode()
    assert "SIMULATED MARKET" in html
    for part in html.replace("http://www.w3.org/2000/svg", "").split("http")[1:]:
        assert not part.startswith(("://", "s://")), part[:80]
    return html


async def leaves_nothing(address: str, made: Made, world: Any, n: int = 5) -> None:
    """Check that pages which nobody opens go again."""
    for _ in range(n):
        await AsyncHTTPClient().fetch(address)
    assert len(made) == n
    assert world.hub.n_subscribers == 0

    async def gone() -> None:
        while any(ref() is not None for ref in made):
            await asyncio.sleep(0.02)
            gc.collect()

    await asyncio.wait_for(gone(), 30)

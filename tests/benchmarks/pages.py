"""What open pages cost: `python -m tests.benchmarks.pages` prints it and writes a report.

A real server with its agent over the simulated market, in a process of its own. Clients are light:
they ask for the page, open its WebSocket as Bokeh's own client does, say that the document is
ready, and count what comes. Nothing draws, so that the server's share alone is measured.
"""

import argparse
import asyncio
import json
import re
import secrets
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from app.pages import PAGES
from tests.benchmarks.processes import cpu_s, machine, rss
from tests.load.children import Child, command

REPORT: Final = Path(__file__).parents[2] / "docs" / "reports" / "pages.md"
TOKEN: Final = re.compile(r'"token":"([^"]+)"')
MODULE: Final = "tests.benchmarks.pages_server"
START_S: Final = 300.0
SETTLE_S: Final = 3.0
GONE_S: Final = 90.0
"""Within which documents of pages that were left have to be gone."""

AT_ONCE: Final = 10
MIB: Final = 1 << 20
READY: Final = {
    "events": [{
        "kind": "MessageSent", "msg_type": "bokeh_event",
        "msg_data": {"type": "event", "name": "document_ready", "values": {"type": "map"}},
    }],
}  # fmt: skip
"""What a browser says once it shows a page."""


@dataclass
class Open:
    """One open page."""

    socket: WebSocketClientConnection
    took_ms: float
    n: int = 0
    size: int = 0
    reading: "asyncio.Future[None] | None" = None

    async def read(self) -> None:
        """Count messages and bytes until the end; a message is a header, metadata and content."""
        parts = 0
        while (text := await self.socket.read_message()) is not None:
            parts += 1
            self.size += len(text)
            if parts % 3 == 0:
                self.n += 1

    async def close(self) -> None:
        """Leave the page."""
        self.socket.close()
        if self.reading is not None:
            await self.reading


async def open_page(address: str, path: str) -> Open:
    """Open a page as a browser does, without drawing it."""
    began = time.perf_counter()
    answer = await AsyncHTTPClient().fetch(address + path, request_timeout=60)
    took_ms = (time.perf_counter() - began) * 1e3
    found = TOKEN.search(answer.body.decode())
    if found is None:
        raise ValueError(f"page must hold a token, did not: {path}")
    base = address.replace("http", "ws", 1) + path.rstrip("/")
    request = HTTPRequest(f"{base}/ws", headers={"Origin": address})
    socket = await websocket_connect(request, subprotocols=["bokeh", found[1]])
    made = Open(socket, took_ms)
    for _ in range(3):  # its ACK
        await socket.read_message()
    for part in ({"msgid": secrets.token_hex(8), "msgtype": "PATCH-DOC"}, {}, READY):
        await socket.write_message(json.dumps(part))
    made.reading = asyncio.ensure_future(made.read())
    return made


@dataclass
class Row:
    """What one page costs with all its sessions open."""

    title: str
    open_ms: float
    stall_ms: float
    agent_ms: float
    per_s: float
    size: float
    cpu_ms: float


@dataclass
class Kept:
    """What is left of pages that were opened and closed."""

    n: int
    before: int
    after: int
    left: dict[str, int] = field(default_factory=dict)


class Run:
    """One measurement."""

    def __init__(self, child: Child, port: int, args: argparse.Namespace) -> None:
        self._child, self._args = child, args
        self._address = f"http://127.0.0.1:{port}"

    def ask(self, what: str) -> dict[str, Any]:
        """Ask the server's eyes."""
        self._child.clear()
        self._child.tell(what)
        return self._child.wait("server" if what == "late" else "documents", 60.0)

    async def idle(self) -> float:
        """Return the processor time of a server nobody looks at, seconds a second."""
        began = cpu_s(self._child.pid)
        await asyncio.sleep(self._args.seconds)
        return (cpu_s(self._child.pid) - began) / self._args.seconds

    async def page(self, title: str, path: str, idle: float) -> Row:
        """Open many sessions of one page and count for a while."""
        await open_one_and_leave(self._address, path)
        await asyncio.to_thread(self.ask, "late")
        sessions = []
        for _ in range(self._args.sessions):  # one after the other: each stall is one page's
            sessions.append(await open_page(self._address, path))
            await asyncio.sleep(0.05)
        late = await asyncio.to_thread(self.ask, "late")
        await asyncio.sleep(SETTLE_S)
        n, size = sum(s.n for s in sessions), sum(s.size for s in sessions)
        began, cpu = time.perf_counter(), cpu_s(self._child.pid)
        await asyncio.sleep(self._args.seconds)
        took, used = time.perf_counter() - began, cpu_s(self._child.pid) - cpu
        n, size = sum(s.n for s in sessions) - n, sum(s.size for s in sessions) - size
        await asyncio.gather(*(s.close() for s in sessions))
        return Row(
            title, statistics.median(s.took_ms for s in sessions), late["server"], late["agent"],
            n / took / len(sessions), size / max(n, 1), 1e3 * (used - idle * took) / max(n, 1),
        )  # fmt: skip

    async def open_and_close(self) -> Kept:
        """Open and close many pages, all kinds in turn; say what is left after a while."""
        await self._empty()
        before, paths = rss(self._child.pid), [page.PATH for page in PAGES]
        base = await asyncio.to_thread(self.ask, "count")
        n = 0
        while n < self._args.opened:
            made = [await open_page(self._address, paths[(n + i) % len(paths)])
                    for i in range(AT_ONCE)]  # fmt: skip
            await asyncio.sleep(0.5)
            await asyncio.gather(*(one.close() for one in made))
            n += AT_ONCE
        left = await self._empty()
        told = {name: left[name] - base[name] for name in left}
        return Kept(n, before, rss(self._child.pid), told)

    async def _empty(self) -> dict[str, int]:
        """Wait until no document is left, or long enough."""
        end = time.monotonic() + GONE_S
        while True:
            found = await asyncio.to_thread(self.ask, "count")
            if not found["documents"] or time.monotonic() > end:
                return found
            await asyncio.sleep(1.0)


async def open_one_and_leave(address: str, path: str) -> None:
    """Open a page once: what is made at its first time does not count."""
    one = await open_page(address, path)
    await asyncio.sleep(1.0)
    await one.close()


def table(rows: list[Row], kept: Kept, args: argparse.Namespace) -> str:
    """Return the report as Markdown."""
    lines = [
        "# What open pages cost", "",
        f"{machine()}. {args.sessions} sessions of each page at once over the simulated market, 8 "
        f"symbols at 600 times the wall clock, counted for {args.seconds:g} s. Made by "
        "`python -m tests.benchmarks.pages`; the clients draw nothing, the machine is shared with "
        "them.", "",
        "| page | HTML after, ms | server's loop held at most, ms | agent's loop, ms | updates/s "
        "of a session | bytes an update | CPU an update, ms |",
        "|---|---|---|---|---|---|---|",
        *(f"| {r.title} | {r.open_ms:.0f} | {r.stall_ms:.0f} | {r.agent_ms:.0f} | {r.per_s:.1f} | "
          f"{r.size:,.0f} | {r.cpu_ms:.2f} |" for r in rows),
        "",
        f"{kept.n} pages of all kinds opened and closed: memory {kept.before / MIB:.0f} to "
        f"{kept.after / MIB:.0f} MiB; left behind " + ", ".join(
            f"{n} {name}" for name, n in kept.left.items()) + ".",
        "",
        "The loops are looked at every 5 ms while the pages open one after the other. The time an "
        "update costs is what the process used beyond an idle one, by the number of updates that "
        "all sessions got.", "",
    ]  # fmt: skip
    return "\n".join(lines)


async def measure(child: Child, port: int, args: argparse.Namespace) -> str:
    """Run everything; return the report."""
    run = Run(child, port, args)
    await asyncio.sleep(SETTLE_S)
    idle, rows = await run.idle(), []
    for page in PAGES:
        rows.append(await run.page(page.TITLE, page.PATH, idle))
        sys.stdout.write(f"{rows[-1]}\n")
        sys.stdout.flush()
    return table(rows, await run.open_and_close(), args)


def main() -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=20, help="open at once (20)")
    parser.add_argument("--seconds", type=float, default=20.0, help="counted for each page (20)")
    parser.add_argument("--opened", type=int, default=200, help="opened and closed (200)")
    parser.add_argument("--to", type=Path, default=REPORT, help="file of the report")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as home, Child(command(MODULE, home=home)) as child:
        port = child.wait("ready", START_S)["ready"]
        text = asyncio.run(measure(child, port, args))
    sys.stdout.write(text)
    args.to.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

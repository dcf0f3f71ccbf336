"""`opportunity serve --workers N` as it really runs, and clients that miss nothing of it."""

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
from redis_server import end_with_us, free_port, program

SYMBOLS: Final = "BTC/USDT,ETH/USDT"
LINE: Final = re.compile(r"opportunity [\w.]+: 2 symbols, simulated market, at (http://\S+)\n")


@dataclass
class Fleet:
    """A supervisor with its processes, and a token of the role trader."""

    home: Path
    redis_url: str
    workers: int = 2
    environment: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    token: str = ""
    agent_url: str = ""

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "app.cli", *words, "--home", str(self.home)]

    @property
    def surroundings(self) -> dict[str, str]:
        return {**os.environ, "REDIS_URL": self.redis_url, **self.environment}

    def make_token(self, role: str = "trader") -> str:
        done = subprocess.run(
            self.command("token", "create", f"test-{role}", "--role", role, "--json"),
            capture_output=True, text=True, check=False, env=self.surroundings,
        )
        assert done.returncode == 0, done.stderr
        return str(json.loads(done.stdout)["token"])

    def start(self) -> None:
        """Start it; `wait` says when it serves."""
        self.token = self.token or self.make_token()
        self.errors = (self.home / "errors").open("ab")
        more = ["--agent-url", self.agent_url] if self.agent_url else []
        self.process = subprocess.Popen(
            self.command(
                "serve", *more, "--workers", str(self.workers), "--port", str(self.port),
                "--symbols", SYMBOLS, "--timeframes", "5m,1h", "--speed", "300",
                "--log-level", "INFO",
            ),
            stdout=subprocess.PIPE, stderr=self.errors, text=True, env=self.surroundings,
            start_new_session=True, preexec_fn=end_with_us,
        )

    def wait(self) -> None:
        """Wait until it is ready."""
        for line in self.process.stdout:
            found = LINE.fullmatch(line)
            if found:
                assert found[1] == self.url
                return
        raise AssertionError(self.said())

    def said(self) -> str:
        """Return what it logged."""
        return (self.home / "errors").read_text()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def children(self) -> dict[str, list[int]]:
        """Return the numbers of the processes that it has started, by kind."""
        tasks = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        found: dict[str, list[int]] = {"agent": [], "edge": []}
        for pid in map(int, tasks.read_text().split()):
            with suppress(OSError):
                mapped = Path(f"/proc/{pid}/maps").read_text()
                found["agent" if "llvmlite" in mapped else "edge"].append(pid)
        return found

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Stop it; return the exit code."""
        self.process.send_signal(number)
        code = self.process.wait(30)
        return code

    def close(self) -> None:
        if hasattr(self, "process"):
            found = self.children() if self.process.poll() is None else {}
            children = [pid for pids in found.values() for pid in pids]
            for pid in (self.process.pid, *children):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait(10)
            self.process.stdout.close()
            self.errors.close()


@contextmanager
def fleet(
    redis_url: str, workers: int = 2, port: int = 0, **environment: str
) -> Iterator[Fleet]:
    """A fleet that was started; it ends with the block."""
    home = Path(tempfile.mkdtemp(prefix="fleet-"))
    made = Fleet(home, redis_url, workers, environment, port or free_port())
    try:
        made.start()
        yield made
    finally:
        made.close()
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def nginx(upstream: int) -> Iterator[int]:
    """An nginx before a port; the one it listens on."""
    found, port = program("nginx"), free_port()
    folder = Path(tempfile.mkdtemp(prefix="nginx-"))
    (folder / "nginx.conf").write_text(f"""
daemon off; master_process on; worker_processes 1; pid {folder}/pid; error_log {folder}/errors;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    map $http_upgrade $connection_upgrade {{ default upgrade; "" ""; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://127.0.0.1:{upstream};
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_buffering off; proxy_read_timeout 120s;
        }}
    }}
}}
""")
    process = subprocess.Popen(
        [found, "-p", str(folder), "-c", str(folder / "nginx.conf")], start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    try:
        yield port
    finally:
        process.send_signal(signal.SIGQUIT)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(5)
        shutil.rmtree(folder, ignore_errors=True)


class Listener:
    """A client as one should be: it comes back, and says what it has."""

    def __init__(self, http: aiohttp.ClientSession, url: str, headers: dict[str, str]) -> None:
        self._http, self._url, self._headers = http, f"{url}/ws/realtime", headers
        self.seqs: dict[str, list[int]] = {"config": [], "trade": [], "alert": []}
        self.values: list[Any] = []
        self.signals = self.connections = self.incomplete = 0
        self.codes: list[int | None] = []
        self.epochs: set[str] = set()
        self.ready = asyncio.Event()
        self._came = asyncio.Condition()

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            with suppress(aiohttp.ClientError, OSError):
                async with self._http.ws_connect(self._url, headers=self._headers) as socket:
                    self.connections += 1
                    await self._talk(socket)
                    self.codes.append(socket.close_code)
            await asyncio.sleep(0.2)

    async def _talk(self, socket: Any) -> None:
        await socket.send_json({
            "action": "subscribe", "symbols": ["BTCUSDT"],
            "channels": ["signal", "config", "trade", "alert"],
        })  # fmt: skip
        if self.epochs:
            await socket.send_json({
                "action": "resume", "epoch": max(self.epochs),
                "seqs": {channel: self.newest(channel) for channel in self.seqs},
            })  # fmt: skip
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                await self._hear(json.loads(message.data))

    async def _hear(self, told: dict[str, Any]) -> None:
        kind = told["type"]
        if kind == "subscription_confirmed" and not self.epochs:
            self.epochs.add(told["epoch"])
            self.start = dict(told["seqs"])
            for channel, seq in told["seqs"].items():
                self.seqs[channel].append(seq)
            self.ready.set()
        if kind == "resumed" and not told["complete"]:
            self.incomplete += 1
        self.signals += kind == "signal"
        if told.get("channel") in self.seqs:
            self.seqs[told["channel"]].append(told["seq"])
            if told["channel"] == "config":
                self.values.append(told["value"])
        async with self._came:
            self._came.notify_all()

    def newest(self, channel: str) -> int:
        return self.seqs[channel][-1]

    async def until(self, condition: Any, timeout_s: float) -> None:
        """Wait until something holds, looked at with each message."""
        async with asyncio.timeout(timeout_s), self._came:
            await self._came.wait_for(condition)

    def check(self) -> None:
        """Check that nothing is missing, nothing came twice, and all in order."""
        for channel, seqs in self.seqs.items():
            assert seqs == list(range(seqs[0], seqs[0] + len(seqs))), (channel, seqs)
        assert self.incomplete == 0


@asynccontextmanager
async def listeners(url: str, headers: dict[str, str], n: int) -> AsyncIterator[list[Listener]]:
    """Clients that listen while the block runs; each is subscribed when it begins."""
    async with aiohttp.ClientSession() as http:
        made = [Listener(http, url, headers) for _ in range(n)]
        running = [asyncio.ensure_future(one.run()) for one in made]
        try:
            async with asyncio.timeout(30):
                for one in made:
                    await one.ready.wait()
            yield made
        finally:
            for one in running:
                one.cancel()
            await asyncio.wait(running)

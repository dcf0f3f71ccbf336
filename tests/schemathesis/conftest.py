"""A real server process on loopback, with or without login, and schemathesis pointed at it."""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
START_S = 300.0
"""A machine without warm kernels compiles for minutes."""


class Server:
    """`opportunity serve` in a process group of its own."""

    def __init__(self, home: Path, *flags: str) -> None:
        self.log = home / "server.log"
        self._home, self._flags = home, flags

    def start(self) -> None:
        flags = ["--port", "0", "--symbols", "BTC/USDT,ETH/USDT,SOL/USDT", "--speed", "0.1",
                 "--timeframes", "15m,1h,4h", "--home", str(self._home), *self._flags]  # fmt: skip
        self._out = self.log.open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-c", MAIN, "serve", *flags], cwd=ROOT, stdout=subprocess.PIPE,
            stderr=self._out, start_new_session=True, text=True,
            env=os.environ | {"OPPORTUNITY_REQUESTS_PER_MINUTE": "0", "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        self.url = self._wait()

    def stop(self) -> None:
        os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.communicate()
        self._out.close()

    def errors(self) -> list[str]:
        """What the server logged as its own fault."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [line for line in lines if re.search(r"level=error|\[error|Traceback", line)]

    def _wait(self) -> str:
        killer = threading.Timer(START_S, self._process.kill)
        killer.start()
        try:
            assert self._process.stdout is not None
            for line in self._process.stdout:
                found = re.search(r"at (http://[\d.]+:\d+)", line)
                if found:
                    return found[1]
        finally:
            killer.cancel()
        raise AssertionError(f"server did not start:\n{self.log.read_text()}")


MAIN = "import sys; from app.cli import main; sys.exit(main())"


def opportunity(*args: str) -> str:
    """Run a verb and return what it printed."""
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", MAIN, *args], cwd=ROOT, check=True, text=True,
        capture_output=True,
    ).stdout.strip()  # fmt: skip


@pytest.fixture(scope="module")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that asks programs of its machine for no login."""
    made = Server(tmp_path_factory.mktemp("open"))
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def closed_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    """A server that asks everybody for a login, and the key of an admin."""
    home = tmp_path_factory.mktemp("closed")
    key = opportunity("token", "create", "schemathesis", "--role", "admin", "--home", str(home))
    made = Server(home, "--auth")
    made.start()
    yield made, key
    made.stop()


@pytest.fixture
def examine(tmp_path: Path) -> Callable[..., str]:
    """Run schemathesis against an address; return what it says, or fail with it."""
    program = shutil.which("schemathesis") or str(Path(sys.executable).with_name("schemathesis"))

    def run(url: str, *flags: str, most: int, seed: int = 1) -> str:
        done = subprocess.run(
            [program, "--config-file", str(HERE / "api.toml"), "run", f"{url}/api/openapi.json",
             "--max-examples", str(most), "--seed", str(seed), *flags],
            cwd=tmp_path, text=True, capture_output=True, check=False,
            env=os.environ | {"COLUMNS": "200", "NO_COLOR": "1"},
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
        return done.stdout

    return run

"""Programs that deployments are made of, and a real server for them to talk to."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[2] / "docs" / "deploy"
HOST = "desk.example.org"
PASSWORD = "a quiet harbour at dawn"


def tool(name: str) -> str:
    """Return the path of a program; skip where there is none, fail in CI."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if found is None:
        why = f"no {name} here (sh tests/deploy/install.sh)"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    return found


def run(*command: str | Path, **more) -> subprocess.CompletedProcess:
    """Run a program to its end."""
    return subprocess.run(
        [str(part) for part in command], check=False, capture_output=True, text=True, timeout=60,
        **more,
    )


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def until(condition: Callable[[], bool], seconds: float = 60.0, what: str = "") -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what or condition
        time.sleep(0.05)


class Started:
    """A program in a process group of its own, that is ended whatever happens.

    Parameters
    ----------
    folder : Path
        Its output is in there.
    command : sequence
    env : mapping
        Added to the environment.
    """

    def __init__(self, folder: Path, *command: str | Path, env: dict[str, str] | None = None):
        self.log = folder / f"{Path(str(command[0])).name}.out"
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                [str(part) for part in command], stdout=out, stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL, start_new_session=True, cwd=folder,
                env={**os.environ, **(env or {})},
            )

    def said(self) -> str:
        """Return all that it has written."""
        return self.log.read_text(errors="replace")

    def check(self) -> None:
        """Fail with its output when it has ended."""
        assert self.process.poll() is None, self.said()

    def stop(self) -> int:
        """End it as a service manager does; return how it ended."""
        self.process.terminate()
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            return -1
        finally:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)


@dataclass
class Server:
    """`opportunity serve` as the unit starts it: login for everybody, a proxy that is believed."""

    started: Started
    port: int
    home: Path
    keys: dict[str, str]

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def bearer(self, role: str = "trader") -> dict[str, str]:
        """Return the header of a program with a role."""
        return {"Authorization": f"Bearer {self.keys[role]}"}


def opportunity(*args: str | Path) -> list[str]:
    """Return the command line of the program under test."""
    return [str(Path(sys.executable).with_name("opportunity")), *map(str, args)]


def serve(folder: Path) -> Server:
    """Start a server with a key for each role and wait until it is ready."""
    home, keys = folder / "home", {}
    for role in ("viewer", "trader", "admin"):
        made = run(
            *opportunity("token", "create", role, "--role", role, "--home", home, "--json")
        )
        assert made.returncode == 0, made.stderr
        keys[role] = next(v for v in json.loads(made.stdout).values() if str(v).startswith("opp_"))
    made = run(
        *opportunity("user", "add", "desk", "--role", "trader", "--home", home, "--password-stdin"),
        input=PASSWORD + "\n",
    )
    assert made.returncode == 0, made.stderr
    port = free_port()
    env = {
        "OPPORTUNITY_AUTH": "true", "OPPORTUNITY_ORIGINS": f"https://{HOST}",
        "OPPORTUNITY_TRUSTED_PROXIES": "127.0.0.1", "OPPORTUNITY_LOG_FORMAT": "json",
        "LOG_LEVEL": "DEBUG", "OPPORTUNITY_REQUESTS_PER_MINUTE": "60000",
    }  # fmt: skip
    started = Started(
        folder, *opportunity(
            "serve", "--home", home, "--port", str(port), "--symbols", "BTC/USDT,ETH/USDT",
            "--timeframes", "5m,1h", "--speed", "600",
        ), env=env,
    )  # fmt: skip
    server = Server(started, port, home, keys)

    def ready() -> bool:
        started.check()
        asked = f"{server.url}/health/ready"
        with suppress(OSError), urllib.request.urlopen(asked, timeout=5) as answer:
            return answer.status == 200
        return False

    try:
        until(ready, 120, "server not ready")
    except AssertionError as error:
        started.stop()
        raise AssertionError(started.said()[-4_000:]) from error
    return server

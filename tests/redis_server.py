"""A real Redis for tests: the system's program, a folder of its own, a free loopback port."""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
from yarl import URL

HOST: Final = "127.0.0.1"
PASSWORD: Final = "redis-not-to-be-shown"
START_S: Final = 10.0
_LIBC: Final = ctypes.CDLL(None)


def end_with_us() -> None:
    """Have the kernel kill a child when the tests are killed: nobody else would."""
    _LIBC.prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def program(name: str) -> str:
    """Return where a program is; skip without it, fail in CI."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        why = f"no {name} here (sh tests/redis_install.sh)"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    return found


@dataclass
class RedisServer:
    """A Redis of our own; its only user needs the password."""

    folder: Path
    program: str
    port: int = field(default_factory=free_port)
    _process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    @property
    def url(self) -> str:
        made = URL.build(
            scheme="redis", user="worker", password=PASSWORD, host=HOST, port=self.port, path="/0"
        )
        return str(made)

    def start(self) -> None:
        """Start it and wait until it answers."""
        config = self.folder / "redis.conf"
        config.write_text(
            f"port {self.port}\nbind 127.0.0.1\nsave \"\"\nappendonly no\ndir {self.folder}\n"
            f"user default off\nuser boss on >{PASSWORD} ~* &* +@all\n"
            f"user worker on >{PASSWORD} ~opportunity:* &opportunity:* +@all -@dangerous "
            "-@scripting\n"  # as docs/workers.md has it
        )
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self.program, str(config)], stdout=log, stderr=log, start_new_session=True,
                preexec_fn=end_with_us,
            )
        for _ in range(round(START_S / 0.02)):
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as tried:
                tried.sendall(f"AUTH worker {PASSWORD}\r\nPING\r\n".encode())
                if tried.recv(64).startswith(b"+OK"):
                    return
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(0.02)
        raise AssertionError((self.folder / "log").read_text()[-2_000:])

    def stop(self) -> None:
        """Kill it; nothing of what it held comes back."""
        if self._process is not None:
            self.release()
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)
            self._process.wait(10)
            self._process = None

    def hold(self) -> None:
        """Let it hang: connections are open and nothing answers."""
        self._signal(signal.SIGSTOP)

    def release(self) -> None:
        """Undo `hold`."""
        self._signal(signal.SIGCONT)

    def tell(self, *words: str) -> bytes:
        """Send one command; return the answer as it comes."""
        with socket.create_connection(("127.0.0.1", self.port), 5) as line:
            line.sendall(f"AUTH boss {PASSWORD}\r\n".encode())
            assert line.recv(64).startswith(b"+OK")
            line.sendall((" ".join(words) + "\r\n").encode())
            return line.recv(1 << 16)

    def empty(self) -> None:
        """Delete all that it holds."""
        assert self.tell("FLUSHALL").startswith(b"+OK")

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, number)


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """A running Redis for one test, which may do with it what it wants."""
    found = program("redis-server")
    folder = Path(tempfile.mkdtemp(prefix="redis-"))
    server = RedisServer(folder, found)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)

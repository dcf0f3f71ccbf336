"""What is done beside the swarm: REST is asked, and clients that never read are held."""

import fcntl
import http.client
import socket
import struct
import termios
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Final

from tests.load.wire import text, upgrade

EVERY_S: Final = 0.02
PATHS: Final = ("/api/agent/status", "/api/config/weights", "/api/scanner/status", "/health")
CONFIG_EVERY: Final = 50
"""One of so many requests changes the heartbeat: an event of `config`."""


class Prober:
    """Asks REST from a thread, one request after the other."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._took: list[float] = []
        self._failed: list[str] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def __enter__(self) -> "Prober":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._over.set()
        self._thread.join()

    def stop(self) -> list[float]:
        """Return how long the requests took, ms.

        Raises
        ------
        RuntimeError
            If one was not answered well.
        """
        self._over.set()
        self._thread.join()
        if self._failed:
            raise RuntimeError(f"requests must be answered, were not: {self._failed[:3]}")
        return self._took

    def _ask(self) -> None:
        line, n = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30), 0
        while not self._over.wait(EVERY_S):
            n += 1
            method, path = "GET", PATHS[n % len(PATHS)]
            if n % CONFIG_EVERY == 0:
                interval = 30_000 + n // CONFIG_EVERY % 2
                method, path = "PUT", f"/api/agent/config?scan_interval_ms={interval}"
            began = time.perf_counter()
            try:
                line.request(method, path)
                answer = line.getresponse()
                answer.read()
            except OSError as error:
                self._failed.append(repr(error))
                return
            self._took.append((time.perf_counter() - began) * 1e3)
            if answer.status != 200:
                self._failed.append(f"{method} {path}: {answer.status}")


class Deaf:
    """Clients that ask for everything again and again, and never read a byte."""

    def __init__(self, port: int, n: int, symbol: str) -> None:
        self._sockets = [self._open(port) for _ in range(n)]
        channels = ["signal", "price", "market_scan", "status", "portfolio"]
        self._busy = text({"action": "subscribe", "symbols": [symbol], "channels": channels})

    def __enter__(self) -> "Deaf":
        for one in self._sockets:
            one.sendall(self._busy)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        for one in self._sockets:
            one.close()

    @staticmethod
    def _open(port: int) -> socket.socket:
        made = socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        made.settimeout(20)
        made.connect(("127.0.0.1", port))
        made.sendall(upgrade(port))
        return made

    def until_cut(self, memory: Callable[[], int], timeout_s: float) -> tuple[float, int]:
        """Wait until the server has cut all of them.

        Returns
        -------
        (float, int)
            The most seconds from when the system took no more of what the server sends (nothing
            left its buffers) until it was cut; and the most memory meanwhile, bytes.
        """
        began, most = time.monotonic(), 0
        full: dict[int, float] = {}
        cut: dict[int, float] = {}
        while len(cut) < len(self._sockets):
            now = time.monotonic()
            if now - began > timeout_s:
                raise TimeoutError(f"{len(self._sockets) - len(cut)} clients must be cut, were not")
            for one in self._sockets:
                number = one.fileno()
                if number in cut:
                    continue
                if _queued(one) != full.get(-number):
                    full[-number], full[number] = _queued(one), now
                try:
                    one.sendall(self._busy)
                except OSError:
                    cut[number] = now - full[number]
            most = max(most, memory())
            time.sleep(0.1)
        return max(cut.values()), most


def _queued(one: socket.socket) -> int:
    """Return the bytes that have come and are not read."""
    packed = b"\0\0\0\0"
    with suppress(OSError):
        packed = fcntl.ioctl(one, termios.FIONREAD, packed)
    return int(struct.unpack("i", packed)[0])

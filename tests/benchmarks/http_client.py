"""An HTTP/1.1 client that only counts: one request again and again over kept connections.

A process of its own, one epoll loop, so that it costs the machine little beside the server that
is measured: `python -m tests.benchmarks.http_client` reads what to do as JSON on stdin and
prints what came out as JSON.
"""

import json
import select
import socket
import sys
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

LENGTH = b"content-length: "


@dataclass
class Tally:
    """What came back."""

    statuses: dict[str, int] = field(default_factory=dict)
    took: list[float] = field(default_factory=list)
    sample: bytes = b""
    hung_up: int = 0

    def report(self, seconds: float) -> dict[str, Any]:
        """Return rates and quantiles."""
        ms = np.array(self.took or [np.nan]) * 1e3
        return {
            "per_s": round(len(self.took) / seconds, 1),
            "p50_ms": round(float(np.quantile(ms, 0.5)), 3),
            "p99_ms": round(float(np.quantile(ms, 0.99)), 3),
            "max_ms": round(float(ms.max()), 3),
            "statuses": self.statuses,
            "hung_up": self.hung_up,
            "sample": self.sample.decode("latin1"),
        }


class Connection:
    """One kept connection with at most one request under way."""

    def __init__(self, port: int, request: bytes) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self._request, self._buffer = request, b""
        self._sent = 0.0

    def ask(self) -> None:
        """Send the request."""
        self._sent = time.perf_counter()
        self.socket.send(self._request)

    def read(self, tally: Tally) -> bool:
        """Read what is there; return whether a whole answer is counted."""
        data = self.socket.recv(1 << 17)
        if not data:
            raise ConnectionError
        self._buffer = data = self._buffer + data if self._buffer else data
        end = data.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = data[:end].lower()
        at = head.find(LENGTH)
        size = 0 if at < 0 else int(head[at + len(LENGTH) :].partition(b"\r")[0])
        if len(data) < end + 4 + size:
            return False
        tally.took.append(time.perf_counter() - self._sent)
        status = data[9:12].decode()
        tally.statuses[status] = tally.statuses.get(status, 0) + 1
        if not tally.sample:
            tally.sample = data
        self._buffer = b""
        return True


def run(port: int, request: bytes, connections: int, seconds: float) -> dict[str, Any]:
    """Ask over so many connections for so long."""
    tally, poll = Tally(), select.epoll()
    known: dict[int, Connection] = {}

    def add() -> None:
        made = Connection(port, request)
        known[made.socket.fileno()] = made
        poll.register(made.socket.fileno(), select.EPOLLIN)
        made.ask()

    began = time.perf_counter()
    for _ in range(connections):
        add()
    while (now := time.perf_counter()) - began < seconds:
        for number, _ in poll.poll(min(1.0, began + seconds - now)):
            one = known[number]
            try:
                if one.read(tally):
                    one.ask()
            except (ConnectionError, BrokenPipeError):
                tally.hung_up += 1
                poll.unregister(number)
                known.pop(number).socket.close()
                add()
    took = time.perf_counter() - began
    for one in known.values():
        one.socket.close()
    return tally.report(took)


def main() -> int:
    """Do what stdin says."""
    asked = json.load(sys.stdin)
    found = run(
        asked["port"], asked["request"].encode("latin1"), asked["connections"], asked["seconds"]
    )
    sys.stdout.write(json.dumps(found) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

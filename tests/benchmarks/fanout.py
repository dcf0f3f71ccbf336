"""The same messages to many WebSockets: ours, FastAPI on uvicorn, and `websockets`.

Each server is a process, all clients together are another one that reads as fast as it can and
counts bytes. Rounds alternate between the servers, so that whatever else the machine does hits
all of them.
"""

import argparse
import json
import select
import socket
import statistics
import sys
import time
from typing import Any, Final

from tests.benchmarks.fanout_server import TEXT
from tests.benchmarks.processes import (
    end_on_term,
    free_port,
    machine,
    raise_files,
    running,
    wait_for_port,
)
from tests.load.wire import text, upgrade

KINDS: Final = ("ours", "FastAPI", "websockets")
SETTLE_S: Final = 0.5
BURSTS: Final = (1, 10)
"""Messages that happen at the same time."""


def connect(port: int, n: int, burst: int) -> list[socket.socket]:
    """Open so many WebSockets, each with so many symbols."""
    symbols = [f"S{i}/USDT" for i in range(burst)]
    subscribe = text({"action": "subscribe", "symbols": symbols, "channels": ["price"]})
    made = []
    for _ in range(n):
        one = socket.create_connection(("127.0.0.1", port), 20)
        one.sendall(upgrade(port))
        made.append(one)
    for one in made:
        head = b""
        while b"\r\n\r\n" not in head:
            head += one.recv(4_096)
        if not head.startswith(b"HTTP/1.1 101"):
            raise RuntimeError(f"server must upgrade, said {head[:200]!r}")
        one.sendall(subscribe)
        one.setblocking(False)
    return made


def read(sockets: list[socket.socket], seconds: float) -> int:
    """Return the bytes that came within so long."""
    poll = select.epoll()
    by_fd = {one.fileno(): one for one in sockets}
    for fd in by_fd:
        poll.register(fd, select.EPOLLIN)
    n, ends = 0, time.perf_counter() + seconds
    while (left := ends - time.perf_counter()) > 0:
        for fd, _ in poll.poll(min(left, 0.1)):
            n += len(by_fd[fd].recv(262_144))
    poll.close()
    return n


def measure(kind: str, burst: int, n_clients: int, seconds: float) -> dict[str, float]:
    """Return deliveries a second and the server's processor time of each."""
    port = free_port()
    size = len(TEXT) + 4
    module = "tests.benchmarks.fanout_server"
    command = [sys.executable, "-m", module, kind, str(port), str(burst)]
    with running(command) as server:
        wait_for_port(port)
        sockets = connect(port, n_clients, burst)
        try:
            read(sockets, SETTLE_S)
            assert server.stdin is not None
            assert server.stdout is not None
            server.stdin.write("go\n")
            server.stdin.flush()
            came = read(sockets, seconds)
            server.stdin.write("end\n")
            server.stdin.flush()
            came_late = read(sockets, SETTLE_S)
            told: dict[str, Any] = json.loads(server.stdout.readline())
        finally:
            for one in sockets:
                one.close()
    delivered = (came + came_late) / size
    return {
        "per_s": came / size / seconds, "cpu_us": told["cpu_s"] * 1e6 / delivered,
        "kept": delivered / (told["rounds"] * n_clients * burst),
    }  # fmt: skip


def main() -> int:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    end_on_term()
    raise_files(args.clients + 200)
    before = machine()
    runs: dict[tuple[int, str], list[dict[str, float]]] = {}
    for _ in range(args.rounds):
        for burst in BURSTS:
            for kind in KINDS:
                found = measure(kind, burst, args.clients, args.seconds)
                runs.setdefault((burst, kind), []).append(found)
    lines = [
        f"{args.clients} clients; {before}; after: {machine()}",
        "| at the same time | server | deliveries/s | ours to it | CPU a delivery, us | to ours "
        "| delivered |", "|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    medians = {
        place: {name: statistics.median(run[name] for run in of) for name in of[0]}
        for place, of in runs.items()
    }
    for (burst, kind), one in medians.items():
        ours = medians[burst, "ours"]
        lines.append(
            f"| {burst} | {kind} | {one['per_s']:,.0f} | {ours['per_s'] / one['per_s']:.2f} "
            f"| {one['cpu_us']:.2f} | {one['cpu_us'] / ours['cpu_us']:.2f} | {one['kept']:.1%} |"
        )
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

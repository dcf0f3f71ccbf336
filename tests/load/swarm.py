"""Thousands of WebSocket clients in one process: raw sockets on one epoll loop.

Each subscribes, reads everything, checks that events come without a hole and never twice, and
when its connection breaks comes back by itself and resumes. Reads one JSON line on stdin, prints
a JSON line a second.
"""

import heapq
import json
import random
import select
import socket
import sys
import time
from collections import Counter
from typing import Any, Final

from tests.benchmarks.loop_holds import Histogram
from tests.load.wire import CLOSE, PING, PONG, TEXT, frames, masked, text, upgrade

RETRY_S: Final = (0.3, 2.5)
"""Wait before the next try, drawn evenly."""

EVENTS: Final = {"alert": "alert", "config_changed": "config", "trade": "trade"}
"""Type of a message -> channel of events."""

RECENT_MS: Final = 60_000
"""Times that are further off are market time."""

HANDSHAKE, OPEN = 0, 1


class Client:
    """One connection after the other, of one client."""

    __slots__ = ("buffer", "due", "epoch", "lost_at", "resumed", "socket", "state", "wanted")

    def __init__(self) -> None:
        self.socket: socket.socket | None = None
        self.state, self.due, self.lost_at = HANDSHAKE, 0.0, 0.0
        self.buffer = bytearray()
        self.epoch = ""
        self.wanted: dict[str, int] = {}
        """Channel -> number that the next event must have."""
        self.resumed = True


class Swarm:
    """All clients, and what they saw."""

    def __init__(self, asked: dict[str, Any]) -> None:
        self._port, self._ramp = asked["port"], asked["ramp_per_s"]
        channels, symbols = asked["channels"], [asked["symbol"]]
        self._subscribe = _subscribe(symbols, channels)
        # Channels of events are joined by resuming: else a new one could come before the missed.
        self._again = _subscribe(symbols, [c for c in channels if c not in EVENTS.values()])
        self._upgrade = upgrade(self._port)
        self._poll = select.epoll()
        self._by_fd: dict[int, Client] = {}
        self._waiting: list[tuple[float, int, Client]] = []
        self._known: dict[bytes, Any] = {}
        self.delivery, self.back = Histogram(), Histogram()
        self.counts: Counter[str] = Counter()
        self.closes: Counter[str] = Counter()
        self.open = 0
        now = time.monotonic()
        for i in range(asked["clients"]):
            self._later(Client(), now + i / self._ramp)

    def _later(self, client: Client, due: float) -> None:
        heapq.heappush(self._waiting, (due, id(client), client))

    # -- connections -------------------------------------------------------------------------

    def _connect(self, client: Client) -> None:
        made = socket.socket()
        made.setblocking(False)
        client.socket, client.state = made, HANDSHAKE
        client.buffer = bytearray()
        made.connect_ex(("127.0.0.1", self._port))
        self._by_fd[made.fileno()] = client
        self._poll.register(made.fileno(), select.EPOLLOUT)

    def _lost(self, client: Client, why: str) -> None:
        assert client.socket is not None
        fd = client.socket.fileno()
        self._poll.unregister(fd)
        del self._by_fd[fd]
        client.socket.close()
        now = time.monotonic()
        if client.state == OPEN:
            self.open -= 1
            self.closes[why] += 1
            client.lost_at = client.lost_at or now
        else:
            self.counts["tries_failed"] += 1
        self._later(client, now + random.uniform(*RETRY_S))

    def _opened(self, client: Client) -> None:
        client.state = OPEN
        self.open += 1
        data = self._subscribe
        if client.wanted:
            client.resumed = False
            seqs = {channel: seq - 1 for channel, seq in client.wanted.items()}
            resume = text({"action": "resume", "epoch": client.epoch, "seqs": seqs})
            data = resume + self._again
        assert client.socket is not None
        client.socket.send(data)

    # -- what comes in -------------------------------------------------------------------------

    def turn(self, wait_s: float) -> None:
        """Do what there is to do, or wait for it."""
        now = time.monotonic()
        while self._waiting and self._waiting[0][0] <= now:
            self._connect(heapq.heappop(self._waiting)[2])
        for fd, happened in self._poll.poll(wait_s):
            client = self._by_fd.get(fd)
            if client is None or client.socket is None:
                continue
            try:
                if happened & select.EPOLLOUT and client.state == HANDSHAKE:
                    client.socket.send(self._upgrade)
                    self._poll.modify(fd, select.EPOLLIN)
                elif happened:
                    self._read(client)
            except OSError as error:
                self._lost(client, type(error).__name__)

    def _read(self, client: Client) -> None:
        assert client.socket is not None
        data = client.socket.recv(65_536)
        if not data:
            self._lost(client, "eof")
            return
        client.buffer += data
        if client.state == HANDSHAKE:
            end = client.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            if not client.buffer.startswith(b"HTTP/1.1 101"):
                self.counts[f"refused_{client.buffer[9:12].decode()}"] += 1
                self._lost(client, "refused")
                return
            del client.buffer[: end + 4]
            self._opened(client)
        now = time.time() * 1e3  # noqa: TID251 - compared with the server's wall time
        for opcode, payload in frames(client.buffer):
            if opcode == TEXT:
                self._hear(client, payload, now)
            elif opcode == PING:
                client.socket.send(masked(PONG, payload))
            elif opcode == CLOSE:
                code = int.from_bytes(payload[:2], "big")
                self._lost(client, str(code))
                return

    def _hear(self, client: Client, payload: bytes, now: float) -> None:
        known = self._known.get(payload)
        if known is None:
            if len(self._known) > 5_000:
                self._known.clear()
            said = json.loads(payload)
            known = (said["type"], said.get("seq"), said.get("epoch"), said.get("ts"), said)
            self._known[payload] = known
        kind, seq, epoch, stamp, said = known
        self.counts["messages"] += 1
        if kind in EVENTS:
            self._event(client, EVENTS[kind], seq, epoch)
        elif kind == "resumed":
            self._resumed(client, said)
        elif kind == "subscription_confirmed" and not client.wanted:
            client.epoch = said["epoch"]
            client.wanted = {
                channel: said["seqs"][channel] + 1
                for channel in EVENTS.values() if channel in said["channels"]
            }  # fmt: skip
        elif kind == "error":
            self.counts["errors"] += 1
        late = now - stamp if stamp else RECENT_MS
        if client.resumed and 0 <= late + 1_000 < RECENT_MS and not client.lost_at:
            self.delivery.add(max(late, 0.0) / 1e3)

    def _event(self, client: Client, channel: str, seq: int, epoch: str) -> None:
        wanted = client.wanted.get(channel)
        if epoch != client.epoch:
            self.counts["epochs"] += bool(client.epoch)
            client.epoch, wanted = epoch, None
        if wanted is not None and seq != wanted:
            self.counts["holes" if seq > wanted else "twice"] += 1
        client.wanted[channel] = seq + 1
        self.counts["events"] += 1

    def _resumed(self, client: Client, said: dict[str, Any]) -> None:
        client.resumed = True
        self.counts["resumed"] += 1
        self.counts["replayed"] += said["replayed"]
        self.counts["incomplete"] += not said["complete"]
        if client.lost_at:
            self.back.add(time.monotonic() - client.lost_at)
            client.lost_at = 0.0

    def report(self) -> dict[str, Any]:
        """Return what was seen so far."""
        def quantiles(of: Histogram) -> list[float]:
            return of.quantiles_ms(0.5, 0.99, 0.999) if of.n else []

        return {
            "open": self.open, "away": len(self._waiting), **self.counts,
            "closes": dict(self.closes), "delivery_ms": quantiles(self.delivery),
            "back_ms": quantiles(self.back), "numbers": self._numbers(),
        }  # fmt: skip

    def _numbers(self) -> dict[str, list[int]]:
        """Return the least and most next number of each channel over the open clients."""
        found: dict[str, list[int]] = {}
        for client in self._by_fd.values():
            for channel, seq in client.wanted.items():
                low, high = found.get(channel, [seq, seq])
                found[channel] = [min(low, seq), max(high, seq)]
        return found

    def forget(self) -> None:
        """Begin to count anew: the next phase."""
        self.delivery, self.back = Histogram(), Histogram()
        self.counts.clear()
        self.closes.clear()


def _subscribe(symbols: list[str], channels: list[str]) -> bytes:
    return text({"action": "subscribe", "symbols": symbols, "channels": channels})


def main() -> int:
    """Do what the first line of stdin says; further lines: `phase` or `end`."""
    swarm = Swarm(json.loads(sys.stdin.readline()))
    said = time.monotonic()
    orders = select.poll()
    orders.register(sys.stdin.fileno(), select.POLLIN)
    while True:
        swarm.turn(0.02)
        if orders.poll(0):
            order = sys.stdin.readline().strip()
            if order == "phase":
                swarm.forget()
            else:
                return 0
        if time.monotonic() - said >= 1:
            said = time.monotonic()
            sys.stdout.write(json.dumps(swarm.report()) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

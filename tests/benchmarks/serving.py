"""Requests a second at 50 connections: our server, and FastAPI on uvicorn with the same contract.

Both run as they would be deployed, each as a process of its own: ours whole, with its agent over
the simulated market, login required and requests counted; the other with the same models, a
bearer token, a limiter and the same headers (`serving_peer`). One client process asks one after
the other, a few seconds each, several rounds, so that whatever else the machine does hits both.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final

from tests.benchmarks.processes import (
    ask,
    cpu_s,
    end_on_term,
    free_port,
    machine,
    running,
    wait_for,
    wait_for_port,
)

CONNECTIONS: Final = 50
PER_MINUTE: Final = 1_000_000_000
"""A limit that counts and is never reached."""

SYMBOLS: Final = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT", "ADAUSDT", "DOGEUSDT")
SCAN: Final = {"symbols": SYMBOLS, "timeframes": ["15m", "1h", "4h"]}

HOT: Final[dict[str, tuple[str, str, Any]]] = {
    "status": ("GET", "/api/agent/status", None),
    "weights": ("GET", "/api/config/weights", None),
    "price": ("GET", "/api/price/BTC-USDT", None),
    "live": ("GET", "/api/signals/live?limit=10", None),
    "score": ("POST", "/api/signals/score", {"symbol": "BTCUSDT", "timeframe": "1h"}),
    "scan": ("POST", "/api/scanner/run", SCAN),
}
OTHERS: Final[dict[str, tuple[str, str, Any]]] = {
    "health": ("GET", "/health", None),
    "metrics": ("GET", "/api/metrics", None),
    "config": ("GET", "/api/agent/config", None),
    "presets": ("GET", "/api/config/weight-presets", None),
    "position": ("POST", "/api/risk/calculate-position", {
        "entry_price": 45_000, "stop_loss": 44_000, "account_size": 10_000, "risk_percent": 2,
    }),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Server:
    """A server under measurement."""

    name: str
    port: int
    pid: int
    token: str

    def request(self, method: str, path: str, body: Any, long_way: bool = False) -> str:
        """Return a request as bytes on the wire."""
        text = "" if body is None else json.dumps(body)
        lines = [
            f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", "Accept: */*",
            "User-Agent: benchmark", f"Authorization: Bearer {self.token}",
        ]  # fmt: skip
        if long_way:
            lines.append("Expect: nothing")
        if text:
            lines += ["Content-Type: application/json", f"Content-Length: {len(text)}"]
        return "\r\n".join(lines) + "\r\n\r\n" + text

    def measure(self, request: str, seconds: float) -> dict[str, Any]:
        """Return what the client says, and the server's processor time a request."""
        before = cpu_s(self.pid)
        found = ask("tests.benchmarks.http_client", {
            "port": self.port, "request": request, "connections": CONNECTIONS, "seconds": seconds,
        })  # fmt: skip
        n = sum(found["statuses"].values())
        if set(found["statuses"]) != {"200"} or found["hung_up"]:
            raise RuntimeError(f"{self.name} must answer 200, was {found}")
        found["cpu_us"] = (cpu_s(self.pid) - before) * 1e6 / n
        return found


def start_ours(stack: ExitStack) -> Server:
    """Start our server with login required."""
    home = stack.enter_context(tempfile.TemporaryDirectory())
    env = {
        "OPPORTUNITY_HOME": home, "OPPORTUNITY_AUTH": "true",
        "OPPORTUNITY_REQUESTS_PER_MINUTE": str(PER_MINUTE),
    }  # fmt: skip
    token = make_key(home)
    made = stack.enter_context(running(
        [sys.executable, "-m", "app.cli", "serve", "--port", "0"], env=env
    ))  # fmt: skip
    port = int(wait_for(made, r"^opportunity .* at http://127\.0\.0\.1:(\d+)")[1])
    return Server("ours", port, made.pid, token)


def make_key(home: str) -> str:
    """Return a new API key of a data folder."""
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", "token", "create", "benchmark", "--role", "trader"],
        env={**os.environ, "OPPORTUNITY_HOME": home}, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    return next(word for word in done.stdout.split() if word.startswith("opp_"))


def start_peer(stack: ExitStack, token: str, answers: Mapping[str, Any]) -> Server:
    """Start the other one."""
    port = free_port()
    given = {"token": token, "per_minute": PER_MINUTE, "port": port, "answers": answers}
    made = stack.enter_context(running(
        [sys.executable, "-m", "tests.benchmarks.serving_peer"], json.dumps(given) + "\n"
    ))  # fmt: skip
    wait_for_port(port)
    return Server("FastAPI", port, made.pid, token)


def compare(seconds: float, rounds: int) -> dict[str, Any]:
    """Return medians over the rounds, by resource and server."""
    with ExitStack() as stack:
        ours = start_ours(stack)
        answers = {
            name: json.loads(_sample(ours, what)) for name, what in HOT.items()
        }
        peer = start_peer(stack, ours.token, answers)
        runs: dict[str, dict[str, list[dict[str, Any]]]] = {}
        for _ in range(rounds):
            for name, what in HOT.items():
                found = runs.setdefault(name, {"hot": [], "FastAPI": [], "long way": []})
                found["hot"].append(ours.measure(ours.request(*what), seconds))
                found["FastAPI"].append(peer.measure(peer.request(*what), seconds))
                found["long way"].append(
                    ours.measure(ours.request(*what, long_way=True), seconds)
                )
            for name, what in OTHERS.items():
                found = runs.setdefault(name, {"long way": []})
                found["long way"].append(ours.measure(ours.request(*what), seconds))
        return {
            name: {who: _median(found) for who, found in by.items()} for name, by in runs.items()
        }


def _sample(server: Server, what: tuple[str, str, Any]) -> str:
    found = server.measure(server.request(*what), 0.2)
    return str(found["sample"]).partition("\r\n\r\n")[2]


def _median(found: list[dict[str, Any]]) -> dict[str, float]:
    return {
        name: round(statistics.median(one[name] for one in found), 1)
        for name in ("per_s", "p50_ms", "p99_ms", "cpu_us")
    }


def table(found: Mapping[str, Any]) -> str:
    """Return the numbers for people."""
    lines = [
        "| resource | ours | FastAPI | ratio | ours, long way | CPU a request, us: ours / FastAPI "
        "| p99, ms: ours / FastAPI |", "|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for name, by in found.items():
        slow = by["long way"]
        if "hot" not in by:
            lines.append(f"| {name} | | | | {slow['per_s']:,.0f}/s | {slow['cpu_us']:.0f} / "
                         f"| {slow['p99_ms']:.1f} / |")  # fmt: skip
            continue
        hot, peer = by["hot"], by["FastAPI"]
        lines.append(
            f"| {name} | {hot['per_s']:,.0f}/s | {peer['per_s']:,.0f}/s "
            f"| {hot['per_s'] / peer['per_s']:.2f} | {slow['per_s']:,.0f}/s "
            f"| {hot['cpu_us']:.0f} / {peer['cpu_us']:.0f} "
            f"| {hot['p99_ms']:.1f} / {peer['p99_ms']:.1f} |"
        )
    return "\n".join(lines)


def main() -> int:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    end_on_term()
    before = machine()
    found = compare(args.seconds, args.rounds)
    text = json.dumps(found) if args.json else f"{before}; after: {machine()}\n{table(found)}"
    sys.stdout.write(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

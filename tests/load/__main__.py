"""`make load`: thousands of WebSocket clients on one server, measured against its promises.

A server and a swarm of clients run as processes of their own; this one asks REST meanwhile, holds
clients that never read, kills the server with -9, starts it again, and at the end prints a table
and exits with 1 if a promise is broken.
"""

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.processes import (
    cpu_s,
    end_on_term,
    free_port,
    machine,
    machine_busy_s,
    raise_files,
    rss,
)
from tests.load.children import Child, command
from tests.load.probes import Deaf, Prober
from tests.load.report import Row, table

SYMBOL = "BTC/USDT"
CHANNELS = ("signal", "price", "market_scan", "status", "alert", "config")
RAMP_PER_S = 450.0
"""Under the 500 a second that the server takes at most."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is run."""

    clients: int
    seconds: float
    deaf: int
    deaf_s: float
    home: Path
    port: int


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(prog="make load", description=__doc__)
    parser.add_argument("--clients", type=int, default=5_000)
    parser.add_argument("--seconds", type=float, default=600.0, help="of the steady phase")
    parser.add_argument("--deaf", type=int, default=50, help="clients that never read")
    parser.add_argument("--report", type=Path, help="write the table there, too")
    args = parser.parse_args()
    end_on_term()
    raise_files(args.clients + 1_000)
    with tempfile.TemporaryDirectory() as folder:
        plan = Plan(args.clients, args.seconds, args.deaf, 15.0, Path(folder), free_port())
        with ExitStack() as stack:
            rows = Run(plan, stack).run()
    text = "\n".join((
        f"{args.clients} clients, {args.seconds:g} s; {machine()}", "", *table(rows), "",
    ))  # fmt: skip
    sys.stdout.write(text)
    if args.report is not None:
        args.report.write_text(text)
    return 0 if all(row.kept for row in rows) else 1


class Run:
    """One run, phase by phase."""

    def __init__(self, plan: Plan, stack: ExitStack) -> None:
        self._plan, self._stack = plan, stack
        self._rows: list[Row] = []
        self._server = self._serve()
        self._server.wait("ready", 240)

    def _serve(self) -> Child:
        plan = self._plan
        return self._stack.enter_context(Child(command(
            "tests.load.server", home=plan.home, port=plan.port, clients=plan.clients,
        )))  # fmt: skip

    def run(self) -> list[Row]:
        """Return what was promised and what came."""
        plan = self._plan
        time.sleep(5)  # what starts has settled: nothing is measured of it
        empty = rss(self._server.pid)
        swarm = self._stack.enter_context(Child(command("tests.load.swarm"), {
            "port": plan.port, "clients": plan.clients, "ramp_per_s": RAMP_PER_S,
            "symbol": SYMBOL, "channels": CHANNELS,
        }))  # fmt: skip
        swarm.until(lambda told: told.get("open") == plan.clients, 60 + plan.clients / RAMP_PER_S)
        swarm.tell("phase")
        self._steady(swarm, empty)
        self._deaf(swarm)
        self._kill(swarm)
        return self._rows

    def _row(self, what: str, value: float, unit: str, bound: float) -> None:
        self._rows.append(Row(what, value, unit, bound))

    # -- phases --------------------------------------------------------------------------------

    def _steady(self, swarm: Child, empty: int) -> None:
        """Everybody reads."""
        plan, pid = self._plan, self._server.pid
        self._server.clear()
        cpu, busy, began = cpu_s(pid), machine_busy_s(), time.monotonic()
        prober = self._stack.enter_context(Prober(plan.port))
        time.sleep(plan.seconds)
        asked = prober.stop()
        took = time.monotonic() - began
        told = swarm.newest()
        lags = np.array([lag for line in self._server.lines() for lag in line.get("lags", ())])
        cpu, busy = cpu_s(pid) - cpu, machine_busy_s() - busy
        self._row("unexpected closes", sum(told["closes"].values()), "", 0)
        self._row("holes or repeats in events", _wrong(told), "", 0)
        self._row("delivery p99", told["delivery_ms"][1], "ms", 250)
        self._row("loop lag p99.9", float(np.quantile(lags, 0.999)), "ms", 50)
        self._row("memory a client", (rss(pid) - empty) / plan.clients / 1024, "KiB", 25)
        self._row("REST p99 meanwhile", float(np.quantile(asked, 0.99)), "ms", 100)
        for name, value, unit in (
            ("messages", told["messages"] / took, "/s"),
            ("delivery p50", told["delivery_ms"][0], "ms"),
            ("delivery, worst", told["delivery_ms"][3], "ms"),
            ("loop lag p99", float(np.quantile(lags, 0.99)), "ms"),
            ("loop lag, worst", float(lags.max()), "ms"),
            ("REST p50", float(np.quantile(asked, 0.5)), "ms"),
            ("server's processor", 100 * cpu / took, "% of a core"),
            ("whole machine", 100 * busy / took, "% of a core"),
        ):
            self._row(name, value, unit, float("inf"))

    def _deaf(self, swarm: Child) -> None:
        """Some never read."""
        plan = self._plan
        if not plan.deaf:
            return
        swarm.tell("phase")
        before = rss(self._server.pid)
        deaf = self._stack.enter_context(Deaf(plan.port, plan.deaf, SYMBOL))
        took, most = deaf.until_cut(lambda: rss(self._server.pid), 90)
        told = swarm.newest()
        self._row("cut after nothing left", took, "s", plan.deaf_s)
        self._row("memory a deaf client", max(0, most - before) / plan.deaf / 2**20, "MiB", 1)
        self._row("others' delivery p99 meanwhile", told["delivery_ms"][1], "ms", 250)
        self._row("others closed", sum(told["closes"].values()), "", 0)

    def _kill(self, swarm: Child) -> None:
        """The server dies without a word and comes back."""
        plan = self._plan
        swarm.tell("phase")
        swarm.next()
        self._server.kill()
        began = time.monotonic()
        self._server = self._serve()
        self._server.wait("ready", 240)
        up = time.monotonic() - began
        told = swarm.until(
            lambda told: told["open"] == plan.clients and told.get("resumed", 0) >= plan.clients,
            120,
        )
        took = time.monotonic() - began
        time.sleep(3)  # events after the return must follow those that were replayed
        told = swarm.newest()
        self._row("all back and resumed after kill -9", took, "s", 30)
        self._row("holes or repeats after it", _wrong(told), "", 0)
        self._row("resumed incompletely", told.get("incomplete", 0), "", 0)
        self._row("the server was ready again after", up, "s", float("inf"))
        self._row("events replayed", told.get("replayed", 0), "", float("inf"))


def _wrong(told: dict[str, Any]) -> int:
    uneven = sum(high - low > 1 for low, high in told["numbers"].values())
    return sum(int(told.get(name, 0)) for name in ("holes", "twice", "epochs", "errors")) + uneven


if __name__ == "__main__":
    sys.exit(main())

"""Start `dying_agent.py`, listen to its promises, kill it, and hold the database against them."""

import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from opportunity.feeds.clock import wall_ms
from opportunity.storage.engines import make_engine, parse_url
from opportunity.storage.ledger import PAPER, Ledger
from opportunity.storage.trading_tables import event, fill, paper_order, trade

CHILD = Path(__file__).parent / "dying_agent.py"
MARKET = "simulated-7"
START_S = 60.0


_ALIVE: "list[Child]" = []


@dataclass
class Promises:
    """What a process said before it died."""

    keys: list[str] = field(default_factory=list)
    hands: list[int] = field(default_factory=list)
    storage: list[str] = field(default_factory=list)
    ended: str = ""
    ready_s: float = 0.0


class Child:
    """A process that trades until it is killed.

    Parameters
    ----------
    url : str
        Of the database.
    seed : int
        Of the commands by hand.
    before : sequence of str
        A program, such as strace, that runs it.
    **environ : str
        Variables of its environment.
    """

    def __init__(
        self, url: str, seed: int, before: Sequence[str] = (), **environ: str
    ) -> None:
        self.said, self._lines = Promises(), queue.SimpleQueue[str]()
        _ALIVE.append(self)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
        began = time.monotonic()
        self._process = subprocess.Popen(
            [*before, sys.executable, str(CHILD), url, str(seed)],
            stdout=subprocess.PIPE, stderr=self._errors, start_new_session=True,
            env=os.environ | {"PYTHONPATH": str(CHILD.parents[1])} | environ,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.wait_for("ready")
        self.said.ready_s = time.monotonic() - began

    @staticmethod
    def alive() -> "list[Child]":
        """Return those that nobody has killed yet."""
        return list(_ALIVE)

    @property
    def pid(self) -> int:
        """Of the process, or of what runs it."""
        return self._process.pid

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            what, _, rest = line.decode().strip().partition(" ")
            match what:
                case "ack":
                    self.said.keys.append(rest)
                case "hand":
                    self.said.hands.append(int(rest))
                case "storage":
                    self.said.storage.append(rest)
                case "ended":
                    self.said.ended = rest or "?"
            self._lines.put(what)
        self._lines.put("")

    def wait_for(self, what: str, timeout_s: float = START_S) -> None:
        """Wait until the process says something of a kind."""
        end = time.monotonic() + timeout_s
        while True:
            try:
                found = self._lines.get(timeout=max(0.001, end - time.monotonic()))
                if time.monotonic() > end and found != what:
                    raise queue.Empty
            except queue.Empty:
                raise AssertionError(f"no {what!r} within {timeout_s:g} s") from None
            if found == what:
                return
            if not found:
                self._process.wait()
                self._errors.seek(0)
                raise AssertionError(self._errors.read().decode()[-3_000:])

    def kill(self) -> Promises:
        """Kill it as a power cut would and return all that it had said."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._reader.join()
        _ALIVE.remove(self)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._errors.close()
        return self.said


def check(url: str, said: Promises) -> int:
    """Hold the database against what was promised; return how many fills there are."""
    engine = make_engine(parse_url(url))
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
                assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
            kept = Counter(connection.execute(sa.select(event.c.key)).scalars())
            lost = [key for key in said.keys if kept[key] != 1]
            assert not lost, f"{len(lost)} promises are not kept once, e.g. {lost[:3]}"
            hands = set(connection.execute(sa.select(paper_order.c.number)).scalars())
            assert set(said.hands) <= hands
            for table in (fill, trade):
                found = sorted(connection.execute(
                    sa.select(table.c.number).where(table.c.book == PAPER)
                ).scalars())  # fmt: skip
                assert found == list(range(len(found))), f"{table.name} has holes"
            n_fills = connection.execute(sa.select(sa.func.count()).select_from(fill)).scalar_one()
            told = connection.execute(
                sa.select(sa.func.count()).where(event.c.kind == "fill")
            ).scalar_one()
            assert told == n_fills  # an event for each fill, and no other
        ledger = Ledger(engine, MARKET, wall_ms)
        if ledger.read_book(PAPER) is not None:
            identity = ledger.identity(PAPER)
            assert identity.holds, identity
    finally:
        engine.dispose()
    return int(n_fills)

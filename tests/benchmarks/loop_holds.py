"""How long single callbacks hold an event loop, and which ones do."""

import asyncio
import gc
import math
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

GOAL_S = 0.005
"""No callback should hold the loop for longer."""

PER_OCTAVE = 16
FIRST_S = 1e-6
BEAT_S = 0.01


class Histogram:
    """Counts of durations in bins 4 % wide, from 1 us to 100 s; takes no more room with time."""

    def __init__(self) -> None:
        self._counts = [0] * (27 * PER_OCTAVE)
        self.n, self.most = 0, 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        place = int(PER_OCTAVE * math.log2(max(seconds, FIRST_S) / FIRST_S))
        self._counts[min(place, len(self._counts) - 1)] += 1
        self.n += 1
        self.most = max(self.most, seconds)

    def quantiles_ms(self, *shares: float) -> list[float]:
        """Return quantiles and the most, in ms."""
        total = np.cumsum(self._counts)
        places = [int(np.searchsorted(total, share * self.n)) for share in shares]
        found = [FIRST_S * 2.0 ** ((p + 1) / PER_OCTAVE) * 1e3 for p in places]
        return [round(min(x, self.most * 1e3), 3) for x in (*found, self.most * 1e3)]


class Holds:
    """Times every callback of the running loop, by wall and by the thread's processor time.

    The wall time of a callback also holds waits for the interpreter, which other threads of the
    process have, and for a processor, which other processes have; its processor time does not.
    """

    def __init__(self) -> None:
        self._wall, self._cpu, self._beat = Histogram(), Histogram(), Histogram()
        self._over_wall = self._over_cpu = 0
        self._culprits: dict[str, list[float]] = {}
        self._collecting = self._collected = 0.0
        self._paused = self._skipped = False
        self._began = 0.0
        self.stacks: Counter[str] = Counter()

    @contextmanager
    def watching(self, stacks: bool = False) -> Iterator[None]:
        """Measure until left."""
        run, here = asyncio.Handle._run, threading.get_ident()

        def timed(handle: asyncio.Handle) -> None:
            if threading.get_ident() != here:
                run(handle)
                return
            self._collected = 0.0
            wall = time.perf_counter()
            self._began = cpu = time.thread_time()
            run(handle)
            used, took = time.thread_time() - cpu, time.perf_counter() - wall
            self._began = 0.0
            self._add(handle, took, used)

        over = threading.Event()
        looker = threading.Thread(target=self._look, args=(here, over), daemon=True)
        asyncio.Handle._run = timed  # type: ignore[method-assign,assignment]  # all pass it
        gc.callbacks.append(self._on_gc)
        beat = asyncio.ensure_future(self._beats())
        if stacks:
            looker.start()
        try:
            yield
        finally:
            over.set()
            beat.cancel()
            gc.callbacks.remove(self._on_gc)
            asyncio.Handle._run = run  # type: ignore[method-assign]

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Do something that does not count, within one callback."""
        self._paused = self._skipped = True
        yield

    def _add(self, handle: asyncio.Handle, took: float, used: float) -> None:
        if self._paused:
            self._paused = False
            return
        self._wall.add(took)
        self._cpu.add(used)
        if took <= GOAL_S:
            return
        self._over_wall += 1
        self._over_cpu += used > GOAL_S
        name = named(handle) + (
            " (mostly garbage collection)" if self._collected > took / 2 else ""
        )
        seen = self._culprits.setdefault(name, [0, 0, 0.0, 0.0])
        seen[0] += 1
        seen[1] += used > GOAL_S
        seen[2], seen[3] = max(seen[2], took), max(seen[3], used)

    def _on_gc(self, phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            self._collecting = time.perf_counter()
        else:
            self._collected += time.perf_counter() - self._collecting

    async def _beats(self) -> None:
        while True:
            due = time.perf_counter() + BEAT_S
            await asyncio.sleep(BEAT_S)
            late = time.perf_counter() - due
            if not self._skipped:
                self._beat.add(max(0.0, late))
            self._skipped = False

    def _look(self, thread: int, over: threading.Event) -> None:
        """Note where the loop is when a callback has used most of what it should."""
        seen = 0.0
        clock = time.pthread_getcpuclockid(thread)
        while not over.wait(0.001):
            began = self._began
            if began and began != seen and time.clock_gettime(clock) - began > GOAL_S * 0.8:
                seen = began
                frame: Any = sys._current_frames().get(thread)
                names: list[str] = []
                while frame is not None and len(names) < 8:
                    code = frame.f_code
                    names.append(
                        f"{code.co_filename.rpartition('/')[2]}:{frame.f_lineno} {code.co_name}"
                    )
                    frame = frame.f_back
                self.stacks[" < ".join(names)] += 1

    def report(self) -> dict[str, Any]:
        """Return quantiles (99 %, 99.9 %, most) in ms, and who held the loop beyond the goal."""
        worst = sorted(self._culprits.items(), key=lambda item: (-item[1][1], -item[1][0]))[:12]
        found: dict[str, Any] = {
            "callbacks": self._wall.n,
            "hold_wall_ms": self._wall.quantiles_ms(0.99, 0.999),
            "hold_cpu_ms": self._cpu.quantiles_ms(0.99, 0.999),
            "beat_late_ms": self._beat.quantiles_ms(0.5, 0.99, 0.999),
            "over_5_ms": [self._over_wall, self._over_cpu],
            "who": {
                name: {"n": int(n), "by_cpu": int(c), "wall_ms": round(w * 1e3, 1),
                       "cpu_ms": round(u * 1e3, 1)}
                for name, (n, c, w, u) in worst
            },
        }  # fmt: skip
        if self.stacks:
            found["stacks"] = dict(self.stacks.most_common(25))
        return found


def named(handle: asyncio.Handle) -> str:
    """Return what a callback is: its task and coroutine, or its function."""
    callback: Any = handle._callback  # type: ignore[attr-defined]
    owner = getattr(callback, "__self__", None)
    if isinstance(owner, asyncio.Task):
        coroutine: Any = owner.get_coro()
        task = owner.get_name()
        place = getattr(coroutine, "__qualname__", str(coroutine))
        return place if task.startswith("Task-") else f"{task} ({place})"
    return str(getattr(callback, "__qualname__", callback))

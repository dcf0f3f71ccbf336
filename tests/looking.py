"""Threads without a loop that wait, and loops elsewhere that they wait for."""

import asyncio
import threading
from time import monotonic


def until(condition, timeout_s: float = 20.0) -> None:
    """Wait until a condition holds, looking often."""
    end, pause = monotonic() + timeout_s, threading.Event()
    while not condition():
        assert monotonic() < end, "nothing happened in time"
        pause.wait(0.005)


class Elsewhere:
    """A loop on a thread of its own, as another process has one."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self.loop.run_forever, name="elsewhere", daemon=True
        )
        self._thread.start()

    def run(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

"""A loop on a thread of its own: scripts and notebooks wait for it without having one."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from opportunity.errors import ThreadError
from opportunity.remote.problems import RemoteError

T = TypeVar("T")


class Loop:
    """Runs coroutines for callers that have no loop, or whose loop must not wait.

    What it tells goes to the loop of whoever made it, where one was running (a notebook, a
    server); elsewhere to this thread.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        try:
            self._home: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self._home = None
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="opportunity-client", daemon=True
        )
        self._thread.start()

    @property
    def inside(self) -> bool:
        """Whether the caller is on this thread."""
        return threading.current_thread() is self._thread

    @property
    def open(self) -> bool:
        """Whether it runs."""
        return not self._loop.is_closed()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for a coroutine; blocks.

        Raises
        ------
        ThreadError
            If it is called on the loop itself, e.g. by a watcher: that would wait for ever.
        RemoteError
            If it is closed.
        """
        if not self.open:
            work.close()
            raise RemoteError("remote agent must be open, was closed", code="closed")
        if self.inside:
            work.close()
            raise ThreadError("a remote agent must be asked from outside of its own callbacks")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def here(self, work: Coroutine[Any, Any, T]) -> T:
        """Await a coroutine of this loop on the caller's."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    def tell(self, function: Callable[..., None], *args: Any) -> None:
        """Call a function where whoever made this can hear it; call on this thread."""
        if self._home is not None:
            try:
                self._home.call_soon_threadsafe(function, *args)
                return
            except RuntimeError:  # it is closed, and does not come back
                self._home = None
        # Not at once: what a watcher raises is the loop's to report, and ends nothing else.
        self._loop.call_soon(function, *args)

    def later(self, delay_s: float, function: Callable[[], None]) -> None:
        """Call a function on this thread after a time; call on this thread."""
        self._loop.call_later(delay_s, function)

    def close(self) -> None:
        """End the thread; a second time changes nothing."""
        if not self.open:
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

"""The hub: where the agent's thread hands its records to the server's loop.

State topics (a price, a signal) are kept by key and only the newest value travels; events (a
changed weight) all travel, in order. The hub delivers at once after a quiet time and then at
most once a tick however much was published, so a burst of bars costs the server one callback.
"""

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

TICK_S: Final = 0.02
MAX_EVENTS: Final = 10_000
"""Events held between two ticks; a loop that does not turn for so long has lost its readers."""

States = Mapping[tuple[str, str], Any]
Events = Sequence[tuple[str, Any]]
Callback = Callable[[States, Events], None]


class Hub:
    """Publish from any thread, receive batches on one loop.

    Parameters
    ----------
    loop : asyncio.AbstractEventLoop
        Loop on which subscribers are called.
    tick_s : float
        Least time between two deliveries, seconds.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, tick_s: float = TICK_S) -> None:
        self._loop = loop
        self._tick_s = tick_s
        self._lock = threading.Lock()
        self._states: dict[tuple[str, str], Any] = {}
        self._events: list[tuple[str, Any]] = []
        self._latest: dict[tuple[str, str], Any] = {}
        self._turns: dict[str, int] = {}
        self._pending = False
        self._closed = False
        self._delivered = -1e9
        self._callbacks: list[Callback] = []

    def publish(self, topic: str, key: str, payload: Any) -> None:
        """Hand over the newest state of `key`; an undelivered older one is forgotten."""
        self.publish_all({(topic, key): payload})

    def publish_many(self, topic: str, payloads: Mapping[str, Any]) -> None:
        """Hand over the newest states of many keys of a topic, in one delivery."""
        self.publish_all({(topic, key): payload for key, payload in payloads.items()})

    def publish_all(self, states: States) -> None:
        """Hand over the newest states of several topics, in one delivery."""
        with self._lock:
            self._states.update(states)
            self._latest.update(states)
            for topic in {topic for topic, _ in states}:
                self._turns[topic] = self._turns.get(topic, 0) + 1
            wake = self._claim()
        self._wake(wake)

    def emit(self, topic: str, payload: Any) -> None:
        """Hand over an event; events keep their order and none is merged away."""
        with self._lock:
            if len(self._events) >= MAX_EVENTS:
                raise OverflowError(f"hub must hold < {MAX_EVENTS} events, the loop has stopped")
            self._events.append((topic, payload))
            wake = self._claim()
        self._wake(wake)

    def latest(self, topic: str, key: str = "") -> Any | None:
        """Return the newest state of `key`, delivered or not."""
        with self._lock:
            return self._latest.get((topic, key))

    def latest_of(self, topic: str) -> dict[str, Any]:
        """Return the newest states of all keys of a topic."""
        with self._lock:
            return {k: v for (t, k), v in self._latest.items() if t == topic}

    def turns(self, topic: str) -> int:
        """Return how often states of a topic were handed over; where it is the same, they are."""
        return self._turns.get(topic, 0)

    def subscribe(self, callback: Callback) -> Callable[[], None]:
        """Call `callback(states, events)` on the loop after each tick; return the way out."""
        self._callbacks.append(callback)

        def leave() -> None:
            if callback in self._callbacks:
                self._callbacks.remove(callback)

        return leave

    @property
    def waiting(self) -> tuple[int, int]:
        """States and events that are not delivered yet."""
        with self._lock:
            return len(self._states), len(self._events)

    @property
    def n_subscribers(self) -> int:
        """Callbacks that are subscribed now."""
        return len(self._callbacks)

    def close(self) -> None:
        """Deliver nothing more."""
        with self._lock:
            self._closed = True
        self._callbacks.clear()

    def _claim(self) -> bool:
        wake = not self._pending and not self._closed
        self._pending = self._pending or wake
        return wake

    def _wake(self, wake: bool) -> None:
        if wake and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._schedule)

    def _schedule(self) -> None:
        # At once after a quiet time, so that a lone bar is not late; then at most once a tick.
        wait = self._delivered + self._tick_s - self._loop.time()
        if wait > 0:
            self._loop.call_later(wait, self._deliver)
        else:
            self._deliver()

    def _deliver(self) -> None:
        self._delivered = self._loop.time()
        with self._lock:
            states, self._states = self._states, {}
            events, self._events = self._events, []
            self._pending = False
        for callback in tuple(self._callbacks):
            # One turn each: a broken reader fails alone, through the loop's exception handler.
            self._loop.call_soon(callback, states, events)

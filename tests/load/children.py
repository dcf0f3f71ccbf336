"""Processes that print JSON lines, and are asked for the newest."""

import json
import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any


def command(module: str, **options: object) -> list[str]:
    """Return the command of a module with options."""
    given = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    return [sys.executable, "-m", module, *given]


class Child:
    """A process in a group of its own; its group is gone when it is left.

    Parameters
    ----------
    command : list of str
    given : mapping, optional
        First line of its stdin, as JSON.
    """

    def __init__(self, command: list[str], given: Mapping[str, Any] | None = None) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            start_new_session=True, env={**os.environ, "LOG_LEVEL": "WARNING"},
        )  # fmt: skip
        self._lines: deque[dict[str, Any]] = deque(maxlen=10_000)
        self._n = 0
        self._came = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if given is not None:
            self.tell(json.dumps(given))

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    def __enter__(self) -> "Child":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()
        self._reader.join(5)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def kill(self) -> None:
        """End it without a word, with all that it started."""
        os.killpg(self._process.pid, 9)
        self._process.wait()

    def tell(self, line: str) -> None:
        """Write a line to it."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def lines(self) -> list[dict[str, Any]]:
        """Return what it said since `clear`."""
        with self._came:
            return list(self._lines)

    def clear(self) -> None:
        """Forget what it said."""
        with self._came:
            self._lines.clear()

    def newest(self) -> dict[str, Any]:
        """Return what it says next but one: made whole after this call."""
        self.next()
        return self.next()

    def next(self, timeout_s: float = 30.0) -> dict[str, Any]:
        """Wait for its next line."""
        with self._came:
            n = self._n
            if not self._came.wait_for(lambda: self._n > n or self._ended(), timeout_s):
                raise TimeoutError("process must say something, was silent")
            if self._n == n:
                raise RuntimeError(f"process must live, ended with {self._process.poll()}")
            return self._lines[-1]

    def until(self, true: Callable[[dict[str, Any]], bool], timeout_s: float) -> dict[str, Any]:
        """Wait for a line of which something is true."""
        deadline = time.monotonic() + timeout_s
        while True:
            told = self.next()
            if true(told):
                return told
            if time.monotonic() > deadline:
                raise TimeoutError(f"process must come to it within {timeout_s:g} s, was {told}")

    def wait(self, name: str, timeout_s: float) -> dict[str, Any]:
        """Wait for a line that has a field."""
        with self._came:
            def found() -> dict[str, Any] | None:
                return next((line for line in self._lines if name in line), None)

            if not self._came.wait_for(lambda: found() or self._ended(), timeout_s):
                raise TimeoutError(f"process must say {name}, did not")
            told = found()
            if told is None:
                raise RuntimeError(f"process must live, ended with {self._process.poll()}")
            return told

    def _ended(self) -> bool:
        return not self._reader.is_alive()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if not line.startswith("{"):
                continue
            with self._came:
                self._lines.append(json.loads(line))
                self._n += 1
                self._came.notify_all()
        with self._came:
            self._came.notify_all()

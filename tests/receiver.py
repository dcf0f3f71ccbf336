"""A webhook on loopback that takes alerts, or misbehaves as told."""

import json
import socket
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "canary5ecret"


class Receiver(ThreadingHTTPServer):
    """Answers 200 unless `answers` says otherwise, one for each request: a status, ``hang``
    (until it is closed), ``die`` (in the middle of the answer) or an address to redirect to."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: deque[Any] = deque()
        self.got: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.n_asked = 0
        self.changed = threading.Condition()
        self.ending = threading.Event()

    @property
    def address(self) -> str:
        """As apprise takes it, with a secret."""
        return f"json://user:{SECRET}@127.0.0.1:{self.server_port}/{SECRET}/hook"

    def wait(self, n: int, timeout: float = 10.0) -> list[dict[str, str]]:
        """Wait until `n` messages were taken; return them."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.got) >= n, timeout), self.got
            return list(self.got)

    def wait_asked(self, n: int, timeout: float = 10.0) -> None:
        """Wait until it was asked `n` times, whatever it answers."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.n_asked >= n, timeout), self.n_asked

    def texts(self) -> str:
        """Everything that was taken, in one text."""
        return "\n".join(f"{m['title']}\n{m['message']}" for m in self.got)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: who hangs up on it was told to."""


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        hook = self.server
        with hook.changed:
            answer = hook.answers.popleft() if hook.answers else 200
            hook.n_asked += 1
            hook.paths.append(self.path)
            hook.changed.notify_all()
        if answer == "hang":
            hook.ending.wait(30)
            return
        if answer == "die":
            self.connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf")
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if answer == 200:
            with hook.changed:
                hook.got.append(body)
                hook.changed.notify_all()
        if isinstance(answer, str):
            self.send_response(302)
            self.send_header("Location", answer)
        else:
            self.send_response(answer)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Be quiet."""


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run a receiver."""
    hook = Receiver()
    thread = threading.Thread(target=hook.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hook
    finally:
        hook.ending.set()
        hook.shutdown()
        hook.server_close()
        thread.join()

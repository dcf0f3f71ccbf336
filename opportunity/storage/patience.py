"""Connections to PostgreSQL that give up: a server that hangs must not hang the program."""

import time
from collections.abc import Generator
from typing import Any, Final, TypeVar

import psycopg

ANSWER_S: Final = 6.0
"""How long a server may take for one statement: a little longer than it allows itself."""

STATEMENT_S: Final = 5.0
LOCK_S: Final = 3.0
CONNECT_S: Final = 3
"""libpq knows whole seconds, of which 2 are the least."""

IDLE_S: Final = 60.0
"""A transaction that does nothing for so long is ended by the server, and its locks let go."""

T = TypeVar("T")


class PatientConnection(psycopg.Connection[Any]):
    """A connection that is closed when the server does not answer in time.

    The server's own limits are of no use when the machine or the line is gone: without this a
    thread would wait for as long as the operating system keeps the socket, often for ever.
    """

    answer_s: float = ANSWER_S

    def wait(self, gen: Generator[Any, Any, T], *args: Any, **options: Any) -> T:
        """Wait for the server, but not for ever.

        Raises
        ------
        psycopg.OperationalError
            If it took too long; the connection is closed then.
        """
        return super().wait(self._limited(gen), *args, **options)

    def _limited(self, gen: Generator[Any, Any, T]) -> Generator[Any, Any, T]:
        end = time.monotonic() + self.answer_s
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and time.monotonic() > end:
                    self.pgconn.finish()  # whatever the server does now, nobody listens
                    raise psycopg.OperationalError(
                        f"server must answer within {self.answer_s:g} s, did not"
                    )
                wanted = gen.send(ready)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]  # the generator's own result


def options(statement_s: float = STATEMENT_S, lock_s: float = LOCK_S) -> str:
    """Return the settings of a session as libpq takes them; 0 is no limit."""
    limits = {
        "statement_timeout": statement_s, "lock_timeout": lock_s,
        "idle_in_transaction_session_timeout": IDLE_S if statement_s else 0.0,
    }  # fmt: skip
    return " ".join(f"-c {name}={round(value * 1e3)}" for name, value in limits.items())

"""Whether a server can do its work: what `/health/ready` says, and a look at the database."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from opportunity.errors import OpportunityError

CUT: Final = ("down", "banned")
"""States of the line to the market in which nothing comes."""

FRESH_S: Final = 2.0
"""A look at the database is good for so long: anybody may ask, and asks cost nothing more."""

PATIENCE_S: Final = 3.0
"""A database that takes longer does not answer."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look at the database found.

    Parameters
    ----------
    error : str
        Why it does not answer; empty while it does.
    n_notices : int
        Notices that wait to be sent.
    """

    error: str = ""
    n_notices: int = 0


class Storage:
    """Looks at the database now and then, on a thread, one look at a time.

    Parameters
    ----------
    look : callable
        Returns how many notices wait; blocks, raises what a database raises.
    now : callable
        Monotonic seconds.
    """

    def __init__(self, look: Callable[[], int], now: Callable[[], float]) -> None:
        self._look, self._now = look, now
        self._until = -1.0
        self._seen = Seen()
        self._asking: asyncio.Task[Seen] | None = None

    async def seen(self) -> Seen:
        """Return what was found, at most `FRESH_S` ago where the database is quick."""
        if self._now() < self._until:
            return self._seen
        if self._asking is None or self._asking.done():
            self._asking = asyncio.ensure_future(self._ask())
        done, _ = await asyncio.wait([self._asking], timeout=PATIENCE_S)
        if not done:  # the thread may hang: nobody starts another one meanwhile
            self._seen, self._until = Seen("no answer"), self._now() + FRESH_S
        return self._seen

    async def _ask(self) -> Seen:
        try:
            self._seen = Seen("", await asyncio.to_thread(self._look))
        except (OpportunityError, OSError) as error:
            self._seen = Seen(str(error) or type(error).__name__)
        self._until = self._now() + FRESH_S
        return self._seen

    async def close(self) -> None:
        """Wait for a look that is under way."""
        if self._asking is not None and not self._asking.done():
            await asyncio.wait([self._asking], timeout=PATIENCE_S)


def reasons_of(services: Any, storage_error: str) -> list[str]:
    """Return why a server is not ready, in words that hold nothing of the inside.

    Parameters
    ----------
    services : Services
    storage_error : str
        Of a look at the database.
    """
    found = []
    agent, line = services.agent, services.feed_status()
    if agent.last_error:
        found.append("the agent reports an error")
    elif services.snapshot() is None:
        found.append("the agent is still reading history")
    elif not agent.running:
        found.append("the agent does not run")
    if storage_error or agent.storage_error:
        found.append("the database does not answer")
    if line is not None and line.state in CUT:
        found.append(f"the line to the market is {line.state}")
    return found

"""The lease: at most one server trades a market; what an older one writes is refused by number.

Whoever takes the lease gets the next fence number. Each transaction that moves money checks that
its number is still the newest: a server that slept through its time writes nothing any more.
"""

from collections.abc import Callable
from typing import Final

import sqlalchemy as sa

from opportunity.errors import OpportunityError
from opportunity.storage.holder import Holder, myself
from opportunity.storage.trading_tables import lease as table
from opportunity.storage.transactions import repeated

TTL_MS: Final = 15_000
"""How long a lease is good without being renewed, wall ms."""


class LeaseTaken(OpportunityError):
    """Raised when another live server holds the lease."""


class LeaseLost(OpportunityError):
    """Raised when another server has taken the lease over: this one must not write any more."""


class Lease:
    """The right to trade one market.

    Parameters
    ----------
    engine : Engine
        A migrated database.
    name : str
        What is held, e.g. ``trading simulated-7``.
    holder : Holder, optional
        Who asks; by default this process.
    clock : callable
        Wall time, ms UTC.
    ttl : int
        How long it is good without being renewed, ms, > 0.
    """

    def __init__(
        self,
        engine: sa.Engine,
        name: str,
        holder: Holder | None = None,
        clock: Callable[[], int] = lambda: 0,
        ttl: int = TTL_MS,
    ) -> None:
        if ttl <= 0:
            raise ValueError(f"ttl must be > 0 ms, was {ttl}")
        self._engine, self._clock = engine, clock
        self.name, self.ttl = name[:64], ttl
        self.holder = myself() if holder is None else holder
        self.fence = 0
        """Number of this holding; 0 while it is not held."""

    def acquire(self) -> int:
        """Take the lease; return the fence number.

        It is taken over from one whose time is over, and at once from a process of this machine
        that is gone.

        Raises
        ------
        LeaseTaken
            If another live server holds it; the text names it.
        DatabaseError
            If the database cannot be reached.
        """
        self.fence = repeated(self._engine, self._take, "lease must be taken, was not")
        return self.fence

    def _take(self, connection: sa.Connection) -> int:
        now = self._clock()
        there = connection.execute(
            sa.select(table).where(table.c.name == self.name).with_for_update()
        ).first()
        values = {"holder": str(self.holder)[:160], "expires_at": now + self.ttl}
        if there is None:
            connection.execute(sa.insert(table).values(name=self.name, fence=1, **values))
            return 1
        other = Holder.parse(there.holder)
        mine = there.holder == values["holder"]
        if not mine and now < there.expires_at and not (other is not None and other.gone()):
            who = there.holder if other is None else other.text
            left_s = max(1, round((there.expires_at - now) / 1000))
            raise LeaseTaken(
                f"{self.name} must be held by one server, is held by {who}: stop that one, or "
                f"wait {left_s} s if it is gone"
            )
        fence = int(there.fence) + 1
        connection.execute(
            sa.update(table).where(table.c.name == self.name).values(fence=fence, **values)
        )
        return fence

    def renew(self) -> None:
        """Hold it for another while.

        Raises
        ------
        LeaseLost
            If another server has taken it over.
        DatabaseError
            If the database cannot be reached; it may be tried again.
        """

        def work(connection: sa.Connection) -> int:
            done = connection.execute(
                sa.update(table)
                .where(table.c.name == self.name, table.c.fence == self.fence)
                .values(expires_at=self._clock() + self.ttl)
            )
            return int(done.rowcount)

        if not repeated(self._engine, work, "lease must be renewed, was not"):
            raise LeaseLost(self._lost())

    def release(self) -> None:
        """Let it go, so that the next one need not wait; nothing happens where it is lost.

        Raises
        ------
        DatabaseError
            If the database cannot be reached; its time runs out then.
        """
        fence, self.fence = self.fence, 0
        if not fence:
            return

        def work(connection: sa.Connection) -> None:
            connection.execute(
                sa.update(table)
                .where(table.c.name == self.name, table.c.fence == fence)
                .values(expires_at=0)
            )

        repeated(self._engine, work, "lease must be let go, was not")

    def check(self, connection: sa.Connection) -> None:
        """Refuse to go on in a transaction when another server has taken over.

        Nobody can take over before that transaction ends.

        Raises
        ------
        LeaseLost
            If the newest fence number is not that of this holding.
        """
        newest = connection.execute(
            sa.select(table.c.fence).where(table.c.name == self.name).with_for_update()
        ).scalar()
        if newest != self.fence or not self.fence:
            raise LeaseLost(self._lost())

    def _lost(self) -> str:
        return f"{self.name} must be held to be traded, another server took it over"

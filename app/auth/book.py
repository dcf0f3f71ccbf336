"""Accounts, keys and logins in memory, kept equal to the database: ours and others' changes."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Final, TypeVar

import structlog

from app.auth.directory import Directory
from app.auth.tokens import KeyFileError, Keyring
from opportunity.errors import DatabaseError
from opportunity.storage.accounts import AccountRepository, Known

logger = structlog.get_logger(__name__)

LOOK_S: Final = 0.5
"""Between two looks at whether other processes have changed users or keys."""

READ_S: Final = 5.0
"""After which everything is read anyway: logins that others begin and end leave no sign."""

Result = TypeVar("Result")


class Book:
    """What is known, and those who are told when something of it ends.

    Parameters
    ----------
    store : AccountRepository
    keyring : Keyring
        Whose file is looked at, too.
    idle_ms : int
        How long a session of the page may go unused.
    clock : callable
        Wall time, ms UTC.

    Notes
    -----
    It belongs to one loop. Changes and looks come one after the other, so what is in memory never
    goes back behind a change.
    """

    def __init__(
        self,
        store: AccountRepository,
        keyring: Keyring,
        idle_ms: int,
        clock: Callable[[], int],
    ) -> None:
        self.store, self._keyring, self.clock = store, keyring, clock
        self.known = Directory(idle_ms)
        self.known.replace(store.read())
        self._listening: list[Callable[[str], None]] = []
        self._turn, self._ended = asyncio.Lock(), asyncio.Event()
        self._keeper: asyncio.Future[None] | None = None
        self._changes: tuple[int, ...] | None = None
        self._read_at = 0.0

    def start(self) -> None:
        """Begin to look for what other processes have changed."""
        self._keeper = asyncio.ensure_future(self._keep())

    async def close(self) -> None:
        """Stop looking, and keep when what was used last."""
        self._ended.set()
        if self._keeper is not None:
            await self._keeper
            self._keeper = None
        with suppress(DatabaseError):
            await self._store_use(1)

    def on_revoked(self, told: Callable[[str], None]) -> Callable[[], None]:
        """Tell of what ends; see `Accounts.on_revoked`."""
        self._listening.append(told)
        return lambda: self._listening.remove(told)

    async def change(self, work: Callable[[], Result]) -> Result:
        """Do work with the database on a thread, and know at once what came of it."""
        async with self._turn:
            done, known = await asyncio.to_thread(self._done, work)
            self._take(known)
        return done

    async def end(self, ids: Sequence[str]) -> None:
        """End logins: at once here, whatever the database says then."""
        for id in ids:
            self.known.forget(id)
        self._tell(ids)
        await self.change(lambda: self.store.end_logins(ids))

    async def read_again(self) -> None:
        """Take over what other processes have changed, and store what was used."""
        async with self._turn:
            await self._store_use()
            self._take(await asyncio.to_thread(self.store.read))
            self._tell(self.known.drop_ended(self.clock()))
            if self.known.gone:
                await asyncio.to_thread(self.store.end_logins, sorted(self.known.gone))
            await asyncio.to_thread(self._keyring.reload)

    async def look(self) -> None:
        """Read again if others have changed something, or it was long ago.

        It is by the clock, never by what strangers ask for.
        """
        now = asyncio.get_running_loop().time()
        changes = await asyncio.to_thread(self.store.changes)
        if changes != self._changes or now - self._read_at >= READ_S:
            await self.read_again()
            self._changes, self._read_at = changes, now

    def _done(self, work: Callable[[], Result]) -> tuple[Result, Known]:
        return work(), self.store.read()

    def _take(self, known: Known) -> None:
        self._tell(self.known.replace(known))

    def _tell(self, ended: Iterable[str]) -> None:
        for one in ended:
            for told in tuple(self._listening):
                told(one)

    async def _store_use(self, least_ms: int | None = None) -> None:
        used = self.known.to_store() if least_ms is None else self.known.to_store(least_ms)
        if used:
            await asyncio.to_thread(self.store.touch, used.keys, used.logins)

    async def _keep(self) -> None:
        lost = False
        while not self._ended.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), READ_S if lost else LOOK_S)
            try:
                await self.look()
                lost = False
            except (DatabaseError, KeyFileError, OSError) as error:
                if not lost:
                    logger.warning("accounts not read", error=str(error))
                lost = True

"""What is known of accounts, keys and logins, in memory: who calls is told without any wait."""

from dataclasses import dataclass
from typing import Final

from opportunity.storage.accounts import Account, Key, Known, Login

MINUTE_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Used:
    """When keys and logins were last used, by id, ms UTC."""

    keys: dict[str, int]
    logins: dict[str, int]

    def __bool__(self) -> bool:
        return bool(self.keys or self.logins)


class Directory:
    """The newest state of the database that was read, and the use since; of one loop.

    Parameters
    ----------
    idle_ms : int
        How long a session of the page may go unused.
    """

    def __init__(self, idle_ms: int) -> None:
        self._idle = idle_ms
        self.accounts: dict[str, Account] = {}
        self.keys: dict[str, Key] = {}
        self.logins: dict[str, Login] = {}
        self.gone: set[str] = set()
        """Logins that have ended here and are in the database yet."""
        self._used = Used({}, {})

    def replace(self, known: Known) -> frozenset[str]:
        """Take a newer state.

        Returns
        -------
        frozenset of str
            What does not hold any more: ids of keys and logins that are gone or changed their
            role, names of users that are gone or have another role.
        """
        accounts = {one.name: one for one in known.accounts}
        keys = {one.id: one for one in known.keys}
        self.gone &= {one.id for one in known.logins}
        logins = {one.id: one for one in known.logins if one.id not in self.gone}
        ended = self.logins.keys() - logins.keys()
        ended |= {i for i, one in self.keys.items() if i not in keys or keys[i].role != one.role}
        ended |= {
            name for name, one in self.accounts.items()
            if name not in accounts or accounts[name].role != one.role
        }  # fmt: skip
        self.accounts, self.keys, self.logins = accounts, keys, logins
        self._used = Used(
            {i: t for i, t in self._used.keys.items() if i in keys},
            {i: t for i, t in self._used.logins.items() if i in logins},
        )
        return frozenset(ended)

    def key(self, id: str, now: int) -> Key | None:
        """Return a key that is good now."""
        found = self.keys.get(id)
        if found is None or (found.expires is not None and found.expires <= now):
            return None
        return found

    def login(self, id: str, now: int) -> tuple[Login, Account] | None:
        """Return a login that goes on, with its account."""
        found = self.logins.get(id)
        if found is None or self._ended(found, now):
            return None
        account = self.accounts.get(found.account)
        return None if account is None else (found, account)

    def see_key(self, id: str, now: int) -> None:
        """Note that a key was used."""
        self._used.keys[id] = now

    def see_login(self, id: str, now: int) -> None:
        """Note that a login was used."""
        if id in self.logins:
            self._used.logins[id] = now

    def last_used(self, key: Key) -> int | None:
        """Return when a key was used last, ms UTC; None for never."""
        return self._used.keys.get(key.id, key.last_used)

    def to_store(self, least_ms: int = MINUTE_MS) -> Used:
        """Return the uses that are this much newer than what is stored."""
        keys, logins = self.keys, self.logins
        return Used(
            {i: t for i, t in self._used.keys.items()
             if i in keys and t - (keys[i].last_used or 0) >= least_ms},
            {i: t for i, t in self._used.logins.items()
             if i in logins and t - logins[i].used >= least_ms},
        )  # fmt: skip

    def drop_ended(self, now: int) -> frozenset[str]:
        """Forget logins whose time has come; return their ids."""
        ended = frozenset(i for i, one in self.logins.items() if self._ended(one, now))
        for id in ended:
            self.forget(id)
        return ended

    def forget(self, id: str) -> None:
        """Forget a login at once and for good, before the database says so."""
        self.gone.add(id)
        self.logins.pop(id, None)
        self._used.logins.pop(id, None)

    def _ended(self, login: Login, now: int) -> bool:
        if login.expires <= now:
            return True
        if login.kind != "session":
            return False
        return now - max(login.used, self._used.logins.get(login.id, 0)) > self._idle

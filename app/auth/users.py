"""Changes of who may come in: users and API keys, each with its line in the audit.

The server does them through `Accounts`, on a thread; the commands `opportunity user` and
`opportunity token` do them here, on their own connection.
"""

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from app.auth import keys
from app.auth.roles import Role
from opportunity.config import Settings
from opportunity.errors import unknown
from opportunity.market.wall import wall_ms
from opportunity.storage.accounts import Account, AccountRepository, Change, Key
from opportunity.storage.database import open_database
from opportunity.storage.events import Event

ROLES: Final = tuple(role.label for role in Role if role is not Role.ANYBODY)

RESERVED: Final = frozenset({
    "anybody", "api", "command", "edge", "nobody", "oauth", "page", "python", "start",
})  # fmt: skip
"""What the audit calls those who are no users."""

MOST_DAYS: Final = 3_650
DAY_MS: Final = 86_400_000
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,47}")
_KEY_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._@+-]{0,47}")


def check_name(name: str) -> str:
    """Return a user's name as it is kept, lower case.

    Raises
    ------
    ValueError
        Unless it has 1 to 48 letters a-z, digits and ``. _ @ + -``, begins with a letter or digit
        and is not `RESERVED`.
    """
    plain = name.strip().lower()
    if not _NAME.fullmatch(plain):
        raise ValueError(
            "name must have 1 to 48 letters a-z, digits or . _ @ + -, and begin with one of the "
            f"first two, was {name[:64]!r}"
        )
    if plain in RESERVED:
        raise ValueError(f"name must not be one of {', '.join(sorted(RESERVED))}, was {plain!r}")
    return plain


def check_role(role: str) -> str:
    """Return a role's name.

    Raises
    ------
    ValueError
        Unless it is one of `ROLES`.
    """
    if role not in ROLES:
        raise ValueError(unknown("role", role, ROLES))
    return role


def role_of(label: str) -> Role:
    """Return the role of a stored name; of an unknown one the least."""
    return Role[label.upper()] if label in ROLES else Role.ANYBODY


@dataclass(frozen=True, slots=True)
class NewKey:
    """An API key that is wanted: a name of any sort, a role, days that it lives (None: for ever).

    Raises
    ------
    ValueError
        If one of them breaks a rule.
    """

    name: str
    role: str
    days: float | None = None

    def __post_init__(self) -> None:
        check_role(self.role)
        if not _KEY_NAME.fullmatch(self.name):
            raise ValueError(
                "name must have 1 to 48 letters, digits, spaces or . _ @ + -, and begin with one "
                f"of the first two, was {self.name[:64]!r}"
            )
        if self.days is not None and not 0 < self.days <= MOST_DAYS:
            raise ValueError(f"days must be above 0 and at most {MOST_DAYS}, was {self.days:g}")


class Users:
    """Adds, changes and removes users and keys; blocks, so call it beside a loop.

    Parameters
    ----------
    store : AccountRepository
    clock : callable
        Wall time, ms UTC.
    """

    def __init__(self, store: AccountRepository, clock: Callable[[], int]) -> None:
        self._store, self._clock = store, clock

    def add(self, name: str, role: str, hashed: str, by: str) -> Account:
        """Add a user; `hashed` is '' where nobody may log in by password.

        Raises
        ------
        ValueError
            If name or role break a rule.
        ConflictError
            If there is one of that name already.
        """
        now = self._clock()
        new = Account(check_name(name), check_role(role), hashed, now, now)
        self._store.add(new, self._event("user", by, None, {"name": new.name, "role": role}))
        return new

    def change(self, name: str, change: Change, by: str, guard: bool = False) -> Account:
        """Change role or password; see `AccountRepository.change`."""
        after: dict[str, Any] = {"name": name}
        if change.role is not None:
            after["role"] = check_role(change.role)
        if change.password is not None:
            after["password"] = "changed"
        return self._store.change(
            name, change, self._event("user", by, {"name": name}, after), guard
        )

    def remove(self, name: str, by: str, guard: bool = False) -> None:
        """Remove a user, and end all that hangs on it; see `AccountRepository.remove`."""
        self._store.remove(name, self._event("user", by, {"name": name}, None), guard)

    def create_key(self, new: NewKey, by: str) -> tuple[str, Key]:
        """Make an API key; return its text, which is known only now, and what is kept of it."""
        token, now = keys.make("opp"), self._clock()
        expires = None if new.days is None else now + round(new.days * DAY_MS)
        key = Key(token.id, token.digest, new.name, new.role, by, now, expires)
        about = {"id": key.id, "name": key.name, "role": key.role, "expires": expires}
        self._store.add_key(key, self._event("token", by, None, about))
        return token.text, key

    def revoke_key(self, id: str, by: str) -> None:
        """End an API key.

        Raises
        ------
        KeyError
            If there is none of that id.
        """
        self._store.remove_key(id, self._event("token", by, {"id": id}, None))

    def _event(self, what: str, by: str, before: Any, after: Any) -> Event:
        body = {"book": "", "what": what, "by": by, "why": "", "before": before, "after": after}
        return Event(f"audit:{secrets.token_hex(8)}", self._clock(), "audit", body)


@contextmanager
def opened(settings: Settings) -> Iterator[tuple[AccountRepository, Users]]:
    """Open the database for a command; a running server sees what is changed within seconds.

    Raises
    ------
    DatabaseError
        If it cannot be opened.
    """
    engine = open_database(settings.database, settings.home / "backups")
    try:
        store = AccountRepository(engine, wall_ms)
        yield store, Users(store, wall_ms)
    finally:
        engine.dispose()

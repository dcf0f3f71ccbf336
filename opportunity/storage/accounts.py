"""Who may come in: accounts with their roles, API keys, and logins that go on.

Every change and its line in the audit are one transaction. Secrets are not kept: a password is an
argon2 hash, of a token there is the SHA-256.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from opportunity.errors import ConflictError, unknown
from opportunity.storage.account_rows import Account as Account
from opportunity.storage.account_rows import Change as Change
from opportunity.storage.account_rows import ChangedError as ChangedError
from opportunity.storage.account_rows import Key as Key
from opportunity.storage.account_rows import Known as Known
from opportunity.storage.account_rows import LastAdminError as LastAdminError
from opportunity.storage.account_rows import Login as Login
from opportunity.storage.account_rows import LoginKind as LoginKind
from opportunity.storage.account_rows import TooManyError as TooManyError
from opportunity.storage.account_tables import account, api_key, login
from opportunity.storage.events import Event, add_events
from opportunity.storage.trading_tables import event
from opportunity.storage.transactions import repeated, told

MOST_LOGINS: Final = 50
"""Of one account and kind at once; with one more the one that was used longest ago ends."""

MOST_ACCOUNTS: Final = 1_000
MOST_KEYS: Final = 1_000

SHOWN_CHANGES: Final = 8
ADMIN: Final = "admin"


class AccountRepository:
    """Keeps accounts, API keys and logins.

    Parameters
    ----------
    engine : Engine
        A migrated database.
    clock : callable
        Wall time, ms UTC.
    """

    def __init__(self, engine: sa.Engine, clock: Callable[[], int]) -> None:
        self._engine, self._clock = engine, clock

    def read(self) -> Known:
        """Return everything that has not ended, accounts and keys by name.

        Raises
        ------
        DatabaseError
            If the database cannot be read.
        """
        by_name = sa.select(account).order_by(account.c.name)
        keys = sa.select(api_key).order_by(api_key.c.name, api_key.c.id)
        going = sa.select(login).where(login.c.expires > self._clock())
        with told("accounts must be readable, were not"), self._engine.connect() as connection:
            return Known(
                tuple(Account(*row) for row in connection.execute(by_name)),
                tuple(Key(*row) for row in connection.execute(keys)),
                tuple(Login(*row) for row in connection.execute(going)),
            )

    def changes(self) -> tuple[int, ...]:
        """Return numbers that differ once a user or a key was changed; an index has them.

        They are those of the newest lines of the audit: several, as the one with the greatest
        number need not be the last to be committed. Logins are not in the audit.

        Raises
        ------
        DatabaseError
            If the database cannot be read.
        """
        newest = sa.select(event.c.id).where(event.c.kind == "audit")
        with told("changes must be readable, were not"), self._engine.connect() as connection:
            rows = connection.execute(newest.order_by(event.c.id.desc()).limit(SHOWN_CHANGES))
            return tuple(rows.scalars())

    # -- accounts --------------------------------------------------------------------------------

    def add(self, new: Account, event: Event) -> None:
        """Keep a new account.

        Raises
        ------
        ConflictError
            If there is one of that name; `TooManyError` if there are `MOST_ACCOUNTS`.
        """

        def work(connection: sa.Connection) -> None:
            if _account(connection, new.name) is not None:
                raise ConflictError(f"user must be new, was known: {new.name}")
            _check_room(connection, account, MOST_ACCOUNTS, "users")
            connection.execute(sa.insert(account).values(_values(new)))
            add_events(connection, [event], self._clock())

        repeated(self._engine, work, "user must be kept, was not")

    def change(self, name: str, change: Change, event: Event, guard: bool = False) -> Account:
        """Change role or password; return the account as it is then.

        Parameters
        ----------
        name : str
        change : Change
        event : Event
            For the audit.
        guard : bool
            Refuse to take its role from the last admin.

        Raises
        ------
        KeyError
            If there is none of that name.
        LastAdminError
            See `guard`.
        ChangedError
            See `Change.was`.
        """

        def work(connection: sa.Connection) -> Account:
            there = _existing(connection, name)
            _check_password(there, change.was)
            if guard and change.role not in (None, ADMIN):
                _check_last(connection, there)
            after = Account(
                name, change.role or there.role,
                there.password if change.password is None else change.password,
                there.created_at, self._clock(),
            )  # fmt: skip
            chosen = sa.update(account).where(account.c.name == name)
            connection.execute(chosen.values(_values(after)))
            if change.password is not None:
                connection.execute(
                    sa.delete(login).where(login.c.account == name, login.c.id != change.keep)
                )
            add_events(connection, [event], self._clock())
            return after

        return repeated(self._engine, work, "user must be changed, was not")

    def remove(self, name: str, event: Event, guard: bool = False) -> None:
        """Delete an account with its logins; see `change` for `guard` and errors."""

        def work(connection: sa.Connection) -> None:
            there = _existing(connection, name)
            if guard:
                _check_last(connection, there)
            connection.execute(sa.delete(login).where(login.c.account == name))
            connection.execute(sa.delete(account).where(account.c.name == name))
            add_events(connection, [event], self._clock())

        repeated(self._engine, work, "user must be deleted, was not")

    # -- API keys --------------------------------------------------------------------------------

    def add_key(self, new: Key, event: Event) -> None:
        """Keep a new API key.

        Raises
        ------
        TooManyError
            If there are `MOST_KEYS`.
        """

        def work(connection: sa.Connection) -> None:
            _check_room(connection, api_key, MOST_KEYS, "tokens")
            connection.execute(sa.insert(api_key).values(_values(new)))
            add_events(connection, [event], self._clock())

        repeated(self._engine, work, "token must be kept, was not")

    def remove_key(self, id: str, event: Event) -> None:
        """Delete an API key.

        Raises
        ------
        KeyError
            If there is none of that id.
        """

        def work(connection: sa.Connection) -> None:
            if connection.execute(sa.delete(api_key).where(api_key.c.id == id)).rowcount == 0:
                ids = connection.execute(sa.select(api_key.c.id)).scalars()
                raise KeyError(unknown("token", id, ids))
            add_events(connection, [event], self._clock())

        repeated(self._engine, work, "token must be deleted, was not")

    # -- logins ----------------------------------------------------------------------------------

    def add_login(self, new: Login, password: str | None = None) -> None:
        """Keep a login; of its account and kind the `MOST_LOGINS` used last go on, no others.

        Parameters
        ----------
        new : Login
        password : str, optional
            The account's hash by which it comes in.

        Raises
        ------
        KeyError
            If there is no such account.
        ChangedError
            If it has another password by now.
        """

        def work(connection: sa.Connection) -> None:
            _check_password(_existing(connection, new.account), password)
            c = login.c
            connection.execute(sa.delete(login).where(c.expires <= self._clock()))
            mine = sa.select(c.id).where(c.account == new.account, c.kind == new.kind)
            kept = connection.execute(mine.order_by(c.used.desc(), c.id)).scalars().all()
            old = kept[MOST_LOGINS - 1 :]
            connection.execute(sa.delete(login).where(c.id.in_(old)))
            connection.execute(sa.insert(login).values(_values(new)))

        repeated(self._engine, work, "login must be kept, was not")

    def rotate(self, id: str, old: str, new: str) -> Login | None:
        """Give a family of refresh tokens its next secret, by the digests of both.

        Returns
        -------
        Login or None
            None when `old` is not the one that is good now: it was used before, so it is in two
            hands, and the family ends.
        """

        def work(connection: sa.Connection) -> Login | None:
            c, now = login.c, self._clock()
            chosen = sa.select(login).where(c.id == id, c.kind == "refresh", c.expires > now)
            row = connection.execute(chosen).first()
            if row is None:
                return None
            if row.digest != old:
                connection.execute(sa.delete(login).where(c.id == id))
                return None
            connection.execute(sa.update(login).where(c.id == id).values(digest=new, used=now))
            return Login(*row)

        return repeated(self._engine, work, "login must be renewed, was not")

    def end_logins(self, ids: Sequence[str]) -> None:
        """Delete logins; unknown ones are no error."""

        def work(connection: sa.Connection) -> None:
            connection.execute(sa.delete(login).where(login.c.id.in_(list(ids))))

        repeated(self._engine, work, "login must end, did not")

    def touch(self, keys: Mapping[str, int], logins: Mapping[str, int]) -> None:
        """Keep when keys and logins were last used, by id, ms UTC; an older time changes nothing.

        Raises
        ------
        DatabaseError
            If the database does not take it.
        """

        def work(connection: sa.Connection) -> None:
            for id, time in keys.items():
                c = api_key.c
                older = c.last_used.is_(None) | (c.last_used < time)
                chosen = sa.update(api_key).where(c.id == id, older)
                connection.execute(chosen.values(last_used=time))
            for id, time in logins.items():
                chosen = sa.update(login).where(login.c.id == id, login.c.used < time)
                connection.execute(chosen.values(used=time))

        repeated(self._engine, work, "use must be kept, was not")


def _values(row: Account | Key | Login) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__slots__}


def _account(connection: sa.Connection, name: str) -> Account | None:
    row = connection.execute(sa.select(account).where(account.c.name == name)).first()
    return None if row is None else Account(*row)


def _existing(connection: sa.Connection, name: str) -> Account:
    there = _account(connection, name)
    if there is None:
        names = connection.execute(sa.select(account.c.name)).scalars()
        raise KeyError(unknown("user", name, names))
    return there


def _check_room(connection: sa.Connection, table: sa.Table, most: int, what: str) -> None:
    if connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() >= most:
        raise TooManyError(f"{what} must be at most {most}")


def _check_password(there: Account, was: str | None) -> None:
    if was is not None and there.password != was:
        raise ChangedError(f"password of {there.name} must be what it was, was changed")


def _check_last(connection: sa.Connection, there: Account) -> None:
    chosen = sa.select(sa.func.count()).where(account.c.role == ADMIN, account.c.name != there.name)
    others = connection.execute(chosen).scalar_one()
    if there.role == ADMIN and others == 0:
        raise LastAdminError(f"an admin must be left, {there.name} is the last")

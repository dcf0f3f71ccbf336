"""Users and API keys of a running server: listed, added, changed, removed."""

from collections import Counter
from dataclasses import replace

from app.auth.book import Book
from app.auth.passwords import Passwords, check_password
from app.auth.users import NewKey, Users
from opportunity.storage.accounts import Account, Change, Key


class People:
    """Sees to users and API keys.

    Parameters
    ----------
    book : Book
    passwords : Passwords
    """

    def __init__(self, book: Book, passwords: Passwords) -> None:
        self._book, self._passwords = book, passwords
        self._users = Users(book.store, book.clock)

    def users(self) -> tuple[Account, ...]:
        """Return the users, by name."""
        return tuple(self._book.known.accounts.values())

    def keys(self) -> tuple[Key, ...]:
        """Return the API keys, by name, with their use up to now."""
        known = self._book.known
        return tuple(replace(key, last_used=known.last_used(key)) for key in known.keys.values())

    def logins(self) -> Counter[str]:
        """Return how many logins of each user go on."""
        return Counter(one.account for one in self._book.known.logins.values())

    async def add(self, name: str, role: str, password: str | None, by: str) -> Account:
        """Add a user, without password for one who comes by link or OAuth.

        Raises
        ------
        ValueError
            If name, role or password break a rule.
        ConflictError
            If there is one of that name.
        BusyError
            If too many logins are under way.
        """
        hashed = "" if password is None else await self._hashed(password, name)
        return await self._book.change(lambda: self._users.add(name, role, hashed, by))

    async def change(
        self, name: str, role: str | None, password: str | None, by: str
    ) -> Account:
        """Give a user another role or password; a password ends all its logins.

        Raises
        ------
        KeyError
            If there is no such user.
        ValueError
            If role or password break a rule.
        LastAdminError
            If nobody would be left with the role admin.
        """
        hashed = None if password is None else await self._hashed(password, name)
        change = Change(role, hashed)
        return await self._book.change(lambda: self._users.change(name, change, by, guard=True))

    async def set_password(self, user: Account, password: str, keep: str) -> None:
        """Change a user's own password; all its logins end but the one of the id `keep`.

        Raises
        ------
        ChangedError
            If it is not the password of `user` any more.
        """
        name = user.name
        change = Change(None, await self._hashed(password, name), keep, user.password)
        await self._book.change(lambda: self._users.change(name, change, name))

    async def remove(self, name: str, by: str) -> None:
        """Remove a user and end all its logins; see `change` for errors."""
        await self._book.change(lambda: self._users.remove(name, by, guard=True))

    async def create_key(self, new: NewKey, by: str) -> tuple[str, Key]:
        """Make an API key; return its text, known only now, and what is kept of it."""
        return await self._book.change(lambda: self._users.create_key(new, by))

    async def revoke_key(self, id: str, by: str) -> None:
        """End an API key; KeyError if there is none of that id."""
        await self._book.change(lambda: self._users.revoke_key(id, by))

    async def _hashed(self, password: str, name: str) -> str:
        return await self._passwords.hashed(check_password(password, name))

"""Who somebody is: by password, token, session or ticket; and who may end that.

Everything that is asked on each request is answered out of memory. What changes is written to the
database first, on a thread, and what other processes have changed is read every few seconds.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from app.auth import keys
from app.auth.book import Book
from app.auth.passwords import Passwords
from app.auth.people import People
from app.auth.refusals import LoginRefusedError as LoginRefusedError
from app.auth.roles import Caller
from app.auth.terms import IDLE_MS as IDLE_MS
from app.auth.terms import Granted as Granted
from app.auth.terms import Terms as Terms
from app.auth.tickets import FirstLink, Tickets
from app.auth.tokens import LEEWAY_S, Access, Keyring
from app.auth.users import role_of
from opportunity.config import Settings
from opportunity.errors import ConflictError
from opportunity.storage.accounts import (
    Account,
    AccountRepository,
    ChangedError,
    Login,
    LoginKind,
)

FIRST_ADMIN: Final = "admin"
"""Name of the user that the link of the first start makes."""

class Accounts:
    """Tells who calls, and lets those in who may.

    Parameters
    ----------
    store : AccountRepository
    keyring : Keyring
        Signs access tokens.
    passwords : Passwords
    terms : Terms

    Notes
    -----
    It belongs to the server's loop; what waits for the database or a hash is a coroutine.
    """

    def __init__(
        self, store: AccountRepository, keyring: Keyring, passwords: Passwords, terms: Terms
    ) -> None:
        self._store, self._keyring, self._passwords = store, keyring, passwords
        self._terms, self._clock = terms, terms.clock
        self._book = Book(store, keyring, terms.idle_ms, terms.clock)
        self._known = self._book.known
        self.people = People(self._book, passwords)
        """Users and API keys, for those who see to them."""
        self._tickets, self._link, self._linking = Tickets(), FirstLink(), asyncio.Lock()
        self.refused = 0
        """Logins and renewals that were refused, since the start."""

    @classmethod
    def of(cls, settings: Settings, store: AccountRepository) -> "Accounts":
        """Return those of a server; reads the database and the file of signing keys."""
        return cls(store, Keyring(settings.home), Passwords(), Terms.of(settings))

    # -- life ----------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to look for what other processes have changed."""
        self._book.start()

    async def close(self) -> None:
        """Stop looking, and keep when what was used last."""
        await self._book.close()

    def on_revoked(self, told: Callable[[str], None]) -> Callable[[], None]:
        """Tell of every id of a token or login, and every user, that does not hold any more.

        Parameters
        ----------
        told : callable
            Called on the loop with what may be a `Caller.token` or a `Caller.name`: its login
            or key has ended, or its role is another one.

        Returns
        -------
        callable
            Ends it.
        """
        return self._book.on_revoked(told)

    # -- who calls: no wait --------------------------------------------------------------------

    def verify_bearer(self, token: str, now_ms: int | None = None) -> Caller | None:
        """Return whose API key or access token it is; None unless it is good now."""
        now = self._clock() if now_ms is None else now_ms
        if token.startswith("opp_"):
            return self._by_key(token, now)
        access = self._keyring.read(token, now)
        found = None if access is None else self._known.login(access.login, now)
        if access is None or found is None or found[0].kind != "refresh":
            return None
        login, user = found
        if user.name != access.user:
            return None
        ends = min(access.expires + LEEWAY_S * 1_000, login.expires)
        return Caller(user.name, role_of(user.role), "bearer", ends, login.id)

    def _by_key(self, token: str, now: int) -> Caller | None:
        given = keys.read(token, "opp")
        key = None if given is None else self._known.key(given.id, now)
        if given is None or key is None or not keys.same(given, key.digest):
            return None
        self._known.see_key(key.id, now)
        return Caller(f"key:{key.name}", role_of(key.role), "bearer", key.expires, key.id)

    def verify_session(self, cookie: str, now_ms: int | None = None) -> Caller | None:
        """Return whose session of the page it is; None unless it goes on. It is not idle now."""
        now = self._clock() if now_ms is None else now_ms
        given = keys.read(cookie, "ops")
        found = None if given is None else self._known.login(given.id, now)
        if given is None or found is None or not keys.same(given, found[0].digest):
            return None
        login, user = found
        if login.kind != "session":
            return None
        self._known.see_login(login.id, now)
        return Caller(user.name, role_of(user.role), "cookie", login.expires, login.id)

    def still(self, caller: Caller, now_ms: int | None = None) -> Caller | None:
        """Return a caller as it is now: with its role of now, None when its login has ended."""
        now = self._clock() if now_ms is None else now_ms
        if not caller.token:
            return caller
        if caller.expires is not None and caller.expires <= now:
            return None
        key = self._known.key(caller.token, now)
        found = self._known.login(caller.token, now)
        if key is None and found is None:
            return None
        label = found[1].role if found is not None else key.role if key is not None else ""
        return replace(caller, role=role_of(label))

    def seen(self, caller: Caller) -> None:
        """Keep the session of an open page from being idle."""
        self._known.see_login(caller.token, self._clock())

    def ticket(self, caller: Caller) -> str:
        """Return a ticket that stands for a caller once, for 30 s."""
        return self._tickets.give(caller, self._clock())

    def redeem(self, ticket: str) -> Caller | None:
        """Return whose ticket it is, and use it up."""
        caller = self._tickets.take(ticket, self._clock())
        caller = None if caller is None else self.still(caller)
        return None if caller is None else replace(caller, how="ticket")

    # -- logins ----------------------------------------------------------------------------------

    async def check(self, name: str, password: str) -> Account:
        """Return the user whose password it is; takes as long for unknown users.

        Raises
        ------
        LoginRefusedError
            If there is no such user with this password.
        BusyError
            If too many logins are under way.
        """
        user = self._known.accounts.get(name.strip().lower())
        kept = "" if user is None else user.password
        right = await self._passwords.verify(kept, password)
        now = None if user is None else self._known.accounts.get(user.name)
        if not right or now is None or now.password != kept:  # changed while it was checked
            self.refused += 1
            raise LoginRefusedError("name or password must be right, was not")
        return now

    async def login(self, name: str, password: str) -> Granted:
        """Return tokens for a user's password; see `check` for errors."""
        user = await self.check(name, password)
        token = await self._begin("refresh", user.name, self._terms.refresh_ms, user.password)
        return self._granted(token)

    async def refresh(self, token: str) -> Granted:
        """Return new tokens for a refresh token, which is used up by that.

        Raises
        ------
        LoginRefusedError
            If it is not good. One that was used before ends the login: it is in two hands. One
            that never was good ends nothing, also with the id of a login.
        """
        given = keys.read(token, "opr")
        if given is not None and given.id in self._known.logins:  # strangers cost no transaction
            fresh = keys.make("opr", given.family)
            done = await self._book.change(
                lambda: self._store.rotate(given.id, given.digest, fresh.digest)
            )
            if done is not None and self._known.login(fresh.id, self._clock()) is not None:
                return self._granted(fresh)
        self.refused += 1
        raise LoginRefusedError("refresh token must be good, was not")

    async def open_session(
        self, user: str, old_cookie: str = "", password: str | None = None
    ) -> str:
        """Begin a session of the page; return the value of its cookie.

        Parameters
        ----------
        user : str
            Of whom it is sure who it is.
        old_cookie : str
            Of a session that ends by that.
        password : str, optional
            The hash that `check` has found right.

        Raises
        ------
        KeyError
            If there is no such user.
        LoginRefusedError
            If the password was changed since it was checked.
        """
        token = await self._begin("session", user, self._terms.session_ms, password)
        if old_cookie:
            await self.end_session(old_cookie)
        return token.text

    async def end_session(self, cookie: str) -> None:
        """End the session of a cookie; one that is not good is no error."""
        given = keys.read(cookie, "ops")
        login = None if given is None else self._known.logins.get(given.id)
        if given is not None and login is not None and keys.same(given, login.digest):
            await self._book.end([login.id])

    async def logout(self, caller: Caller) -> bool:
        """End the login that a caller came by, with all its tokens; False for one without."""
        if caller.token not in self._known.logins:
            return False
        await self._book.end([caller.token])
        return True

    def user_of(self, caller: Caller) -> Account | None:
        """Return the user that a caller logged in as; None for a key or without login."""
        found = self._known.login(caller.token, self._clock()) if caller.token else None
        return None if found is None else found[1]

    async def set_password(self, caller: Caller, current: str, new: str) -> None:
        """Change the password of who is logged in; all its other logins end.

        Raises
        ------
        LoginRefusedError
            If the current password is not right, or the caller is no user. One without a
            password needs none.
        ValueError
            If the new one breaks a rule.
        """
        user = self.user_of(caller)
        if user is None:
            raise LoginRefusedError("caller must be a user, was not")
        if user.password:
            user = await self.check(user.name, current)
        try:
            await self.people.set_password(user, new, caller.token)
        except ChangedError as error:
            raise LoginRefusedError("password must be the current one, was changed") from error

    async def _begin(
        self, kind: LoginKind, user: str, lasts_ms: int, password: str | None = None
    ) -> keys.Opaque:
        token, now = keys.make("ops" if kind == "session" else "opr"), self._clock()
        login = Login(token.id, kind, user, token.digest, now, now, now + lasts_ms)
        try:
            await self._book.change(lambda: self._store.add_login(login, password))
        except ChangedError as error:
            self.refused += 1
            raise LoginRefusedError("password must be the current one, was changed") from error
        return token

    def _granted(self, token: keys.Opaque) -> Granted:
        now = self._clock()
        found = self._known.login(token.id, now)
        if found is None:
            raise LoginRefusedError("login must go on, has ended")
        login, user = found
        ends = min(now + self._terms.access_ms, login.expires)
        access = self._keyring.sign(Access(user.name, login.id, now, ends))
        return Granted(access, token.text, (ends - now) // 1_000, user)

    # -- the first start -------------------------------------------------------------------------

    @property
    def empty(self) -> bool:
        """Whether nobody can log in yet: no user has a password."""
        return not any(user.password for user in self._known.accounts.values())

    def first_link(self) -> str | None:
        """Return the token of a link that lets the first admin in; None when not `empty`."""
        return self._link.make(self._clock()) if self.empty else None

    async def redeem_link(self, token: str, password: str) -> str:
        """Set the first password, of the first admin; return the cookie of a session.

        The link is used up by that, not by what goes wrong before.

        Raises
        ------
        LoginRefusedError
            If the link is not good, was used, or somebody has a password meanwhile.
        ValueError, BusyError
            See `People.add`.
        """
        async with self._linking:  # of two who have it only one sets the password
            if not self.empty or not self._link.holds(token, self._clock()):
                self.refused += 1
                raise LoginRefusedError("link must be new, was not")
            there, people = self._known.accounts.get(FIRST_ADMIN), self.people
            try:
                if there is None:
                    await people.add(FIRST_ADMIN, "admin", password, by="start")
                else:
                    await people.change(FIRST_ADMIN, "admin", password, by="start")
            except (ConflictError, KeyError) as error:  # somebody else was at it, by command
                raise LoginRefusedError("link must be new, was not") from error
            self._link.end()
        return await self.open_session(FIRST_ADMIN)

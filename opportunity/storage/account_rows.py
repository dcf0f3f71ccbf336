"""What is kept of accounts, API keys and logins, and what may be wrong with a change of them."""

from dataclasses import dataclass, field
from typing import Literal

from opportunity.errors import ConflictError

LoginKind = Literal["session", "refresh"]


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may log in; `password` is a hash, '' where none is set."""

    name: str
    role: str
    password: str = field(repr=False)
    created_at: int
    changed_at: int


@dataclass(frozen=True, slots=True)
class Key:
    """An API key without its secret; times in ms UTC, `expires` None for never."""

    id: str
    digest: str = field(repr=False)
    name: str
    role: str
    made_by: str
    created_at: int
    expires: int | None = None
    last_used: int | None = None


@dataclass(frozen=True, slots=True)
class Login:
    """A session of the page, or a family of refresh tokens; times in ms UTC."""

    id: str
    kind: LoginKind
    account: str
    digest: str = field(repr=False)
    created_at: int
    used: int
    expires: int


@dataclass(frozen=True, slots=True)
class Known:
    """All of it, as one transaction read it."""

    accounts: tuple[Account, ...] = ()
    keys: tuple[Key, ...] = ()
    logins: tuple[Login, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of an account; None leaves as it is.

    Parameters
    ----------
    role : str, optional
    password : str, optional
        A new hash: all logins end but `keep`.
    keep : str
        Id of the login that goes on.
    was : str, optional
        The hash that is replaced; where it is another one by now, nothing changes.
    """

    role: str | None = None
    password: str | None = field(default=None, repr=False)
    keep: str = ""
    was: str | None = field(default=None, repr=False)


class LastAdminError(ConflictError):
    """Raised when nobody would be left who sees to the accounts."""


class ChangedError(ConflictError):
    """Raised when a password is another one than it was when it was checked."""


class TooManyError(ConflictError):
    """Raised when there are as many accounts or keys as there may be."""

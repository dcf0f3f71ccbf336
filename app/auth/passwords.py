"""Passwords: which are good enough, and argon2id hashes of them, made beside the loop."""

import asyncio
import secrets
import unicodedata
from collections.abc import Callable
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.auth.refusals import BusyError

LEAST: Final = 12
MOST: Final = 256
TYPED: Final = 4 * MOST
"""Characters that are looked at, as they were typed: to compose many takes the square of their
number, and nothing else runs meanwhile."""

AT_ONCE: Final = 2
"""Hashes that are computed at once: each takes 64 MiB and a core for a moment."""
WAITING: Final = 64
"""Hashes that may be waited for; beyond, a caller is asked to come back."""

Result = TypeVar("Result")


def check_password(password: str, name: str) -> str:
    """Return a password as it is kept: the same text, however a keyboard composes it.

    Parameters
    ----------
    password : str
        12 to 256 characters, not the user's name in any case.
    name : str
        Of the user.

    Raises
    ------
    ValueError
        If it breaks a rule; the text never shows it.
    """
    plain = password if len(password) > TYPED else unicodedata.normalize("NFC", password)
    if not LEAST <= len(plain) <= MOST:
        raise ValueError(
            f"password must have {LEAST} to {MOST} characters, was of {len(plain)}"
        )
    if plain.strip().casefold() == name.casefold():
        raise ValueError("password must not be the user's name, was")
    if len(set(plain)) == 1:
        raise ValueError("password must not be one character again and again, was")
    return plain


def hash_of(password: str, name: str) -> str:
    """Return the hash of a password that is good enough; takes some hundredths of a second."""
    return PasswordHasher().hash(check_password(password, name))


class Passwords:
    """Hashes and checks passwords on threads, at most `AT_ONCE` at a time.

    Parameters
    ----------
    hasher : PasswordHasher, optional
        argon2id; by default as RFC 9106 has it for a server with little memory.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._nobody = ""

    async def verify(self, kept: str, password: str) -> bool:
        """Tell whether a password is the one of a hash; '' takes as long and is never.

        Raises
        ------
        BusyError
            If `WAITING` others wait.
        """
        return await self._on_thread(lambda: self._verify(kept, password))

    async def hashed(self, password: str) -> str:
        """Return the hash of a checked password, made on a thread; see `verify`."""
        return await self._on_thread(lambda: self._hasher.hash(password))

    async def _on_thread(self, work: Callable[[], Result]) -> Result:
        if self._waiting >= WAITING:
            raise BusyError("logins must be fewer at once")
        self._waiting += 1
        try:
            async with self._turns:
                return await asyncio.to_thread(work)
        finally:
            self._waiting -= 1

    def _verify(self, kept: str, password: str) -> bool:
        if not self._nobody:
            self._nobody = self._hasher.hash(secrets.token_urlsafe(24))
        if len(password) > TYPED:
            kept, password = "", ""
        plain = unicodedata.normalize("NFC", password)
        try:
            return self._hasher.verify(kept or self._nobody, plain) and bool(kept)
        except (VerificationError, InvalidHashError):
            return False

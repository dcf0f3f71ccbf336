"""Access tokens: short-lived JWTs, signed with one of at most two keys of the data folder."""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import jwt
import structlog

from opportunity.errors import OpportunityError

logger = structlog.get_logger(__name__)

FILE: Final = "signing-keys.json"
ALGORITHM: Final = "HS256"
ISSUER: Final = "opportunity"
AUDIENCE: Final = "opportunity-api"
LEEWAY_S: Final = 30
REQUIRED: Final = ("iss", "aud", "sub", "sid", "jti", "iat", "exp")
MOST_KEYS: Final = 2
MOST_READ: Final = 4_096
"""Tokens whose signature is not checked again each time."""
MOST_TEXT: Final = 2_048
"""Characters of a token; ours have some 300."""

_OPTIONS: Final[Any] = {
    "require": list(REQUIRED), "strict_aud": True,
    "verify_exp": False, "verify_iat": False, "verify_nbf": False,
}  # fmt: skip
"""Times are judged by the clock that is given, not by PyJWT's."""

_PRIVATE: Final = 0o600


class KeyFileError(OpportunityError):
    """Raised when the file of signing keys cannot be read; the text never shows a key."""


@dataclass(frozen=True, slots=True)
class Access:
    """What an access token says: whose it is, the login it hangs on, its times in ms UTC."""

    user: str
    login: str
    issued: int
    expires: int


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """Keys by their ids, the one that signs first; the other only checks older tokens."""

    keys: Mapping[str, str] = field(repr=False)

    @property
    def newest(self) -> tuple[str, str]:
        """Id and key that sign."""
        return next(iter(self.keys.items()))


class Keyring:
    """Signs and checks access tokens.

    Parameters
    ----------
    folder : Path
        Data folder; its file of keys is made at the first use, for nobody else to read.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._stamp = (0, 0)
        self._keys = SigningKeys({})
        self._read: dict[str, Access] = {}
        self.reload()

    def reload(self) -> bool:
        """Read the file where it was changed; return whether other keys are in force now.

        Raises
        ------
        KeyFileError
            If it is there and cannot be used.
        """
        if not self._path.exists():
            _write_first(self._path)
        stamp = _stamp(self._path)
        if stamp == self._stamp:
            return False
        before, self._keys, self._stamp = self._keys, _read(self._path), stamp
        self._read = {}
        return before.keys != self._keys.keys

    def rotate(self) -> str:
        """Sign with a new key from now on; the one before still checks, older ones are gone.

        Returns
        -------
        str
            Id of the new key.
        """
        self.reload()
        fresh = _fresh()
        kept = dict(list(self._keys.keys.items())[: MOST_KEYS - 1])
        _write(self._path, {**fresh, **kept})
        self.reload()
        return next(iter(fresh))

    def sign(self, access: Access) -> str:
        """Return the token of what is said; its times are cut to whole seconds."""
        kid, key = self._keys.newest
        claims = {
            "iss": ISSUER, "aud": AUDIENCE, "sub": access.user, "sid": access.login,
            "jti": secrets.token_hex(8), "iat": access.issued // 1_000,
            "exp": access.expires // 1_000,
        }  # fmt: skip
        return jwt.encode(claims, key, ALGORITHM, {"kid": kid})

    def read(self, token: str, now_ms: int) -> Access | None:
        """Return what a token says; None unless it is one of ours and good now."""
        known = self._read
        access = known.get(token) or self._check(token)
        if access is None or not _holds(access, now_ms):
            return None
        if len(known) >= MOST_READ:
            known.clear()
        known[token] = access
        return access

    def _check(self, token: str) -> Access | None:
        if len(token) > MOST_TEXT:
            return None
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            key = self._keys.keys.get(kid) if isinstance(kid, str) else None
            if key is None:
                return None
            claims = jwt.decode(
                token, key, algorithms=[ALGORITHM], audience=AUDIENCE, issuer=ISSUER,
                options=_OPTIONS,
            )
        except (jwt.InvalidTokenError, ValueError):
            return None
        return _access(claims)


def _access(claims: Mapping[str, Any]) -> Access | None:
    issued, expires = claims["iat"], claims["exp"]
    if any(type(one) is not int for one in (issued, expires)) or "nbf" in claims:
        return None  # ours have none
    if not isinstance(claims["sub"], str) or not isinstance(claims["sid"], str):
        return None
    return Access(claims["sub"], claims["sid"], issued * 1_000, expires * 1_000)


def _holds(access: Access, now_ms: int) -> bool:
    leeway = LEEWAY_S * 1_000
    return access.issued - leeway <= now_ms < access.expires + leeway


def _fresh() -> dict[str, str]:
    return {secrets.token_hex(4): secrets.token_urlsafe(32)}


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_ino


def _write_first(path: Path) -> None:
    """Make the file; of two programs that do so at once the first wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    _write(draft, _fresh())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _write(path: Path, keys: Mapping[str, str]) -> None:
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
    with os.fdopen(handle, "w") as file:
        json.dump({"keys": [{"kid": kid, "key": key} for kid, key in keys.items()]}, file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _read(path: Path) -> SigningKeys:
    if path.stat().st_mode & 0o077:
        path.chmod(_PRIVATE)
        logger.warning("signing keys were readable by others", file=path.name)
    try:
        rows = json.loads(path.read_text())["keys"]
        keys = {row["kid"]: row["key"] for row in rows}
        right = 1 <= len(keys) <= MOST_KEYS and all(len(key) >= 32 for key in keys.values())
    except (ValueError, KeyError, TypeError) as error:
        raise KeyFileError(f"{path} must hold signing keys, does not") from error
    if not right:
        raise KeyFileError(f"{path} must hold one or two keys of 32 characters, does not")
    return SigningKeys(keys)

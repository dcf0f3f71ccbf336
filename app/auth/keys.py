"""Opaque tokens, e.g. ``opp_4f2a91c07b3d_…``: an id to find them by and 256 random bits.

The id of a refresh token is also in every access token of its login, where others may see it. So
a refresh token carries, in the place of the id, what its id is made of by a one-way function:
nobody makes up one of a login whose id they know.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from typing import Final, Literal

Kind = Literal["opp", "opr", "ops"]
"""API key, refresh token, session of the page."""

_FORM: Final = re.compile(
    r"(?:(opp|ops)_([0-9a-f]{16})|(opr)_([0-9a-f]{32}))_([A-Za-z0-9_-]{43})"
)
_ID_LENGTH: Final = 16
MOST_TEXT: Final = 80


@dataclass(frozen=True, slots=True)
class Opaque:
    """A token that says nothing but which one it is.

    Parameters
    ----------
    kind : str
    id : str
        16 hexadecimal digits; no secret.
    secret : str
        256 random bits as text; never shown in a repr.
    family : str
        Of a refresh token: 128 random bits as text that all of its login share; else ''. Never
        shown in a repr.
    """

    kind: Kind
    id: str
    secret: str = field(repr=False)
    family: str = field(default="", repr=False)

    @property
    def text(self) -> str:
        """The token as its holder sends it."""
        return f"{self.kind}_{self.family or self.id}_{self.secret}"

    @property
    def digest(self) -> str:
        """What is kept of it: as the secret is random, a plain SHA-256 is enough."""
        return digest_of(self.secret)


def digest_of(secret: str) -> str:
    """Return the SHA-256 of a secret, hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()


def make(kind: Kind, family: str = "") -> Opaque:
    """Make a token; with a family the next refresh token of the same login."""
    secret = secrets.token_urlsafe(32)
    if kind != "opr":
        return Opaque(kind, secrets.token_hex(_ID_LENGTH // 2), secret)
    family = family or secrets.token_hex(16)
    return Opaque(kind, _id_of(family), secret, family)


def read(text: str, kind: Kind) -> Opaque | None:
    """Read what somebody sends; None for what is no token of this kind."""
    found = _FORM.fullmatch(text) if len(text) <= MOST_TEXT else None
    if found is None or (found[1] or found[3]) != kind:
        return None
    if kind == "opr":
        return Opaque(kind, _id_of(found[4]), found[5], found[4])
    return Opaque(kind, found[2], found[5])


def same(token: Opaque, digest: str) -> bool:
    """Tell whether a token is the one of a digest, in a time that tells nothing."""
    return hmac.compare_digest(token.digest, digest)


def _id_of(family: str) -> str:
    return hashlib.sha256(b"family:" + family.encode()).hexdigest()[:_ID_LENGTH]

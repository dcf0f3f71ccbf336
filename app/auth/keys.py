"""Opaque tokens, e.g. ``opp_4f2a91c07b3d_…``: an id to find them by and 256 random bits."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from typing import Final, Literal

Kind = Literal["opp", "opr", "ops"]
"""API key, refresh token, session of the page."""

_FORM: Final = re.compile(r"(opp|opr|ops)_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")
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
    """

    kind: Kind
    id: str
    secret: str = field(repr=False)

    @property
    def text(self) -> str:
        """The token as its holder sends it."""
        return f"{self.kind}_{self.id}_{self.secret}"

    @property
    def digest(self) -> str:
        """What is kept of it: as the secret is random, a plain SHA-256 is enough."""
        return digest_of(self.secret)


def digest_of(secret: str) -> str:
    """Return the SHA-256 of a secret, hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()


def make(kind: Kind, id: str | None = None) -> Opaque:
    """Make a token; with an id the next one of the same family."""
    return Opaque(kind, id or secrets.token_hex(8), secrets.token_urlsafe(32))


def read(text: str, kind: Kind) -> Opaque | None:
    """Read what somebody sends; None for what is no token of this kind."""
    found = _FORM.fullmatch(text) if len(text) <= MOST_TEXT else None
    if found is None or found[1] != kind:
        return None
    return Opaque(kind, found[2], found[3])


def same(token: Opaque, digest: str) -> bool:
    """Tell whether a token is the one of a digest, in a time that tells nothing."""
    return hmac.compare_digest(token.digest, digest)

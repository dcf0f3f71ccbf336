"""Where a request carries who it is from: the Authorization header, a subprotocol, a cookie."""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Final, Literal

from tornado.httputil import HTTPServerRequest

from app.api.problems import ApiError

SESSION: Final = "opportunity-session"
XSRF: Final = "opportunity-xsrf"
HOST_PREFIX: Final = "__Host-"
"""Under TLS: browsers take such a cookie only from the host itself, and only over TLS."""

XSRF_HEADER: Final = "X-XSRF-Token"

PROTOCOL: Final = "opportunity"
"""Subprotocol of the stream; a client that shows a credential beside it gets this one back."""

TICKET: Final = "opportunity.ticket."
BEARER: Final = "opportunity.bearer."

Kind = Literal["bearer", "ticket", "cookie"]


@dataclass(frozen=True, slots=True)
class Shown:
    """A credential as it came: its kind, and the secret itself."""

    kind: Kind
    secret: str

    def __repr__(self) -> str:
        return f"Shown({self.kind!r}, ***)"


def shown_by(request: HTTPServerRequest, scheme: str) -> Shown | None:
    """Return the credential of a request; None without.

    Raises
    ------
    ApiError
        401 for an Authorization header that is not a bearer token.
    """
    authorization = request.headers.get("Authorization")
    if authorization is not None:
        kind, _, token = authorization.strip().partition(" ")
        if kind.lower() != "bearer" or not token.strip():
            raise unauthorized("Authorization must be: Bearer TOKEN.", "invalid_request")
        return Shown("bearer", token.strip())
    for protocol in protocols_of(request.headers.get("Sec-WebSocket-Protocol", "")):
        if protocol.startswith(TICKET):
            return Shown("ticket", protocol.removeprefix(TICKET))
        if protocol.startswith(BEARER):
            return Shown("bearer", protocol.removeprefix(BEARER))
    value = cookie(request, session_name(scheme))
    return Shown("cookie", value) if value else None


def protocols_of(header: str) -> list[str]:
    """Return the subprotocols that a client offers, at most the first eight."""
    return [part.strip() for part in header.split(",")[:8] if part.strip()]


def answered_protocol(offered: list[str]) -> str | None:
    """Return the subprotocol to answer with: browsers want one of those they offered."""
    if PROTOCOL in offered:
        return PROTOCOL
    return next((one for one in offered if one.startswith((TICKET, BEARER))), None)


def session_name(scheme: str) -> str:
    """Return the name of the cookie that holds a login of the page."""
    return HOST_PREFIX + SESSION if scheme == "https" else SESSION


def xsrf_name(scheme: str) -> str:
    """Return the name of the cookie that scripts copy into `XSRF_HEADER`."""
    return HOST_PREFIX + XSRF if scheme == "https" else XSRF


def cookie(request: HTTPServerRequest, name: str) -> str:
    """Return a cookie; '' without. Cookies are parsed only where the name occurs."""
    if name not in request.headers.get("Cookie", ""):
        return ""
    found = request.cookies.get(name)
    return "" if found is None else str(found.value)


def xsrf_token(session: str) -> str:
    """Return what a script must send along with the cookie of a session.

    It is made of the cookie by a one-way function: bound to that login, nothing to store.
    """
    return hashlib.sha256(b"xsrf:" + session.encode()).hexdigest()


def check_xsrf(request: HTTPServerRequest, session: str) -> None:
    """Refuse a write by cookie that does not show the token of its session; ApiError 403."""
    given = request.headers.get(XSRF_HEADER, "")
    if not secrets.compare_digest(given.encode(), xsrf_token(session).encode()):
        raise ApiError(
            403, "xsrf", f"A write by cookie needs {XSRF_HEADER} with the cookie {XSRF}."
        )


def unauthorized(detail: str, error: str = "") -> ApiError:
    """Return a 401; `error` is the code of RFC 6750, where a token was shown."""
    challenge = 'Bearer realm="opportunity"' + (f', error="{error}"' if error else "")
    return ApiError(401, error or "login", detail, headers={"WWW-Authenticate": challenge})

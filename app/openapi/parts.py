"""What all operations of the document share: problems, headers, ways to log in."""

from typing import Any, Final

from app.auth.credentials import SESSION
from app.openapi.schemas import PLACE

PROBLEMS: Final[dict[int, tuple[str, str]]] = {
    400: ("BadRequest", "A rule over valid fields is broken, or it is no valid HTTP or JSON."),
    401: ("Unauthorized", "Nobody is logged in, or the token is worth nothing."),
    403: ("Forbidden", "The role is not enough, or the request comes from where it may not."),
    404: ("NotFound", "There is no such thing."),
    405: ("NoSuchMethod", "The resource has no such method; `Allow` lists those it has."),
    409: ("Conflict", "The state of the resource forbids it now."),
    412: ("Stale", "If-Match is not the newest version."),
    413: ("BodyTooLarge", "The body is too large."),
    414: ("AddressTooLong", "The address is too long."),
    415: ("NotJson", "The body is not JSON."),
    422: ("Invalid", "The request breaks its schema; `errors` lists every field."),
    426: ("UpgradeNeeded", "The resource speaks WebSocket only."),
    428: ("VersionNeeded", "A page must say by If-Match which version it changes."),
    429: ("TooMany", "Too many requests, or too many jobs wait."),
    431: ("HeadersTooLarge", "The headers are too many or too large."),
    503: ("NotNow", "Not now: no scores yet, nothing can be stored, or no more connections."),
}
"""Name and meaning of each status that a handler may declare as a problem."""

HEADERS: Final[dict[str, dict[str, Any]]] = {
    "X-Request-Id": {
        "description": "name of the request, also in the server's log",
        "schema": {"type": "string"},
    },
    "ETag": {"description": "version, in double quotes", "schema": {"type": "string"}},
    "Location": {"description": "address of what was made", "schema": {"type": "string"}},
    "Retry-After": {
        "description": "seconds to wait before another try",
        "schema": {"type": "integer", "minimum": 0},
    },
    "WWW-Authenticate": {
        "description": "how to show who calls", "schema": {"type": "string"},
    },
    "RateLimit-Policy": {
        "description": "quota and window, e.g. `\"default\";q=1200;w=60`; absent where none holds",
        "schema": {"type": "string"},
    },
    "RateLimit": {
        "description": "what is left and for how long, e.g. `\"default\";r=1187;t=31`",
        "schema": {"type": "string"},
    },
}  # fmt: skip

SECURITY: Final[dict[str, dict[str, Any]]] = {
    "bearer": {
        "type": "http", "scheme": "bearer",
        "description": "an API key, or the access token that `POST /api/auth/login` gives",
    },
    "session": {
        "type": "apiKey", "in": "cookie", "name": SESSION,
        "description": "the login of a page, under TLS with the prefix `__Host-`; what writes "
        "needs the header X-XSRF-Token beside it",
    },
}  # fmt: skip

_MORE: Final[dict[int, tuple[str, ...]]] = {
    401: ("WWW-Authenticate",), 429: ("Retry-After", "RateLimit-Policy", "RateLimit"),
    503: ("Retry-After",),
}  # fmt: skip


def problem_name(status: int) -> str:
    """Return the name of the response of a status, e.g. ``NotFound``."""
    return PROBLEMS[status][0]


def _problem(status: int, text: str) -> dict[str, Any]:
    headers = ("X-Request-Id", *_MORE.get(status, ()))
    return {
        "description": text,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in headers},
        "content": {"application/problem+json": {"schema": {"$ref": PLACE + "Problem"}}},
    }


RESPONSES: Final[dict[str, dict[str, Any]]] = {
    "NotModified": {"description": "What the caller has is the newest."},
    **{name: _problem(status, text) for status, (name, text) in PROBLEMS.items()},
}

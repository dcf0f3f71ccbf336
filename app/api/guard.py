"""Bounds of a request before anybody looks at what it asks: sizes, counts, and tokens in URLs."""

from typing import Final

from tornado.httputil import HTTPServerRequest

from app.api.problems import ApiError

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

MAX_HEADERS: Final = 100
MAX_HEADER_BYTES: Final = 16 * 1024
MAX_URL: Final = 8 * 1024
MAX_ARGUMENTS: Final = 100
MAX_QUERY: Final = 4 * 1024

SECRET_NAMES: Final = frozenset({
    "token", "access_token", "refresh_token", "id_token", "ticket", "jwt", "api_key", "apikey",
    "authorization", "password", "secret",
})  # fmt: skip
"""Query parameters that would put a secret into logs and histories."""


def check_bounds(request: HTTPServerRequest, link: bool = False) -> None:
    """Refuse what no honest client sends.

    Parameters
    ----------
    request : HTTPServerRequest
    link : bool
        Whether `token` may stand in the URL: on the page that the one-time link opens.

    Raises
    ------
    ApiError
        431 for too many or too large headers, 414 for a too long URL, 400 for U+0000 in it,
        for too many query parameters and for a token in the URL.
    """
    size = n = 0
    for name, value in request.headers.get_all():
        n, size = n + 1, size + len(name) + len(value) + 4
    if n > MAX_HEADERS or size > MAX_HEADER_BYTES:
        raise ApiError(
            431, "headers", f"At most {MAX_HEADERS} headers of {MAX_HEADER_BYTES} bytes together."
        )
    if len(request.uri or "") > MAX_URL:
        raise ApiError(414, "url", f"The URL must have at most {MAX_URL} characters.")
    if "%00" in (request.uri or ""):
        raise ApiError(400, "url", "The URL must not hold U+0000.")
    if request.query:
        _check_query(request, link)


def _check_query(request: HTTPServerRequest, link: bool) -> None:
    if request.query.count("&") >= MAX_ARGUMENTS:
        raise ApiError(400, "arguments", f"At most {MAX_ARGUMENTS} query parameters.")
    if link:
        return
    for name in request.query_arguments:
        if name.lower() in SECRET_NAMES:
            raise ApiError(
                400, "secret_in_url",
                f"{name.lower()} must be sent in a header, never in the URL; treat the one that "
                "was sent as known to others.",
            )  # fmt: skip

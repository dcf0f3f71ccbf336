"""Headers of every answer, whoever gives it: the API, a page, a file, or Tornado itself."""

import base64
import hashlib
from typing import Any, Final

from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import OutputTransform

STRICT_POLICY: Final = "default-src 'none'; frame-ancestors 'none'"
"""For what a browser shall not run or show: JSON, tables, files of scripts."""

PAGE_POLICY: Final = "; ".join((
    "default-src 'self'",
    # Bokeh and Panel start pages by inline scripts, make functions of text and load ES modules
    # from blobs; what remains closed is every other server.
    "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "connect-src 'self' blob: data:",
    "worker-src 'self' blob:",
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
))

SECURITY: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""The same on every answer; Content-Security-Policy depends on what is answered."""

PAGE_REFERRER: Final = "same-origin"
FORM_REFERRER: Final = "strict-origin"
"""A browser that may not say at all where it comes from sends forms with ``Origin: null``. A form
whose own address may hold a token says no more than its host."""

TRANSPORT: Final = {"Strict-Transport-Security": "max-age=31536000"}
"""Besides, where TLS is used."""


def form_policy(css: str) -> str:
    """Return the policy of a page without scripts whose only style is `css`."""
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )


def secure(headers: HTTPHeaders | dict[str, str], tls: bool) -> None:
    """Add to an answer's headers what is missing of these, and take the server's name away."""
    headers.pop("Server", None)
    page = headers.get("Content-Type", "").startswith("text/html")
    if page and "Referrer-Policy" not in headers:
        headers["Referrer-Policy"] = PAGE_REFERRER
    for name, value in SECURITY.items():
        if name not in headers:
            headers[name] = value
    if "Content-Security-Policy" not in headers:
        headers["Content-Security-Policy"] = PAGE_POLICY if page else STRICT_POLICY
    if tls:
        headers.update(TRANSPORT)


class SecureAnswers(OutputTransform):
    """Tornado's hook before the first byte of any answer; see `Application.add_transform`."""

    def __init__(self, request: HTTPServerRequest) -> None:
        self._request: Any = request

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        """Complete the headers."""
        scheme = getattr(self._request, "scheme_used", self._request.protocol)
        secure(headers, tls=scheme == "https")
        if finishing and not getattr(self._request.connection, "_read_finished", True):
            headers["Connection"] = "close"  # Tornado hangs up: a proxy must not ask again on it
        return status_code, headers, chunk

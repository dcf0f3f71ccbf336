"""What the API is, for programs and for people: documents, and a viewer that needs no internet."""

import asyncio
import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from pydantic import Field

from app.api.base import BaseHandler
from app.api.operations import JSON, operation
from app.api.problems import ApiError
from app.auth.roles import Role
from opportunity.contracts.base import Query

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""Of the viewer: its own files, the pictures inside its style sheet, and requests to us."""

PAGE: Final = b"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>API - opportunity</title>
<link rel="icon" type="image/png" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="stylesheet" href="docs/ours.css">
</head>
<body>
<main id="api"><p>The viewer needs scripts. The document itself is
<a href="openapi.json">openapi.json</a>.</p></main>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/ours.js"></script>
</body>
</html>
"""

SCRIPT: Final = b"""window.ui = SwaggerUIBundle({
  url: "openapi.json", dom_id: "#api", deepLinking: true, docExpansion: "list", filter: true,
  defaultModelsExpandDepth: 0, validatorUrl: null, tryItOutEnabled: false,
  requestInterceptor: (request) => {
    const found = /(?:^|; )(?:__Host-)?opportunity-xsrf=([^;]+)/.exec(document.cookie);
    if (found) request.headers["X-XSRF-Token"] = found[1];
    return request;
  },
});
"""

STYLE: Final = b"""body { margin: 0; }
@media (prefers-color-scheme: dark) {
  html { background: #16181d; }
  .swagger-ui { filter: invert(0.9) hue-rotate(180deg); }
  .swagger-ui .highlight-code, .swagger-ui .microlight, .swagger-ui img {
    filter: invert(1) hue-rotate(180deg);
  }
}
"""

KINDS: Final = {"css": "text/css", "js": "text/javascript", "png": "image/png"}
THEIRS: Final = ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-16x16.png", "favicon-32x32.png")
OURS: Final = {"ours.css": STYLE, "ours.js": SCRIPT}


class FilePath(Query):
    """A file of the viewer."""

    file: str = Field(min_length=1, max_length=64, examples=["ours.css"])


class _Bytes(BaseHandler):
    """An answer that is the same until the server is another."""

    tag: str | None = None

    def compute_etag(self) -> str | None:
        """Return the hash of what is sent as a strong tag."""
        return self.tag

    def send_file(self, data: bytes, media: str) -> None:
        """Finish with bytes, or with 304 where the caller has them."""
        self.tag = _tag(data)
        self.set_header("Content-Type", media)
        self.set_header("Cache-Control", "no-cache")
        self.finish(data)


class OpenApiHandler(_Bytes):
    """The OpenAPI document."""

    @operation(Role.ANYBODY, etag=True)
    async def get(self) -> None:
        """Return the OpenAPI 3.1 document of all routes."""
        from app.openapi.document import document_bytes

        data = await asyncio.to_thread(document_bytes, self.gate.closed)
        self.send_file(data, JSON)


class AsyncApiHandler(_Bytes):
    """The AsyncAPI document."""

    @operation(Role.ANYBODY, etag=True)
    async def get(self) -> None:
        """Return the AsyncAPI 3.0 document of `/ws/realtime`."""
        from app.openapi.asyncapi import asyncapi_bytes

        self.send_file(await asyncio.to_thread(asyncapi_bytes), JSON)


class DocsHandler(_Bytes):
    """The viewer."""

    @operation(Role.ANYBODY, media="text/html", etag=True)
    def get(self) -> None:
        """Return the page that shows the OpenAPI document."""
        self.set_header("Content-Security-Policy", POLICY)
        self.send_file(PAGE, "text/html; charset=utf-8")


class FileHandler(_Bytes):
    """Scripts and styles of the viewer."""

    @operation(Role.ANYBODY, path=FilePath, media=tuple(KINDS.values()), etag=True)
    def get(self, file: str) -> None:
        """Return one of its files."""
        name = self.places(FilePath).file
        if name not in OURS and name not in THEIRS:
            raise ApiError(404, "not_found", "The viewer has no such file.", "file")
        media = KINDS[name.rpartition(".")[2]]
        self.send_file(OURS.get(name) or _theirs(name), media)


@cache
def _theirs(name: str) -> bytes:
    found = find_spec("swagger_ui")  # found, not imported: only its files are of use
    if found is None or found.origin is None:
        raise FileNotFoundError("the package swagger-ui-py is not installed")
    return Path(found.origin).with_name("static").joinpath(name).read_bytes()


@cache
def _tag(data: bytes) -> str:
    return f'"{hashlib.sha256(data).hexdigest()[:32]}"'


routes = [
    ("/api/openapi.json", OpenApiHandler),
    ("/api/asyncapi.json", AsyncApiHandler),
    ("/api/docs", DocsHandler),
    ("/api/docs/{file}", FileHandler),
]

"""Small pages of our own, without any script: to log in and out, and errors that people see."""

import uuid
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import orjson
from jinja2 import Environment, FileSystemLoader
from tornado.httputil import HTTPServerRequest

from app.api.problems import ApiError, problem_of
from app.auth.headers import form_policy
from app.components.language import LANGUAGE_COOKIE, RIGHT_TO_LEFT, language_of, t
from app.components.theme import DARK, PALETTES, THEME_COOKIE, stylesheet, variables

HERE: Final = Path(__file__).parent
_DARK: Final = (
    "@media (prefers-color-scheme: dark) { :root:not([data-theme]) { "
    f"{variables(DARK)} color-scheme: dark; }} }}\n"
)
CSS: Final = stylesheet() + _DARK + (HERE / "page.css").read_text(encoding="utf-8")
POLICY: Final = form_policy(CSS)
LOGIN: Final = "/login"
MAX_NEXT: Final = 500

_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True
)


def render(page: str, request: HTTPServerRequest, **facts: Any) -> str:
    """Return a page: `<page>.html` beside this module, in the reader's theme and language."""
    kept = {name: cookie.value for name, cookie in request.cookies.items()}
    theme = kept.get(THEME_COOKIE, "")
    language = language_of(
        kept.get(LANGUAGE_COOKIE, ""), request.headers.get("Accept-Language", "")
    )
    return _TEMPLATES.get_template(f"{page}.html").render(
        css=CSS, theme=theme if theme in PALETTES else "", language=language,
        direction="rtl" if language in RIGHT_TO_LEFT else "ltr", t=partial(t, language), **facts,
    )


def up(request: HTTPServerRequest) -> str:
    """Return the relative address of our root, which may lie below a prefix of a proxy."""
    return "../" * max(0, request.path.count("/") - 1) or "./"


def login_address(request: HTTPServerRequest) -> str:
    """Return where to log in, and to come back from to what was asked for."""
    wanted = (request.uri or "").lstrip("/")
    back = f"?next={quote(wanted, safe='')}" if wanted and len(wanted) <= MAX_NEXT else ""
    return f"{up(request)}login{back}"


def way_back(wanted: str) -> str:
    """Return where to go after the login: a page of ours, whatever was asked for."""
    odd = any(c in wanted for c in "\\:\r\n\t") or not wanted.isprintable()
    if odd or wanted.startswith("/") or len(wanted) > MAX_NEXT:
        return "./"
    return f"./{wanted}"


def wants_page(request: HTTPServerRequest) -> bool:
    """Tell whether a person waits for the answer, and no program."""
    return "text/html" in request.headers.get("Accept", "")


class PageErrors:
    """Errors of handlers that are not of the API: a page for people, a problem for programs."""

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Finish with an error that says nothing about the inside."""
        handler: Any = self
        error = kwargs["exc_info"][1] if "exc_info" in kwargs else None
        request_id = getattr(handler, "request_id", "") or uuid.uuid4().hex
        handler.set_header("X-Request-Id", request_id)
        problem = problem_of(status_code, error, handler.request.path[:200], request_id)
        if isinstance(error, ApiError):
            for name, value in error.headers.items():
                handler.set_header(name, value)
        handler.set_header("Cache-Control", "no-store")
        if wants_page(handler.request):
            handler.set_header("Content-Type", "text/html; charset=utf-8")
            handler.set_header("Content-Security-Policy", POLICY)
            home = up(handler.request)
            handler.finish(render("error", handler.request, problem=problem, home=home))
            return
        handler.set_header("Content-Type", "application/problem+json; charset=utf-8")
        told = {name: value for name, value in problem.model_dump().items() if value is not None}
        handler.finish(orjson.dumps(told))


class OwnDoor:
    """Marks a handler that is not of the API and asks the gate itself."""

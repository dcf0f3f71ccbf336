"""Routes of requests come from a fixed list."""

from types import SimpleNamespace

import pytest

from app.observing.paths import Paths


class One:
    """A handler of one path."""

    def __init__(self, path: str) -> None:
        self.request = SimpleNamespace(path=path)


class Two(One):
    """A handler of two."""


class Stranger(One):
    """A handler of somebody else."""


PATHS = Paths([("/api/one", One), ("/api/two/{name}", Two), ("/api/two/{name}/past", Two)])


@pytest.mark.parametrize(
    ("handler", "route"),
    [
        (One("/api/one"), "/api/one"),
        (Two("/api/two/%2e%2e"), "/api/two/{name}"),
        (Two("/api/two/x/past"), "/api/two/{name}/past"),
        (Two("/api/two/x/y/z"), "other"),
        (Stranger("/"), "/"),
        (Stranger("/portfolio"), "/portfolio"),
        (Stranger("/static/js/bokeh.min.js"), "/static"),
        (Stranger("/ws"), "/ws"),
        (Stranger("/portfolio/ws"), "/ws"),
        (Stranger("/portfolio/autoload.js"), "/autoload.js"),
        (Stranger("/api/one"), "other"),
        (Stranger("/wp-login.php"), "other"),
    ],
)
def test_route_of_a_request(handler: One, route: str) -> None:
    assert PATHS.of(handler) == route


def test_every_page_has_its_route() -> None:
    from app.observing.paths import PAGES
    from app.pages import PAGES as SERVED

    assert {page.PATH for page in SERVED} <= PAGES

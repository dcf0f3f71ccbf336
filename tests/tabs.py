"""A tab of a browser that remembers what its page asked for and complained about."""

from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page

LOOPBACK = {"127.0.0.1", "localhost"}


class Tab:
    """A page in a context of its own: own cookies, own size.

    The tour of a first visit is had already, unless `toured` is false.
    """

    def __init__(self, browser: Browser, toured: bool = True, **context: Any) -> None:
        self.context = browser.new_context(**context)
        if toured:
            self.context.add_init_script("localStorage.setItem('opportunity-tour', 'seen')")
        self.page: Page = self.context.new_page()
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", lambda r: self.requests.append(r.url))
        self.page.on("websocket", lambda w: self.requests.append(w.url))
        self.page.on("pageerror", lambda e: self.errors.append(str(e)))
        self.page.on(
            "console", lambda m: self.errors.append(m.text) if m.type == "error" else None
        )

    def outside(self) -> list[str]:
        """Addresses beyond this machine that the page asked for."""
        parts = [urlsplit(url) for url in self.requests]
        return [p.geturl() for p in parts
                if p.scheme not in ("data", "blob") and p.hostname not in LOOPBACK]

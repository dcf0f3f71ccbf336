"""A site where everybody must log in, three users and a key, and browsers without a window."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from logins import PASSWORD, cheap
from served import build, settings_of

from app.auth.limiter import Limiter
from app.auth.users import NewKey
from app.services import Services
from app.site import Site

USERS = {"vera": "viewer", "tom": "trader", "ada": "admin"}


@dataclass
class Guarded:
    """A running site and what its users know."""

    site: Site
    services: Services
    keys: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.site.port}"

    def fresh(self) -> "Guarded":
        """Forget how often anybody has called."""
        self.site._doors.gate.limiter = Limiter(self.services.settings.requests_per_minute)
        return self

    def browser(self) -> aiohttp.ClientSession:
        """A client that keeps cookies, also of a number."""
        jar = aiohttp.CookieJar(unsafe=True)
        return aiohttp.ClientSession(self.url, cookie_jar=jar)

    async def log_in(
        self, browser: aiohttp.ClientSession, name: str, password: str = PASSWORD, **more: Any
    ) -> aiohttp.ClientResponse:
        """Send the form of the login page as a browser does."""
        data = {"username": name, "password": password, **more}
        headers = {"Origin": self.url, "Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
        answer = await browser.post("/login", data=data, headers=headers, allow_redirects=False)
        await answer.read()
        return answer

    def bearer(self, role: str) -> dict[str, str]:
        """Headers of a program with this role."""
        return {"Authorization": f"Bearer {self.keys[role]}"}


def cookie_of(browser: aiohttp.ClientSession, name: str) -> str:
    """The value of a cookie; '' without."""
    return next((one.value for one in browser.cookie_jar if one.key == name), "")


@asynccontextmanager
async def guarded(folder: Any, users: bool = True, **settings: Any) -> AsyncIterator[Guarded]:
    """Serve a site whose agent has not started."""
    given = {"auth": True, "port": 0} | settings
    services = build(settings_of(folder, **given))
    services.accounts._passwords = cheap()
    made = Guarded(Site(services.settings, services, "secret-of-this-run"), services)
    try:
        for name, role in USERS.items() if users else ():
            await services.accounts.people.add(name, role, PASSWORD, by="test")
            text, _ = await services.accounts.people.create_key(NewKey(f"{role}s", role), by="test")
            made.keys[role] = text
        yield made
    finally:
        await made.site.close()
        await services.stop()

"""Log in through somebody else: Panel speaks to the provider, the session is ours.

Only names that `oauth_users` lists come in, each with the role that it says. What the provider
hands over, its tokens too, is used once and kept nowhere.
"""

import secrets
from typing import Any, Final

import panel as pn
import structlog
from panel.auth import (
    AUTH_PROVIDERS,
    CODE_COOKIE_NAME,
    STATE_COOKIE_NAME,
    OAuthLoginHandler,
    _serialize_state,
)
from tornado.httpclient import AsyncHTTPClient

from app.api.problems import ApiError
from app.auth.credentials import session_name, xsrf_name, xsrf_token
from app.auth.gate import Gate
from app.auth.html import OwnDoor, PageErrors
from app.auth.roles import Role
from app.auth.users import check_name, check_role
from opportunity.config import Settings, SettingsError
from opportunity.errors import unknown

logger = structlog.get_logger(__name__)

PATH: Final = "/oauth"
KEPT: Final = frozenset({STATE_COOKIE_NAME, CODE_COOKIE_NAME})
TIMEOUT_S: Final = 10.0


def oauth_users(settings: Settings) -> dict[str, str]:
    """Return the roles of those who may log in through the provider, by name.

    Raises
    ------
    SettingsError
        If an entry is not name=role.
    """
    found: dict[str, str] = {}
    for entry in settings.oauth_users:
        name, _, role = entry.rpartition("=")
        try:
            found[check_name(name)] = check_role(role.strip())
        except ValueError as error:
            raise SettingsError(f"oauth_users must be name=role,...: {error}") from None
    return found


def oauth_routes(settings: Settings) -> list[tuple[str, type]]:
    """Return the page of the provider that is set; none without.

    Raises
    ------
    SettingsError
        If Panel knows no such provider, or a setting that it needs is missing.
    """
    if not settings.oauth_provider:
        return []
    able = {
        name: kind for name, kind in AUTH_PROVIDERS.items()
        if issubclass(kind, OAuthLoginHandler) and kind.get is OAuthLoginHandler.get
    }  # fmt: skip
    if settings.oauth_provider not in able:
        raise SettingsError(unknown("oauth_provider", settings.oauth_provider, sorted(able)))
    secret = settings.oauth_secret.get_secret_value()
    for name, value in (
        ("oauth_key", settings.oauth_key), ("oauth_secret", secret),
        ("oauth_redirect", settings.oauth_redirect), ("oauth_users", settings.oauth_users),
    ):  # fmt: skip
        if not value:
            raise SettingsError(f"{name} must be set with oauth_provider, was not")
    oauth_users(settings)
    told: Any = pn.config
    told.oauth_key, told.oauth_secret = settings.oauth_key, secret
    told.oauth_redirect_uri = settings.oauth_redirect
    return [(PATH, type("OAuthPage", (OAuthPage, able[settings.oauth_provider]), {}))]


class OAuthPage(PageErrors, OwnDoor):
    """Goes to the provider, and takes back who it says has logged in there."""

    def initialize(self, services: Any, gate: Gate) -> None:
        """Take what the route was made with."""
        self.services, self.gate = services, gate

    def prepare(self) -> None:
        """Let anybody try, as often as with a password."""
        handler: Any = self
        self.arrival = self.gate.judge(handler.request, Role.ANYBODY, writes=False).arrival
        self.gate.limiter.login("", self.arrival.address)

    def set_secure_cookie(self, name: str, value: str, **given: Any) -> None:
        """Keep what belongs to the login that is under way, and nothing of the provider's."""
        if name in KEPT:
            handler: Any = self
            handler.set_signed_cookie(
                name, value, expires_days=None, path="/", httponly=True, samesite="Lax",
                secure=self.arrival.scheme == "https",
            )  # fmt: skip

    def get_auth_http_client(self) -> AsyncHTTPClient:
        """Return a client that follows nobody elsewhere with our secret."""
        return AsyncHTTPClient(force_instance=True, defaults={
            "follow_redirects": False, "connect_timeout": TIMEOUT_S, "request_timeout": TIMEOUT_S,
        })  # fmt: skip

    def get_state(self) -> str:
        """Return the state that must come back."""
        return str(_serialize_state({"state_id": secrets.token_hex(16), "next_url": "./"}))

    async def get_authenticated_user(self, *args: Any, **given: Any) -> Any:
        """Return who logged in there, once they are logged in here, too."""
        parent: Any = super()
        user = await parent.get_authenticated_user(*args, **given)
        if user is not None:
            await self._enter(str(user))
        return user

    async def _enter(self, user: str) -> None:
        name, accounts = user.strip().lower(), self.gate.accounts
        role = oauth_users(self.services.settings).get(name)
        if role is None or accounts is None:
            logger.info("login refused", user=name[:48], address=self.arrival.address)
            raise ApiError(403, "not_listed", "You are known there, but may not log in here.")
        known = {one.name: one for one in accounts.people.users()}
        if name not in known:
            await accounts.people.add(name, role, None, by="oauth")
        elif known[name].role != role:
            await accounts.people.change(name, role, None, by="oauth")
        session = await accounts.open_session(name)
        handler: Any = self
        tls = self.arrival.scheme == "https"
        lasts = round(self.services.settings.session_hours * 3_600)
        common = {"path": "/", "max_age": lasts, "samesite": "Lax", "secure": tls}
        handler.set_cookie(session_name(self.arrival.scheme), session, httponly=True, **common)
        handler.set_cookie(xsrf_name(self.arrival.scheme), xsrf_token(session), **common)
        logger.info("logged in", user=name, address=self.arrival.address, by="oauth")

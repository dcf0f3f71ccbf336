"""The pages to log in and out, and the first start's page where an admin sets a password."""

from typing import Any, ClassVar
from urllib.parse import parse_qs

import structlog

from app.api.base import BaseHandler
from app.api.operations import operation
from app.api.problems import ApiError
from app.auth.accounts import FIRST_ADMIN, Accounts
from app.auth.credentials import cookie, session_name, xsrf_name, xsrf_token
from app.auth.headers import FORM_REFERRER
from app.auth.html import POLICY, PageErrors, render, way_back
from app.auth.passwords import LEAST
from app.auth.refusals import BusyError, LoginRefusedError
from app.auth.roles import Caller, Role
from opportunity.contracts.base import Query

logger = structlog.get_logger(__name__)

MAX_FIELDS = 10
HTML = "text/html"


class _Login(Query):
    next: str = ""
    token: str = ""


class FormPage(PageErrors, BaseHandler):
    """A page with a form: the gate checks strictly that it was sent by one of our own pages."""

    form: ClassVar[bool] = True

    @property
    def accounts(self) -> Accounts:
        """Who is known here."""
        found = self.gate.accounts
        if found is None:
            raise ApiError(404, "not_found", "There is no login here.")
        return found

    @property
    def session(self) -> str:
        """Value of the cookie that came; '' without."""
        return cookie(self.request, session_name(self.arrival.scheme))

    def fields(self) -> dict[str, str]:
        """Return the form's fields, of which each counts once.

        Raises
        ------
        ApiError
            413 for a large body, 415 for another media type than a plain form's, 400 for too
            many fields.
        """
        text = self.text("application/x-www-form-urlencoded")
        try:
            given = parse_qs(text, keep_blank_values=True, max_num_fields=MAX_FIELDS)
        except ValueError as error:
            raise ApiError(400, "bad_form", "The form must be as this page has it.") from error
        return {name: values[-1] for name, values in given.items()}

    def show(self, page: str, status: int = 200, **facts: Any) -> None:
        """Finish with a page."""
        self.set_status(status)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Content-Security-Policy", POLICY)
        self.set_header("Referrer-Policy", FORM_REFERRER)
        self.finish(render(page, self.request, **facts))

    def refuse(self, page: str, status: int, problem: str, **facts: Any) -> None:
        """Finish with a page that says what was wrong."""
        self.show(page, status, problem=problem, **facts)

    def enter(self, session: str) -> None:
        """Give the browser its session, and the token that its scripts must show."""
        lasts = round(self.services.settings.session_hours * 3_600)
        self._give(session_name(self.arrival.scheme), session, lasts, httponly=True)
        self._give(xsrf_name(self.arrival.scheme), xsrf_token(session), lasts)

    def leave(self) -> None:
        """Take both away."""
        for name in (session_name(self.arrival.scheme), xsrf_name(self.arrival.scheme)):
            self._give(name, "", 0)

    def _give(self, name: str, value: str, lasts_s: int, httponly: bool = False) -> None:
        self.set_cookie(
            name, value, path="/", max_age=lasts_s, httponly=httponly, samesite="Lax",
            secure=self.arrival.scheme == "https",
        )  # fmt: skip


class LoginPage(FormPage):
    """Name and password; or, once, the link of the first start."""

    @operation(Role.ANYBODY, query=_Login, media=HTML)
    def get(self) -> None:
        """Show the form."""
        asked = self.query(_Login)
        if asked.token:
            self._first(asked.token)
        elif self.caller.how == "cookie":
            self.redirect(way_back(asked.next))
        else:
            self._form(next=asked.next)

    @operation(Role.ANYBODY, media=HTML)
    async def post(self) -> None:
        """Let in who knows the password, or has the link."""
        given = self.fields()
        name, password = given.get("username", ""), given.get("password", "")
        self.gate.limiter.login(name, self.arrival.address)
        if given.get("token"):
            await self._set_first(given["token"], password, given.get("again", ""))
            return
        again = {"username": name[:48], "next": given.get("next", "")}
        try:
            user = await self.accounts.check(name, password)
            session = await self.accounts.open_session(user.name, self.session, user.password)
        except LoginRefusedError:
            logger.info("login refused", user=name[:48], address=self.arrival.address)
            self._form(401, "Name or password is not right.", **again)
            return
        except BusyError:
            self.set_header("Retry-After", "5")
            self._form(503, "Too many people log in right now; try again in a moment.", **again)
            return
        self.enter(session)
        logger.info("logged in", user=user.name, address=self.arrival.address)
        self.redirect(way_back(given.get("next", "")), status=303)

    def _form(self, status: int = 200, problem: str = "", **facts: str) -> None:
        oauth = self.services.settings.oauth_provider
        # A stranger need not know that this server waits for its first user.
        waits = self.accounts.empty and not oauth and self.arrival.loopback
        told = "" if not waits else (
            "Nobody can log in yet: use the link that the server printed at its start, or make a "
            "user by the command: opportunity user add."
        )
        filled = {"username": "", "next": ""} | facts
        self.show("login", status, problem=problem, told=told, oauth=oauth, **filled)

    def _first(self, token: str, status: int = 200, problem: str = "") -> None:
        self.show(
            "first", status, token=token, name=FIRST_ADMIN, least=LEAST, problem=problem
        )

    async def _set_first(self, token: str, password: str, again: str) -> None:
        if password != again:
            self._first(token, 422, "Both passwords must be the same.")
            return
        try:
            session = await self.accounts.redeem_link(token, password)
        except ValueError as error:
            self._first(token, 422, f"The {error}.")
            return
        except BusyError:
            self.set_header("Retry-After", "5")
            self._first(token, 503, "Too many people log in right now; try again in a moment.")
            return
        except LoginRefusedError:
            self._form(
                401, "This link was used already, or is older than 15 minutes. Start the server "
                "again for a new one."
            )
            return
        self.enter(session)
        logger.info("first password set", user=FIRST_ADMIN, address=self.arrival.address)
        self.redirect("./", status=303)


class LogoutPage(FormPage):
    """Ends the session of this browser."""

    @operation(Role.ANYBODY, media=HTML)
    def get(self) -> None:
        """Ask whether to log out; a link from elsewhere must not do it."""
        self._show(self.caller)

    @operation(Role.ANYBODY, media=HTML)
    async def post(self) -> None:
        """Log out."""
        self.fields()
        if self.session:
            await self.accounts.end_session(self.session)
        self.leave()
        self.set_header("Clear-Site-Data", '"cache"')
        self._show(None)

    def _show(self, caller: Caller | None) -> None:
        user = caller.name if caller is not None and caller.how == "cookie" else ""
        self.show("logout", user=user, closed=self.gate.closed)


routes = [("/login", LoginPage), ("/logout", LogoutPage)]


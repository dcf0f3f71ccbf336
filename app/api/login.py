"""Logins of programs: tokens for a password, their renewal and end, tickets for the stream."""

from app.api.base import BaseHandler
from app.api.operations import operation
from app.api.problems import ApiError, invalid
from app.auth.accounts import Granted
from app.auth.credentials import TICKET
from app.auth.refusals import BusyError, LoginRefusedError
from app.auth.roles import Role
from app.auth.tickets import TICKET_MS
from opportunity.contracts.auth import (
    LoginBody,
    LogoutAnswer,
    MeAnswer,
    PasswordBody,
    PasswordChanged,
    RefreshBody,
    TicketAnswer,
    TokensAnswer,
)


def refused(detail: str) -> ApiError:
    """Return the 401 of a password or token that is not good."""
    challenge = {"WWW-Authenticate": 'Bearer realm="opportunity"'}
    return ApiError(401, "login_refused", detail, headers=challenge)


def busy() -> ApiError:
    """Return the 503 of a server where too many log in at once."""
    return ApiError(
        503, "busy", "Too many logins are under way.",
        headers={"Retry-After": "1"}, retry_after_s=1,
    )  # fmt: skip


def tokens_of(granted: Granted) -> TokensAnswer:
    """Return the tokens of a login as they travel."""
    return TokensAnswer.model_validate({
        "access_token": granted.access, "refresh_token": granted.refresh,
        "expires_in": granted.expires_in, "role": granted.user.role,
    })  # fmt: skip


class LoginHandler(BaseHandler):
    """A login by password."""

    @operation(Role.ANYBODY, body=LoginBody, answer=TokensAnswer)
    async def post(self) -> None:
        """Give an access token and a refresh token for a user's name and password."""
        asked = self.body(LoginBody)
        self.gate.limiter.login(asked.username, self.arrival.address)
        try:
            granted = await self.services.accounts.login(asked.username, asked.password)
        except LoginRefusedError as error:
            raise refused("The name or the password is not right.") from error
        except BusyError as error:
            raise busy() from error
        self.send(tokens_of(granted))


class RefreshHandler(BaseHandler):
    """The renewal of a login."""

    @operation(Role.ANYBODY, body=RefreshBody, answer=TokensAnswer)
    async def post(self) -> None:
        """Give new tokens for a refresh token; one that comes twice ends its login."""
        asked = self.body(RefreshBody)
        try:
            granted = await self.services.accounts.refresh(asked.refresh_token)
        except LoginRefusedError as error:
            self.gate.limiter.refuse(self.arrival.address)
            raise refused("The refresh token is not good; log in again.") from error
        self.send(tokens_of(granted))


class LogoutHandler(BaseHandler):
    """The end of a login."""

    @operation(Role.VIEWER, answer=LogoutAnswer)
    async def post(self) -> None:
        """End the login that the caller came by, with all its tokens."""
        self.send(LogoutAnswer(ended=await self.services.accounts.logout(self.caller)))


class MeHandler(BaseHandler):
    """The caller."""

    @operation(Role.VIEWER, answer=MeAnswer)
    def get(self) -> None:
        """Tell who the caller is, and what it may do."""
        caller = self.caller
        user = self.services.accounts.user_of(caller)
        self.send(MeAnswer.model_validate({
            "name": caller.name, "role": caller.role.label, "how": caller.how,
            "token": caller.token, "expires": caller.expires,
            "has_password": user is not None and bool(user.password),
        }))  # fmt: skip


class PasswordHandler(BaseHandler):
    """The caller's password."""

    @operation(Role.VIEWER, body=PasswordBody, answer=PasswordChanged, problems=(409,))
    async def put(self) -> None:
        """Set a new one; all other logins of the user end."""
        asked = self.body(PasswordBody)
        accounts = self.services.accounts
        if accounts.user_of(self.caller) is None:
            raise ApiError(409, "no_user", "Only users have a password; the caller is none.")
        self.gate.limiter.login(self.caller.name, self.arrival.address)
        try:
            await accounts.set_password(
                self.caller, asked.current_password or "", asked.new_password
            )
        except LoginRefusedError as error:
            raise ApiError(
                403, "wrong_password", "The current password is not right.", "current_password"
            ) from error
        except ValueError as error:
            raise invalid("new_password", str(error)) from error
        except BusyError as error:
            raise busy() from error
        self.send(PasswordChanged())


class TicketHandler(BaseHandler):
    """Tickets for the stream, where a program can set no header: a browser's."""

    @operation(Role.VIEWER, answer=TicketAnswer)
    def post(self) -> None:
        """Give a ticket that opens one WebSocket as this caller within 30 s."""
        ticket = self.services.accounts.ticket(self.caller)
        self.send(TicketAnswer(
            ticket=ticket, protocol=TICKET + ticket, expires_in=TICKET_MS // 1_000
        ))  # fmt: skip


routes = [
    ("/api/auth/login", LoginHandler),
    ("/api/auth/refresh", RefreshHandler),
    ("/api/auth/logout", LogoutHandler),
    ("/api/auth/me", MeHandler),
    ("/api/auth/password", PasswordHandler),
    ("/api/auth/ticket", TicketHandler),
]

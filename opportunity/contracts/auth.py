"""Wire models of logins, users and API keys. No message about them shows what was sent."""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from opportunity.contracts.base import Answer, Body, Query

MOST_SECRET: Final = 2_048

RoleName = Literal["viewer", "trader", "admin"]


def _quiet(value: Any) -> Any:
    # Errors of pydantic show what they refuse; ", was" keeps the rest of the server from it, too.
    if not isinstance(value, str) or not 1 <= len(value) <= MOST_SECRET:
        raise ValueError(f"must be a text of 1 to {MOST_SECRET} characters, was none")
    return value


Secret = Annotated[
    str,
    Field(min_length=1, max_length=MOST_SECRET, json_schema_extra={"format": "password"}),
    BeforeValidator(_quiet),
]
"""A text that is shown to nobody: its fields have `repr=False`."""

NEW: Final[dict[str, Any]] = {"minLength": 12, "maxLength": 256, "format": "password"}
"""Of a password to be, as documents tell it."""

UserName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]{0,47}$")]
"""Kept in lower case."""

KeyName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._@+-]{0,47}$")]


class LoginBody(Body):
    """Who wants to log in."""

    username: Secret = Field(repr=False)
    password: Secret = Field(repr=False)


class RefreshBody(Body):
    """The refresh token of the last login or renewal; it is used up by this."""

    refresh_token: Secret = Field(repr=False)


class TokensAnswer(Answer):
    """Tokens of a login."""

    access_token: str = Field(repr=False, description="JWT, for the header Authorization: Bearer")
    token_type: Literal["bearer"] = "bearer"
    expires_in: int = Field(ge=0, description="seconds that the access token lives")
    refresh_token: str = Field(repr=False, description="gives new tokens once")
    role: RoleName


class LogoutAnswer(Answer):
    """The login has ended."""

    status: Literal["success"] = "success"
    ended: bool = Field(description="false for an API key and without login: nothing to end")


class MeAnswer(Answer):
    """Who the caller is."""

    name: str = Field(description="user; `key:NAME` for an API key, `api` without login")
    role: RoleName
    how: Literal["loopback", "bearer", "cookie", "ticket"]
    token: str = Field(description="id of the login or API key, no secret; empty without")
    expires: int | None = Field(description="when it ends, ms UTC; null for never")
    has_password: bool = Field(description="whether this user can log in by password")


class PasswordBody(Body):
    """A new password for who is logged in."""

    current_password: Secret | None = Field(
        None, repr=False, description="may only be left out where none is set"
    )
    new_password: Secret = Field(
        repr=False, description="12 to 256 characters, not the user's name",
        json_schema_extra=NEW,
    )


class PasswordChanged(Answer):
    """The password is another one; all other logins of the user have ended."""

    status: Literal["success"] = "success"


class TicketAnswer(Answer):
    """A ticket that opens one WebSocket."""

    ticket: str = Field(repr=False)
    protocol: str = Field(repr=False, description="subprotocol to offer in the handshake")
    expires_in: int = Field(description="seconds")


class UserItem(Answer):
    """A user."""

    name: str
    role: RoleName
    has_password: bool
    logins: int = Field(ge=0, description="sessions and token families that go on")
    created_at: int = Field(description="ms UTC")
    changed_at: int = Field(description="ms UTC")


class UsersAnswer(Answer):
    """All users, by name."""

    users: list[UserItem]


class UserBody(Body):
    """A new user."""

    name: UserName
    role: RoleName
    password: Secret = Field(
        repr=False, description="12 to 256 characters, not the user's name",
        json_schema_extra=NEW,
    )


class UserChange(Body):
    """What becomes of a user: another role, another password, or both."""

    role: RoleName | None = None
    password: Secret | None = Field(
        None, repr=False, description="ends all logins of the user", json_schema_extra=NEW
    )

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.role is None and self.password is None:
            raise ValueError("role or password must be given, was neither")
        return self


class UserPath(Query):
    """Whom it is about."""

    name: UserName


class UserSaved(Answer):
    """The user as it is now."""

    status: Literal["success"] = "success"
    user: UserItem


class UserDeleted(Answer):
    """The user is gone, with all its logins."""

    status: Literal["success"] = "success"
    message: str


class KeyItem(Answer):
    """An API key, without its secret."""

    id: str
    name: str
    role: RoleName
    made_by: str
    created_at: int = Field(description="ms UTC")
    expires: int | None = Field(description="ms UTC; null for never")
    last_used: int | None = Field(description="ms UTC, to the minute; null for never")


class KeysAnswer(Answer):
    """All API keys, by name."""

    tokens: list[KeyItem]


class KeyBody(Body):
    """A new API key."""

    name: KeyName
    role: RoleName
    days: Annotated[float, Field(gt=0, le=3_650)] | None = Field(
        90, description="that it lives; null for ever"
    )


class KeyPath(Query):
    """Which API key."""

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]


class KeyCreated(Answer):
    """The new API key; its token is shown this once."""

    status: Literal["success"] = "success"
    token: str = Field(repr=False)
    key: KeyItem


class KeyRevoked(Answer):
    """The API key is good for nothing any more."""

    status: Literal["success"] = "success"
    message: str

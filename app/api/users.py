"""Users: who may log in, and what they may do."""

from collections.abc import Awaitable
from typing import TypeVar

from app.api.base import BaseHandler
from app.api.login import busy
from app.api.operations import operation
from app.api.problems import ApiError, invalid
from app.auth.refusals import BusyError
from app.auth.roles import Role
from opportunity.contracts.auth import (
    UserBody,
    UserChange,
    UserDeleted,
    UserItem,
    UserPath,
    UsersAnswer,
    UserSaved,
)
from opportunity.errors import ConflictError
from opportunity.storage.accounts import Account, LastAdminError, TooManyError

Result = TypeVar("Result")


class UsersHandler(BaseHandler):
    """All users."""

    @operation(Role.ADMIN, answer=UsersAnswer)
    def get(self) -> None:
        """Return the users by name."""
        people = self.services.accounts.people
        logins = people.logins()
        self.send(UsersAnswer(users=[_item(user, logins[user.name]) for user in people.users()]))

    @operation(Role.ADMIN, body=UserBody, answer=UserSaved, status=201, problems=(409,))
    async def post(self) -> None:
        """Add a user."""
        asked, people = self.body(UserBody), self.services.accounts.people
        made = await _done(people.add(asked.name, asked.role, asked.password, self.caller.name))
        self.send(UserSaved(user=_item(made, 0)), 201)


class UserHandler(BaseHandler):
    """One user."""

    @operation(Role.ADMIN, path=UserPath, body=UserChange, answer=UserSaved, problems=(409,))
    async def put(self, name: str) -> None:
        """Give another role or password; a password ends all logins of the user."""
        name, asked = self.places(UserPath).name.lower(), self.body(UserChange)
        people = self.services.accounts.people
        changed = await _done(people.change(name, asked.role, asked.password, self.caller.name))
        self.send(UserSaved(user=_item(changed, people.logins()[name])))

    @operation(Role.ADMIN, path=UserPath, answer=UserDeleted, problems=(409,))
    async def delete(self, name: str) -> None:
        """Delete a user; all its logins end."""
        name = self.places(UserPath).name.lower()
        await _done(self.services.accounts.people.remove(name, self.caller.name))
        self.send(UserDeleted(message=f"User {name!r} deleted"))


async def _done(work: Awaitable[Result]) -> Result:
    """Wait for a change and word what is wrong with it."""
    try:
        return await work
    except KeyError as error:
        raise ApiError(404, "unknown_user", str(error.args[0]), "name") from error
    except LastAdminError as error:
        raise ApiError(409, "last_admin", "Somebody must be left with the role admin.") from error
    except TooManyError as error:
        raise ApiError(409, "too_many", str(error)) from error
    except ConflictError as error:
        raise ApiError(409, "user_exists", "There is a user of that name.", "name") from error
    except BusyError as error:
        raise busy() from error
    except ValueError as error:
        field = "password" if str(error).startswith("password") else "name"
        raise invalid(field, str(error)) from error


def _item(user: Account, logins: int) -> UserItem:
    return UserItem.model_validate({
        "name": user.name, "role": user.role, "has_password": bool(user.password),
        "logins": logins, "created_at": user.created_at,
        "changed_at": user.changed_at,
    })  # fmt: skip


routes = [
    ("/api/users", UsersHandler),
    ("/api/users/{name}", UserHandler),
]

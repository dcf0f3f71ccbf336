"""Users and roles: who may log in and what they may do; for admins."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from app.auth.users import ROLES
from app.components.asking import Asking, asking_module, asking_style
from opportunity.storage.account_rows import Account


class UsersPanel(Asking):
    """The users with their roles, a form for a new one, and what becomes of the others."""

    _esm = asking_module("users_panel")
    _stylesheets: ClassVar[list[str]] = [asking_style("users_panel")]


def users_state(
    users: Sequence[Account], logins: Mapping[str, int], me: str, now: int
) -> dict[str, Any]:
    """Return the users without their passwords; `now` is wall time, ms UTC."""
    return {
        "now": now, "roles": list(ROLES), "me": me,
        "users": [
            {
                "name": user.name, "role": user.role, "logins": logins.get(user.name, 0),
                "password": bool(user.password), "created": user.created_at,
            }
            for user in users
        ],
    }  # fmt: skip

"""Users and API keys of the System page: for admins alone, and asked again at every press."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from app.auth.pages import act
from app.auth.roles import Role
from app.auth.users import NewKey
from app.components.keys_panel import KeysPanel, keys_state
from app.components.users_panel import UsersPanel, users_state
from app.pages.head import Head
from opportunity.feeds.clock import wall_ms

if TYPE_CHECKING:
    from app.services import Services


class People:
    """Panels of users and keys, and what is done by them.

    Parameters
    ----------
    services : Services
    head : Head
        Knows who looks.
    """

    def __init__(self, services: "Services", head: Head) -> None:
        self._services, self._head = services, head
        self.keys = KeysPanel(self._asked, head.later)
        self.users = UsersPanel(self._asked, head.later)

    def draw(self) -> None:
        """Show users and keys; nothing once the role is not admin any more."""
        accounts = self._services.accounts
        who = accounts.still(self._head.who)
        if who is None or who.role < Role.ADMIN:
            self.keys.state = self.users.state = "{}"
            return
        now, people = wall_ms(), accounts.people
        self.keys.draw(keys_state(people.keys(), now))
        self.users.draw(users_state(people.users(), people.logins(), who.name, now))

    async def _asked(self, asked: Mapping[str, Any]) -> Any:
        by = act(self._services, self._head.who, Role.ADMIN)
        found = await self._do(asked, by)
        self._head.doc.add_next_tick_callback(self.draw)
        return found

    async def _do(self, asked: Mapping[str, Any], by: str) -> Any:
        people, name = self._services.accounts.people, _text(asked, "name")
        match asked.get("what"):
            case "make_key":
                days = asked.get("days")
                new = NewKey(name, _text(asked, "role"), None if days is None else float(days))
                token, key = await people.create_key(new, by)
                return {"token": token, "id": key.id}
            case "revoke_key":
                await people.revoke_key(_text(asked, "id"), by)
            case "add_user":
                await people.add(name, _text(asked, "role"), _word(asked), by)
            case "change_user":
                role = _text(asked, "role") or None
                await people.change(name.lower(), role, _word(asked), by)
            case "remove_user":
                await people.remove(name.lower(), by)
            case _:
                raise ValueError("what must be a command for users or keys")
        return True


def _text(asked: Mapping[str, Any], name: str) -> str:
    value = asked.get(name, "")
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a text")
    return value.strip()


def _word(asked: Mapping[str, Any]) -> str | None:
    """Return the password, as it was typed; None for none."""
    value = asked.get("password")
    if value is not None and not isinstance(value, str):
        raise TypeError("password must be a text")
    return value or None

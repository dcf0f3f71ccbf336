"""API keys: tokens for programs, which live until they expire or are revoked."""

from app.api.base import BaseHandler
from app.api.operations import operation
from app.api.problems import ApiError
from app.auth.roles import Role
from app.auth.users import NewKey
from opportunity.contracts.auth import (
    KeyBody,
    KeyCreated,
    KeyItem,
    KeyPath,
    KeyRevoked,
    KeysAnswer,
)
from opportunity.storage.accounts import Key, TooManyError


class TokensHandler(BaseHandler):
    """All API keys."""

    @operation(Role.ADMIN, answer=KeysAnswer)
    def get(self) -> None:
        """Return the API keys by name, without their secrets."""
        keys = self.services.accounts.people.keys()
        self.send(KeysAnswer(tokens=[_item(key) for key in keys]))

    @operation(Role.ADMIN, body=KeyBody, answer=KeyCreated, status=201, problems=(409,))
    async def post(self) -> None:
        """Make an API key; its token is in this answer and nowhere else."""
        asked = self.body(KeyBody)
        new = NewKey(asked.name, asked.role, asked.days)
        try:
            made = await self.services.accounts.people.create_key(new, self.caller.name)
        except TooManyError as error:
            raise ApiError(409, "too_many", str(error)) from error
        self.send(KeyCreated(token=made[0], key=_item(made[1])), 201)


class TokenHandler(BaseHandler):
    """One API key."""

    @operation(Role.ADMIN, path=KeyPath, answer=KeyRevoked)
    async def delete(self, id: str) -> None:
        """Revoke it: it is good for nothing from now on."""
        id = self.places(KeyPath).id
        try:
            await self.services.accounts.people.revoke_key(id, self.caller.name)
        except KeyError as error:
            raise ApiError(404, "unknown_token", f"There is no token {id}.", "id") from error
        self.send(KeyRevoked(message=f"Token {id} revoked"))


def _item(key: Key) -> KeyItem:
    return KeyItem.model_validate({
        "id": key.id, "name": key.name, "role": key.role, "made_by": key.made_by,
        "created_at": key.created_at, "expires": key.expires, "last_used": key.last_used,
    })  # fmt: skip


routes = [
    ("/api/tokens", TokensHandler),
    ("/api/tokens/{id}", TokenHandler),
]

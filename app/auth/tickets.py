"""What works once: tickets for a WebSocket's handshake, and the link of the very first start."""

import hmac
import secrets
from typing import Final

from app.auth.roles import Caller

TICKET_MS: Final = 30_000
LINK_MS: Final = 15 * 60_000
MOST: Final = 10_000
"""Tickets that may wait at once; with one more the oldest is gone."""


class Tickets:
    """Tickets of 30 s that stand for a caller once."""

    def __init__(self) -> None:
        self._waiting: dict[str, tuple[Caller, int]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def give(self, caller: Caller, now: int) -> str:
        """Return a ticket for a caller; `now` is wall time in ms UTC."""
        for old, (_, ends) in list(self._waiting.items()):  # they end in the order of their making
            if ends > now and len(self._waiting) < MOST:
                break
            del self._waiting[old]
        ticket = secrets.token_urlsafe(24)
        self._waiting[ticket] = (caller, now + TICKET_MS)
        return ticket

    def take(self, ticket: str, now: int) -> Caller | None:
        """Return whose ticket it is, and forget it; None if it is not good now."""
        caller, ends = self._waiting.pop(ticket, (None, 0))
        return caller if ends > now else None


class FirstLink:
    """A token that is good for 15 minutes until it is used; a new one replaces it."""

    def __init__(self) -> None:
        self._token, self._ends = "", 0

    def make(self, now: int) -> str:
        """Return a new token; `now` is wall time in ms UTC."""
        self._token, self._ends = secrets.token_urlsafe(32), now + LINK_MS
        return self._token

    def holds(self, token: str, now: int) -> bool:
        """Tell whether it is the token, and good now."""
        right = bool(self._token) and hmac.compare_digest(token.encode(), self._token.encode())
        return right and self._ends > now

    def end(self) -> None:
        """Use it up: it never is good again."""
        self._token = ""

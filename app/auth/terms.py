"""How long logins last, and what one gives."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from opportunity.config import Settings
from opportunity.market.wall import wall_ms
from opportunity.storage.accounts import Account

IDLE_MS: Final = 30 * 60_000


@dataclass(frozen=True, slots=True)
class Terms:
    """How long things last, in ms, and by which clock (wall time, ms UTC)."""

    access_ms: int = 15 * 60_000
    refresh_ms: int = 30 * 86_400_000
    session_ms: int = 12 * 3_600_000
    idle_ms: int = IDLE_MS
    clock: Callable[[], int] = wall_ms

    @classmethod
    def of(cls, settings: Settings) -> "Terms":
        """Return what the settings say."""
        return cls(
            settings.access_minutes * 60_000, settings.refresh_days * 86_400_000,
            round(settings.session_hours * 3_600_000),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Granted:
    """What a login gives: two tokens, seconds that the first one lives, and the user."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires_in: int
    user: Account

"""Accounts for tests: in a database in memory, with a hash that costs nothing, by a given clock."""

from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa
from argon2 import PasswordHasher

from app.auth.accounts import Accounts, Terms
from app.auth.passwords import Passwords
from app.auth.tokens import Keyring
from opportunity.storage.accounts import AccountRepository
from opportunity.storage.engines import make_engine, parse_url
from opportunity.storage.trading_tables import METADATA

START = 1_800_000_000_000  # 2027-01-15 08:00 UTC
PASSWORD = "a quiet harbour at dawn"
TABLES = ("account", "api_key", "login", "event", "stream_epoch", "stream_head")


class Watch:
    """A wall clock that is set by hand, ms UTC."""

    def __init__(self, now: int = START) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


def cheap() -> Passwords:
    """Passwords by argon2id at its least."""
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


def engine_at(folder: Path) -> sa.Engine:
    """A database with the tables of accounts and nothing else."""
    engine = make_engine(parse_url(f"sqlite:///{folder / 'accounts.sqlite'}"))
    METADATA.create_all(engine, [METADATA.tables[name] for name in TABLES])
    return engine


def accounts_at(
    folder: Path, clock: Callable[[], int] | None = None, **terms: int
) -> Accounts:
    """Accounts with a database and signing keys in a folder."""
    clock = clock or Watch()
    store = AccountRepository(engine_at(folder), clock)
    return Accounts(store, Keyring(folder), cheap(), Terms(clock=clock, **terms))

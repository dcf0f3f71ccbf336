"""Tables of who may come in: accounts, API keys, logins; Alembic revisions build them.

No secret is in them: a password as argon2 hash, of every token the SHA-256 of a random secret.
Times are wall time in milliseconds UTC.
"""

from typing import Final

import sqlalchemy as sa

from opportunity.storage.tables import METADATA as METADATA

NAME: Final = sa.String(64)
ROLE: Final = sa.String(8)
TOKEN: Final = sa.String(32)
DIGEST: Final = sa.String(64)

account = sa.Table(
    "account",
    METADATA,
    sa.Column("name", NAME, primary_key=True),
    sa.Column("role", ROLE, nullable=False),
    sa.Column("password", sa.String(200), nullable=False),  # '' for none: no login by password
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
)

api_key = sa.Table(
    "api_key",
    METADATA,
    sa.Column("id", TOKEN, primary_key=True),
    sa.Column("digest", DIGEST, nullable=False),
    sa.Column("name", NAME, nullable=False),
    sa.Column("role", ROLE, nullable=False),
    sa.Column("made_by", NAME, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("expires", sa.BigInteger),  # null: never
    sa.Column("last_used", sa.BigInteger),  # null: never; to the minute
)

login = sa.Table(
    "login",
    METADATA,
    sa.Column("id", TOKEN, primary_key=True),
    sa.Column("kind", sa.String(8), nullable=False),  # see `storage.accounts.LoginKind`
    sa.Column("account", NAME, sa.ForeignKey("account.name", ondelete="CASCADE"), nullable=False),
    sa.Column("digest", DIGEST, nullable=False),  # of the secret that is good now
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("used", sa.BigInteger, nullable=False),  # to the minute
    sa.Column("expires", sa.BigInteger, nullable=False),
    sa.Index("ix_login_account", "account"),
)
"""A login that goes on: a session of the page, or a family of refresh tokens."""

ENDED: Final = ("DELETE FROM login",)
"""What ends all logins of a restored copy: some have ended since, some tokens were used up."""

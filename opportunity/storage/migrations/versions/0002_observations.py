"""Point-in-time records."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table and the index that reads it by availability."""
    op.create_table(
        "observation",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("market", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("symbol", sa.String(64), nullable=False),
        sa.Column("source", sa.String(128), nullable=False),
        sa.Column("event_time", sa.BigInteger, nullable=False),
        sa.Column("available_at", sa.BigInteger, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_observation"),
    )
    op.create_index(
        "ix_observation_market_kind_available_at", "observation",
        ["market", "kind", "available_at"],
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("observation")

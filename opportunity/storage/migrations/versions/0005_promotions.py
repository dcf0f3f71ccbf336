"""Which weights were promoted, by whom, why, and what the guards said."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "promotion",
        sa.Column("id", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("promoted_at", sa.BigInteger, nullable=False),
        sa.Column("target", sa.String(64), nullable=False),
        sa.Column("weights", sa.JSON, nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
        sa.Column("why", sa.String(500), nullable=False),
        sa.Column("forced", sa.Boolean, nullable=False),
        sa.Column("dataset", sa.String(64), nullable=False),
        sa.Column("guards", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_promotion"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("promotion")

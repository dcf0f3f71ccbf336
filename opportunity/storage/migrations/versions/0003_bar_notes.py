"""What happened to single bars."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table and the indexes that read it newest first."""
    op.create_table(
        "bar_note",
        sa.Column("id", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("market", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("symbol", sa.String(64), nullable=False),
        sa.Column("timeframe", sa.String(8), nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("noted_at", sa.BigInteger, nullable=False),
        sa.Column("change_bp", sa.Float, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("text", sa.String(500), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_bar_note"),
    )
    for columns in (["noted_at"], ["kind", "noted_at"], ["symbol", "noted_at"]):
        name = "_".join(["ix_bar_note_market", *columns])
        op.create_index(name, "bar_note", ["market", *columns])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("bar_note")

"""Settings, versions of the weights, presets."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the first three tables."""
    op.create_table(
        "setting",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("value", sa.JSON, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_setting"),
    )
    op.create_table(
        "weights_version",
        sa.Column("version", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("weights", sa.JSON, nullable=False),
        sa.Column("set_by", sa.String(64), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_weights_version"),
    )
    op.create_table(
        "preset",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("weights", sa.JSON, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_preset"),
    )


def downgrade() -> None:
    """Drop them."""
    for name in ("preset", "weights_version", "setting"):
        op.drop_table(name)

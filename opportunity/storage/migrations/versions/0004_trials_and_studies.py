"""What was judged on which data, and the logs of studies."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "judged",
        sa.Column("id", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("dataset", sa.String(64), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("judged_at", sa.BigInteger, nullable=False),
        sa.Column("n", sa.BigInteger, nullable=False),
        sa.Column("bars", sa.BigInteger, nullable=False),
        sa.Column("valued", sa.BigInteger, nullable=False),
        sa.Column("best", sa.Float, nullable=False),
        sa.Column("mean", sa.Float, nullable=False),
        sa.Column("squares", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_judged"),
        sa.UniqueConstraint("dataset", "key", name="uq_judged_dataset"),
    )
    op.create_table(
        "study_log",
        sa.Column("id", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("study", sa.String(128), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("written_at", sa.BigInteger, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_study_log"),
        sa.UniqueConstraint("study", "number", name="uq_study_log_study"),
    )


def downgrade() -> None:
    """Drop both."""
    op.drop_table("study_log")
    op.drop_table("judged")

"""Who may come in, and numbers of what the stream carries."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the tables; events that are there already were never numbered."""
    op.create_table(
        "account",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("role", sa.String(8), nullable=False),
        sa.Column("password", sa.String(200), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_account"),
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("role", sa.String(8), nullable=False),
        sa.Column("made_by", sa.String(64), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger),
        sa.Column("last_used", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_api_key"),
    )
    op.create_table(
        "login",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("used", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_login"),
        sa.ForeignKeyConstraint(
            ["account"], ["account.name"], name="fk_login_account_account", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_login_account", "login", ["account"])
    op.create_table(
        "stream_epoch",
        sa.Column("name", sa.String(16), nullable=False),
        sa.Column("epoch", sa.String(32), nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_stream_epoch"),
    )
    op.create_table(
        "stream_head",
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("channel", name="pk_stream_head"),
    )
    op.add_column("event", sa.Column("channel", sa.String(16)))
    op.add_column("event", sa.Column("stream_seq", sa.BigInteger))
    op.create_index("ix_event_channel_stream_seq", "event", ["channel", "stream_seq"], unique=True)


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_event_channel_stream_seq", "event")
    op.drop_column("event", "stream_seq")
    op.drop_column("event", "channel")
    for name in ("stream_head", "stream_epoch", "login", "api_key", "account"):
        op.drop_table(name)

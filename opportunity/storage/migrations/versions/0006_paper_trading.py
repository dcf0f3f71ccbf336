"""Paper trading: books, decisions with outcomes, events, the lease, alerts, watchlists, shadows."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "book",
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("market", sa.String(64), nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("cash", sa.Float, nullable=False),
        sa.Column("begun", sa.BigInteger, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("account", sa.JSON, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", "market", name="pk_book"),
    )
    op.create_table(
        "position",
        sa.Column("book", sa.String(80), nullable=False),
        sa.Column("epoch", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("symbol", sa.String(64), nullable=False),
        sa.Column("side", sa.Integer, nullable=False),
        sa.Column("quantity", sa.Float, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("book", "epoch", "symbol", name="pk_position"),
    )
    op.create_table(
        "paper_order",
        sa.Column("book", sa.String(80), nullable=False),
        sa.Column("epoch", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("symbol", sa.String(64), nullable=False),
        sa.Column("side", sa.Integer, nullable=False),
        sa.Column("reason", sa.String(16), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("limit_price", sa.Float),
        sa.Column("distance", sa.Float),
        sa.Column("score", sa.Float),
        sa.Column("confidence", sa.Float),
        sa.Column("size_by", sa.String(16), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("book", "epoch", "number", name="pk_paper_order"),
    )
    op.create_table(
        "fill",
        sa.Column("book", sa.String(80), nullable=False),
        sa.Column("epoch", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("symbol", sa.String(64), nullable=False),
        sa.Column("side", sa.Integer, nullable=False),
        sa.Column("reason", sa.String(16), nullable=False),
        sa.Column("quantity", sa.Float, nullable=False),
        sa.Column("reference", sa.Float, nullable=False),
        sa.Column("price", sa.Float, nullable=False),
        sa.Column("fee", sa.Float, nullable=False),
        sa.Column("slippage", sa.Float, nullable=False),
        sa.Column("trade", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("book", "epoch", "number", name="pk_fill"),
    )
    op.create_table(
        "trade",
        sa.Column("book", sa.String(80), nullable=False),
        sa.Column("epoch", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("entry_number", sa.BigInteger, nullable=False),
        sa.Column("symbol", sa.String(64), nullable=False),
        sa.Column("side", sa.Integer, nullable=False),
        sa.Column("opened", sa.BigInteger, nullable=False),
        sa.Column("closed", sa.BigInteger, nullable=False),
        sa.Column("entry", sa.Float, nullable=False),
        sa.Column("exit", sa.Float, nullable=False),
        sa.Column("quantity", sa.Float, nullable=False),
        sa.Column("pnl", sa.Float, nullable=False),
        sa.Column("fees", sa.Float, nullable=False),
        sa.Column("slippage", sa.Float, nullable=False),
        sa.Column("funding", sa.Float, nullable=False),
        sa.Column("r", sa.Float),
        sa.Column("mae", sa.Float),
        sa.Column("mfe", sa.Float),
        sa.Column("bars", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.String(16), nullable=False),
        sa.Column("n_fills", sa.BigInteger, nullable=False),
        sa.Column("score", sa.Float),
        sa.Column("confidence", sa.Float),
        sa.PrimaryKeyConstraint("book", "epoch", "number", name="pk_trade"),
    )
    op.create_index("ix_trade_book_closed", "trade", ["book", "closed"])
    op.create_table(
        "equity_mark",
        sa.Column("book", sa.String(80), nullable=False),
        sa.Column("epoch", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("time", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("equity", sa.Float, nullable=False),
        sa.Column("cash", sa.Float, nullable=False),
        sa.Column("gross", sa.Float, nullable=False),
        sa.Column("drawdown", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("book", "epoch", "time", name="pk_equity_mark"),
    )
    op.create_table(
        "candidate",
        sa.Column("id", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("book", sa.String(80), nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("market", sa.String(64), nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("symbol", sa.String(64), nullable=False),
        sa.Column("timeframe", sa.String(8), nullable=False),
        sa.Column("side", sa.Integer, nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("stopped_by", sa.JSON, nullable=False),
        sa.Column("score", sa.Float, nullable=False),
        sa.Column("net", sa.Float, nullable=False),
        sa.Column("confidence", sa.Float, nullable=False),
        sa.Column("consensus", sa.Float, nullable=False),
        sa.Column("disagreement", sa.Float, nullable=False),
        sa.Column("trust", sa.Float, nullable=False),
        sa.Column("success", sa.Float),
        sa.Column("risk_level", sa.String(8), nullable=False),
        sa.Column("contributions", sa.JSON, nullable=False),
        sa.Column("price", sa.Float, nullable=False),
        sa.Column("atr", sa.Float),
        sa.Column("order_number", sa.BigInteger),
        sa.Column("config", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_candidate"),
        sa.UniqueConstraint("book", "epoch", "time", "symbol", name="uq_candidate_book"),
    )
    op.create_index("ix_candidate_market_time", "candidate", ["market", "time"])
    op.create_index("ix_candidate_symbol_time", "candidate", ["symbol", "time"])
    op.create_table(
        "outcome",
        sa.Column("candidate", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("horizon", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("known", sa.BigInteger, nullable=False),
        sa.Column("barrier", sa.String(8), nullable=False),
        sa.Column("right", sa.Integer, nullable=False),
        sa.Column("move", sa.Float, nullable=False),
        sa.Column("move_atr", sa.Float, nullable=False),
        sa.Column("best", sa.Float, nullable=False),
        sa.Column("worst", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("candidate", "horizon", name="pk_outcome"),
        sa.ForeignKeyConstraint(
            ["candidate"], ["candidate.id"], name="fk_outcome_candidate_candidate",
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "event",
        sa.Column("id", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("key", sa.String(160), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_event"),
        sa.UniqueConstraint("key", name="uq_event_key"),
    )
    op.create_index("ix_event_kind_id", "event", ["kind", "id"])
    op.create_table(
        "lease",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("holder", sa.String(160), nullable=False),
        sa.Column("fence", sa.Integer, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_lease"),
    )
    op.create_table(
        "idempotent",
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("answer", sa.JSON, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_idempotent"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("key", sa.String(160), nullable=False),
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("body", sa.String(4000), nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("next_at", sa.BigInteger, nullable=False),
        sa.Column("sent_at", sa.BigInteger),
        sa.Column("error", sa.String(300), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("key", name="uq_outbox_key"),
    )
    op.create_index("ix_outbox_status_next_at", "outbox", ["status", "next_at"])
    op.create_table(
        "price_alert",
        sa.Column("id", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("market", sa.String(64), nullable=False),
        sa.Column("symbol", sa.String(64), nullable=False),
        sa.Column("rule", sa.String(8), nullable=False),
        sa.Column("price", sa.Float, nullable=False),
        sa.Column("note", sa.String(200), nullable=False),
        sa.Column("again", sa.Boolean, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("fired_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_price_alert"),
    )
    op.create_table(
        "watchlist",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("symbols", sa.JSON, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_watchlist"),
    )
    op.create_table(
        "shadow",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("weights", sa.JSON, nullable=False),
        sa.Column("note", sa.String(200), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("stopped_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("name", name="pk_shadow"),
    )


def downgrade() -> None:
    """Drop them."""
    for name in (
        "shadow", "watchlist", "price_alert", "outbox", "idempotent", "lease", "event", "outcome",
        "candidate", "equity_mark", "trade", "fill", "paper_order", "position", "book",
    ):  # fmt: skip
        op.drop_table(name)

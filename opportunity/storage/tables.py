"""Tables of the database; Alembic revisions in `migrations` build them."""

from typing import Final

import sqlalchemy as sa

METADATA: Final = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    }
)

setting = sa.Table(
    "setting",
    METADATA,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("value", sa.JSON, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),  # ms UTC
)

weights_version = sa.Table(
    "weights_version",
    METADATA,
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("weights", sa.JSON, nullable=False),
    sa.Column("set_by", sa.String(64), nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),  # ms UTC
)

preset = sa.Table(
    "preset",
    METADATA,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("weights", sa.JSON, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),  # ms UTC
)

observation = sa.Table(
    "observation",
    METADATA,
    sa.Column("key", sa.String(64), primary_key=True),  # SHA-256 of what it says
    sa.Column("market", sa.String(64), nullable=False),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("symbol", sa.String(64), nullable=False),
    sa.Column("source", sa.String(128), nullable=False),
    sa.Column("event_time", sa.BigInteger, nullable=False),  # ms UTC
    sa.Column("available_at", sa.BigInteger, nullable=False),  # ms UTC
    sa.Column("body", sa.JSON, nullable=False),
    sa.Index("ix_observation_market_kind_available_at", "market", "kind", "available_at"),
)

bar_note = sa.Table(
    "bar_note",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("market", sa.String(64), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("symbol", sa.String(64), nullable=False),
    sa.Column("timeframe", sa.String(8), nullable=False),
    sa.Column("time", sa.BigInteger, nullable=False),  # opening time of the bar, ms UTC
    sa.Column("noted_at", sa.BigInteger, nullable=False),  # ms UTC
    sa.Column("change_bp", sa.Float, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("body", sa.JSON, nullable=False),  # the bar before and after
    sa.Column("text", sa.String(500), nullable=False),
    sa.Index("ix_bar_note_market_noted_at", "market", "noted_at"),
    sa.Index("ix_bar_note_market_kind_noted_at", "market", "kind", "noted_at"),
    sa.Index("ix_bar_note_market_symbol_noted_at", "market", "symbol", "noted_at"),
)

judged = sa.Table(
    "judged",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("dataset", sa.String(64), nullable=False),
    sa.Column("key", sa.String(64), nullable=False),  # SHA-256 of vectors and terms
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("judged_at", sa.BigInteger, nullable=False),  # ms UTC
    sa.Column("n", sa.BigInteger, nullable=False),
    sa.Column("bars", sa.BigInteger, nullable=False),
    sa.Column("valued", sa.BigInteger, nullable=False),
    sa.Column("best", sa.Float, nullable=False),  # 0, as the next two, where none has a value
    sa.Column("mean", sa.Float, nullable=False),
    sa.Column("squares", sa.Float, nullable=False),
    sa.UniqueConstraint("dataset", "key"),
)

study_log = sa.Table(
    "study_log",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("study", sa.String(128), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("written_at", sa.BigInteger, nullable=False),  # ms UTC
    sa.Column("body", sa.JSON, nullable=False),  # one entry of the optimiser's journal
    sa.UniqueConstraint("study", "number"),
)

promotion = sa.Table(
    "promotion",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("promoted_at", sa.BigInteger, nullable=False),  # ms UTC
    sa.Column("target", sa.String(64), nullable=False),  # live, or a preset
    sa.Column("weights", sa.JSON, nullable=False),
    sa.Column("by", sa.String(64), nullable=False),
    sa.Column("why", sa.String(500), nullable=False),
    sa.Column("forced", sa.Boolean, nullable=False),
    sa.Column("dataset", sa.String(64), nullable=False),  # SHA-256 of the data judged on
    sa.Column("guards", sa.JSON, nullable=False),
)

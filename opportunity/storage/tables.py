"""Tables of the database; Alembic revisions in `migrations` build them."""

from typing import Final

import sqlalchemy as sa

METADATA: Final = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
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

"""Alembic environment: migrate the engine that the program opened, in one transaction."""

from alembic import context
from sqlalchemy import Connection

from opportunity.storage import trading_tables
from opportunity.storage.migrating import exclusive


def run(connection: Connection) -> None:
    """Run what was asked for on a connection whose transaction has begun."""
    context.configure(
        connection=connection,
        target_metadata=trading_tables.METADATA,
        render_as_batch=True,  # SQLite cannot alter a table in place
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with exclusive(context.config.attributes["engine"]) as opened:
        run(opened)

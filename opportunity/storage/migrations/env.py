"""Alembic environment: migrate the engine that the program opened."""

from alembic import context

from opportunity.storage.tables import METADATA

engine = context.config.attributes["engine"]
with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        render_as_batch=True,  # SQLite cannot alter a table in place
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()

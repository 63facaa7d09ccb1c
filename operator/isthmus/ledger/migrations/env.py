"""How Alembic runs the migrations: in the connection and the transaction that it is given."""

from alembic import context

from isthmus.ledger.schema import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSION_TABLE,
    # SQLite's schema changes are transactional; a migration that is cut off leaves nothing behind.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()

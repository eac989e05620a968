"""Alembic's entry: migrates the connection that ``stocklab.db.migrate`` hands over."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from stocklab.db.models import Base


def run() -> None:
    """Run the migrations on the given connection, each in its own transaction, also for SQLite's DDL."""
    connection = context.config.attributes.get("connection")
    if not isinstance(connection, Connection):
        raise TypeError("Migrations need a connection. Hint: call stocklab.db.upgrade(database).")
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        transaction_per_migration=True,
        transactional_ddl=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


if hasattr(context, "config"):  # false when a tool merely imports this file
    run()

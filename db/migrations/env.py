"""Alembic's entry: runs the migrations on the connection that `db.migrate` hands over."""

from alembic import context
from sqlmodel import SQLModel

import db.tables  # noqa: F401  declares the tables in SQLModel.metadata
from db.migrations.include import include

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    include_name=include,
    compare_server_default=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()

"""The history of the tables: Alembic migrations, applied by `optledger migrate` and at start."""

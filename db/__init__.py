"""The store: PostgreSQL tables, migrations, all SQL, keys at rest, the embedded server."""

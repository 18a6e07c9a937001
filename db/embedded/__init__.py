"""The PostgreSQL we start ourselves when nobody gave us one: one machine, no port, no setup."""

from db.embedded.errors import EmbeddedPostgresError
from db.embedded.home import effective_data_dir, is_made
from db.embedded.server import ConnectArgs, EmbeddedPostgres, attach

__all__ = [
    "ConnectArgs",
    "EmbeddedPostgres",
    "EmbeddedPostgresError",
    "attach",
    "effective_data_dir",
    "is_made",
]

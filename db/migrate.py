"""Bring the tables up to date: Alembic over asyncpg, only when there is something to do."""

import asyncio
import importlib
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from db.database import UNREACHABLE, DatabaseError, why
from db.statements import Connection

HEAD = "0003"
_FOLDER = Path(__file__).parent / "migrations"
# Held while migrating, so that two starting machines don't do it at once.
_LOCK = 0x6F70746C


@dataclass(frozen=True, slots=True)
class Migrated:
    """From which revision to which; the same when there was nothing to do."""

    before: str | None
    after: str


async def revision_of(conn: Connection) -> str | None:
    """Return the revision the tables stand at, or None where there are none."""
    if await conn.fetchval("select to_regclass('alembic_version')") is None:
        return None
    revision: str | None = await conn.fetchval("select version_num from alembic_version")
    return revision


async def migrate(dsn: str) -> Migrated:
    """Apply what is missing; raises MigrationError with what to do, and then nothing is changed.

    Raises DatabaseError where the server can't be reached.
    """
    try:
        conn = await asyncpg.connect(dsn, statement_cache_size=0)
    except (*UNREACHABLE, ValueError) as exc:
        raise DatabaseError(why(exc)) from exc
    try:
        async with conn.transaction():  # a lock of a transaction works through a pooler too
            await conn.execute("select pg_advisory_xact_lock($1)", _LOCK)
            before = await revision_of(conn)
            if before != HEAD:
                _refuse_unknown(before)
                await _upgrade_or_say_why(dsn)
            return Migrated(before, HEAD)
    finally:
        await conn.close()


class MigrationError(Exception):
    """The tables could not be brought up to date."""


def _refuse_unknown(before: str | None) -> None:
    known = {path.name[:4] for path in _FOLDER.glob("versions/[0-9]*.py")}
    if before is not None and before not in known:
        raise MigrationError(
            f"the database is at revision {before}, which this release does not know: it was "
            f"migrated by a newer one. Start that release, or restore the backup from before it"
        )


async def _upgrade_or_say_why(dsn: str) -> None:
    try:
        await asyncio.to_thread(_upgrade, dsn)
    except Exception as exc:
        raise MigrationError(_said(exc)) from exc


def _upgrade(dsn: str) -> None:
    # Alembic and SQLAlchemy take half a second to load, and most starts need neither.
    command = importlib.import_module("alembic.command")
    config = importlib.import_module("alembic.config").Config()
    engines = importlib.import_module("sqlalchemy.ext.asyncio")
    pools = importlib.import_module("sqlalchemy.pool")
    config.set_main_option("script_location", str(_FOLDER))

    async def run() -> None:
        async def connect() -> asyncpg.Connection:
            return await asyncpg.connect(dsn, statement_cache_size=0)

        engine = engines.create_async_engine(
            "postgresql+asyncpg://", async_creator=connect, poolclass=pools.NullPool
        )
        async with engine.connect() as conn:
            await conn.run_sync(upgrade)
            await conn.commit()
        await engine.dispose()

    def upgrade(connection: object) -> None:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    asyncio.run(run())


def _said(exc: Exception) -> str:
    """Return what PostgreSQL said, with its hint, without the statement SQLAlchemy adds."""
    cause: BaseException | None = getattr(exc, "orig", None)
    cause = getattr(cause, "__cause__", None) or cause or exc
    hint = getattr(cause, "hint", None)
    said = str(cause).splitlines()[0] if str(cause) else type(cause).__name__
    return f"{said}. {hint}" if hint else said

"""The way to PostgreSQL: connections for writers, short sessions for everything else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg

from db.statements import Connection

# asyncpg speaks to older servers too, but nothing here was ever tried on one.
OLDEST, NEWEST = 15, 18
_CONNECT_SECONDS = 5.0
_COMMAND_SECONDS = 30.0

STEP_DOWN = """
select rolsuper or exists (
    select from pg_class where relname = 'audit_entry' and pg_has_role(relowner, 'member')
) from pg_roles where rolname = current_user
"""


# What connecting can raise; TimeoutError is an OSError.
UNREACHABLE = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)


class DatabaseError(Exception):
    """The database can't be used; the message says what to do and holds no password."""


@dataclass(slots=True)
class Database:
    """A PostgreSQL that was looked at once.

    `pooled`: a pooler such as PgBouncer stands between, so prepared statements can't be kept.
    `step_down`: our login may change the audit table (it owns it, or is a superuser), so that each
    transaction begins by taking the role that may not.
    """

    dsn: str = field(repr=False)
    version: int
    pooled: bool
    step_down: bool
    _pool: "asyncpg.Pool[asyncpg.Record] | None" = None

    @classmethod
    async def open(cls, dsn: str) -> "Database":
        """Look at the server behind the address; raise DatabaseError if it is none we can use."""
        conn = await _connect(dsn, cache=0)
        try:
            version = conn.get_server_version().major
            if not OLDEST <= version <= NEWEST:
                raise DatabaseError(
                    f"the server is PostgreSQL {version}; optledger runs on {OLDEST} to {NEWEST}"
                )
            # A pooler makes up the process id it tells at connecting; the server knows its own.
            pid = await conn.fetchval("select pg_backend_pid()")
            step_down = bool(await conn.fetchval(STEP_DOWN))
            return cls(dsn, version, pid != conn.get_server_pid(), step_down)
        finally:
            await conn.close()

    async def connect(self) -> Connection:
        """Return a new connection, for a writer to keep; raises DatabaseError."""
        return await _connect(self.dsn, cache=0 if self.pooled else 100)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Connection]:
        """Run a short transaction on a connection of a small pool; raises DatabaseError."""
        if self._pool is None:
            self._pool = await asyncpg.create_pool(
                self.dsn,
                min_size=0,
                max_size=4,
                statement_cache_size=0 if self.pooled else 100,
                timeout=_CONNECT_SECONDS,
                command_timeout=_COMMAND_SECONDS,
            )
        try:
            conn = await self._pool.acquire()
        except UNREACHABLE as exc:
            raise DatabaseError(why(exc)) from exc
        try:
            async with transaction(conn, self.step_down):
                yield conn
        finally:
            await self._pool.release(conn)

    async def close(self) -> None:
        """Close the pool."""
        if self._pool is not None:
            await self._pool.close()
            self._pool = None


async def _connect(dsn: str, *, cache: int) -> Connection:
    try:
        return await asyncpg.connect(
            dsn,
            statement_cache_size=cache,
            timeout=_CONNECT_SECONDS,
            command_timeout=_COMMAND_SECONDS,
        )
    except (*UNREACHABLE, ValueError) as exc:
        raise DatabaseError(why(exc)) from exc


def why(exc: BaseException) -> str:
    """Say in one line, without the address's password, why the database could not be used."""
    if isinstance(
        exc, asyncpg.InvalidPasswordError | asyncpg.InvalidAuthorizationSpecificationError
    ):
        return "the server refuses the user or password of OPTLEDGER_DATABASE_URL"
    if isinstance(exc, asyncpg.InvalidCatalogNameError):
        return "the server has no such database: create it, or correct OPTLEDGER_DATABASE_URL"
    if isinstance(exc, ValueError):  # asyncpg could not read it, and its message may quote it
        return "OPTLEDGER_DATABASE_URL is no address: postgresql://user:password@host:port/database"
    if isinstance(exc, TimeoutError):
        return "the server did not answer in time"
    if isinstance(exc, OSError):
        return f"can't reach the server: {exc.strerror or type(exc).__name__}"
    return f"the server said no: {type(exc).__name__}"


async def clock_of(conn: Connection) -> datetime:
    """Return what time it is for the database."""
    there: datetime = await conn.fetchval("select clock_timestamp()")
    return there


@asynccontextmanager
async def transaction(conn: Connection, step_down: bool) -> AsyncIterator[None]:
    """Run a transaction as the service's role, which may do less than the owner.

    Both commands go in one round trip, and the role lasts no longer than the transaction, so that
    it works through a pooler that hands a connection to somebody else after each one.
    """
    try:
        await conn.execute("begin; set local role optledger_service" if step_down else "begin")
        yield
    except (asyncio.CancelledError, TimeoutError):
        conn.terminate()  # the server does not answer; it would not answer a rollback either
        raise
    except BaseException:
        if not conn.is_closed():
            await conn.execute("rollback")
        raise
    await conn.execute("commit")

"""What a new embedded server needs before its first migration, and the login of the service."""

import contextlib
import os
import secrets
from pathlib import Path
from urllib.parse import quote

import asyncpg

from db.embedded import ConnectArgs

DATABASE = "optledger"
# The login of the service in the embedded server; its rights are those of optledger_service.
LOGIN = "optledger_app"


def dsn_of(args: ConnectArgs, *, user: str | None = None, password: str | None = None) -> str:
    """Return the address of our database in the embedded server; it holds the password."""
    who = quote(user or args["user"], safe="")
    word = quote(password or args["password"], safe="")
    host = quote(args["host"], safe="")
    return f"postgresql://{who}:{word}@/{DATABASE}?host={host}&port={args['port']}"


async def ensure_database(args: ConnectArgs) -> None:
    """Make our database in the embedded server, if it is missing."""
    conn = await asyncpg.connect(**args)
    try:
        if not await conn.fetchval("select true from pg_database where datname = $1", DATABASE):
            with contextlib.suppress(asyncpg.DuplicateDatabaseError):
                await conn.execute(f"create database {DATABASE}")
    finally:
        await conn.close()


def login_password(data_dir: Path) -> str:
    """Return the password of the service's login, made at the first start."""
    path = data_dir / "service-password"
    with contextlib.suppress(FileExistsError):
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(24))
    return path.read_text(encoding="ascii")


async def ensure_login(owner_dsn: str, password: str) -> None:
    """Make the service's login, a member of the role that may not change the audit table."""
    conn = await asyncpg.connect(owner_dsn)
    try:
        async with conn.transaction():
            # A password can't be a parameter of this command, so the server quotes it for us.
            command = await conn.fetchval(
                "select format(case when exists (select from pg_roles where rolname = $1) "
                "then 'alter role %I login password %L' else 'create role %I login password %L' "
                "end, $1::text, $2::text)",
                LOGIN,
                password,
            )
            await conn.execute(command)
            await conn.execute(f"grant optledger_service to {LOGIN}")
    finally:
        await conn.close()

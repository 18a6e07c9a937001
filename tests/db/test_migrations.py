"""The migrations make the tables that are declared."""

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

import db.tables  # noqa: F401
from db.migrate import HEAD, MigrationError, migrate, revision_of
from db.migrations.include import include

pytestmark = pytest.mark.anyio


async def test_they_give_what_is_declared(dsns: tuple[str, str]) -> None:
    conn = await asyncpg.connect(dsns[1])
    await conn.execute("select message_month('2026-01-15')")
    await conn.close()

    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(dsns[1])

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect)
    async with engine.connect() as sa:
        found = await sa.run_sync(
            lambda sync: compare_metadata(
                MigrationContext.configure(
                    sync, opts={"include_name": include, "compare_server_default": True}
                ),
                SQLModel.metadata,
            )
        )
    await engine.dispose()
    assert found == []


async def test_a_second_run_changes_nothing(dsns: tuple[str, str]) -> None:
    done = await migrate(dsns[1])
    assert done.before == done.after == HEAD


async def test_a_database_of_a_newer_release_is_refused(dsns: tuple[str, str]) -> None:
    conn = await asyncpg.connect(dsns[1])
    await conn.execute("update alembic_version set version_num = '9999'")
    with pytest.raises(MigrationError, match="newer"):
        await migrate(dsns[1])
    assert await revision_of(conn) == "9999"
    await conn.close()


async def test_a_login_without_rights_is_told_what_to_do(
    postgres: dict, dsns: tuple[str, str]
) -> None:
    admin = await asyncpg.connect(**postgres)
    await admin.execute("create role powerless login password 'x'")
    await admin.execute("create database powerless owner powerless")
    dsn = dsns[1].replace("optledger_owner", "powerless", 1)
    host = dsn.split("@")[1].split("?")[1]
    try:
        with pytest.raises(MigrationError) as refused:
            await migrate(f"postgresql://powerless:x@/powerless?{host}")
        assert "grant optledger_service to powerless" in str(refused.value)
    finally:
        await admin.execute("drop database powerless with (force)")
        await admin.execute("drop role powerless")
        await admin.close()

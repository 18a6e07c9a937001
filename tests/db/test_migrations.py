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


# What 0003 added, taken away again: the tables as the release before left them.
AS_OF_0002 = """
alter table app drop column brands;
drop table app_keyword;
drop index hold_open;
alter table hold drop constraint reviewed_whole, drop column outcome, drop column reviewed_by;
grant update on hold to optledger_service;
update alembic_version set version_num = '0002';
insert into hold (app_id, contact_key, message_key, said_at, lane, number)
    values (1, '\\x01', '\\x02', now(), 3, 4);
"""


async def test_a_hold_of_an_older_release_stays_open(dsns: tuple[str, str]) -> None:
    conn = await asyncpg.connect(dsns[1])
    await conn.execute(AS_OF_0002)
    assert (await migrate(dsns[1])).before == "0002"
    row = await conn.fetchrow("select outcome, reviewed_at, reviewed_by from hold")
    assert tuple(row) == (None, None, None)
    # The release before goes on meanwhile: it opens holds, and knows nothing of the rest.
    service = await asyncpg.connect(dsns[0])
    await service.execute(
        "insert into hold (app_id, contact_key, message_key, said_at, lane, number) "
        "select app_id, message_key, contact_key, said_at, lane, number from hold"
    )
    await service.close()
    await conn.close()


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

"""What the database itself refuses, and who may do what."""

import asyncpg
import pytest

from db.setup import LOGIN
from tests.kit import Service

pytestmark = pytest.mark.anyio

CHANGES = [
    pytest.param("update audit_entry set actor = 'me'", id="update"),
    pytest.param("delete from audit_entry", id="delete"),
    pytest.param("truncate audit_entry", id="truncate"),
]


@pytest.mark.parametrize("change", CHANGES)
async def test_even_the_owner_is_refused_and_told_what_to_do(
    service: Service, owner: asyncpg.Connection, change: str
) -> None:
    await service.say("STOP", phone="15551230001")
    with pytest.raises(asyncpg.InsufficientPrivilegeError) as refused:
        await owner.execute(change)
    assert "append-only" in str(refused.value)
    assert "correcting entry" in (refused.value.hint or "")
    assert await service.count("audit_entry") == 1


@pytest.mark.parametrize("change", CHANGES)
async def test_the_service_has_no_right_to_it_even_without_the_trigger(
    service: Service, owner: asyncpg.Connection, change: str
) -> None:
    await service.say("STOP", phone="15551230001")
    await owner.execute("alter table audit_entry disable trigger all")
    async with service.store.session() as conn:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
            await conn.execute(change)
        await conn.execute("rollback")
        await conn.execute("begin")


@pytest.mark.parametrize(
    "command",
    [
        "alter table audit_entry disable trigger all",
        "drop table audit_entry",
        "drop trigger audit_entry_append_only on audit_entry",
        "create table mine (x int)",
        "delete from consent",
        "delete from message",
        "update message set kind = 'x'",
        "delete from name_change",
        "update contact_link set kind = 'form'",
    ],
)
async def test_the_service_can_do_no_more_than_it_must(service: Service, command: str) -> None:
    conn = await asyncpg.connect(service.store.addresses.service)
    try:
        assert await conn.fetchval("select current_user") == LOGIN
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await conn.execute(command)
    finally:
        await conn.close()


async def test_an_owner_steps_down_in_each_transaction(dsns: tuple[str, str]) -> None:
    from db.database import Database

    database = await Database.open(dsns[1])
    assert database.step_down
    async with database.session() as conn:
        assert await conn.fetchval("select current_user") == "optledger_service"
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
            await conn.execute("delete from audit_entry")
        await conn.execute("rollback")
        await conn.execute("begin")
    await database.close()


async def test_the_schema_refuses_unknown_values(
    service: Service, owner: asyncpg.Connection
) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await owner.execute(r"insert into consent values (1, '\x00', 'everything')")

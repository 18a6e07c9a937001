"""The write: few statements, no batch sunk by one row, no deadlock, nothing promised too early."""

import asyncio

import asyncpg
import pytest

from consent.model import Category
from intake.recorder import Limits, Recorder
from service.registry import Registry
from service.store import Store
from tests.kit import NOW, Service, delivery, matcher, message
from webhook.errors import StoreUnavailable

pytestmark = pytest.mark.anyio

REFUSE = """
create function refuse() returns trigger language plpgsql as $$
begin
    if {when} then raise exception using errcode = '{code}'; end if;
    return new;
end $$;
create trigger refuse before insert on {table} for each row execute function refuse();
"""


async def _poison(service: Service, owner: asyncpg.Connection, wamid: str, code: str) -> None:
    key = service.app.app.keys.message("message", wamid).hex()
    when = f"new.message_key = '\\x{key}'"
    await owner.execute(REFUSE.format(when=when, code=code, table="message"))


@pytest.fixture
async def counted(store: Store):
    """A service with one warm connection, and the list of what is sent over it from now on."""
    service = await Service.start(store, limits=Limits(answer_within=30, writers=1))
    await service.say("STOP", phone="15551230001", bsuid="US.1")
    seen: list[str] = []
    (writer,) = service.recorder._writers
    writer._conn.add_query_logger(lambda record: seen.append(record.query))
    yield service, seen
    await service.stop()


async def test_a_batch_without_acts_takes_three_statements(counted) -> None:
    service, seen = counted
    await asyncio.gather(*(service.say("hello", phone=f"1555123{n:04}") for n in range(50)))
    batches = seen.count("begin")
    assert batches <= 2
    assert len(seen) == 3 * batches


async def test_a_batch_with_acts_takes_five_statements(counted) -> None:
    service, seen = counted
    said = (service.say("STOP" if n % 10 else "hi", phone=f"1555123{n:04}") for n in range(100))
    await asyncio.gather(*said)
    batches = seen.count("begin")
    assert batches <= 2
    assert len(seen) == 5 * batches
    assert await service.count("audit_entry") == 91


@pytest.mark.parametrize("code", ["22000", "23514", "P0001"])
async def test_one_bad_row_sinks_no_other(service: Service, owner, code: str) -> None:
    await _poison(service, owner, "wamid.BAD", code)
    await asyncio.gather(
        *(service.say("STOP", phone=f"1555123{n:04}") for n in range(20)),
        service.say("STOP", phone="15559999999", wamid="wamid.BAD"),
    )
    assert await service.count("audit_entry") == 20
    assert await owner.fetchval("select code from quarantine") == "not_recorded"


async def test_one_bad_row_in_a_delivery_leaves_its_others(service: Service, owner) -> None:
    await _poison(service, owner, "wamid.BAD", "22000")
    said = [message("STOP", phone=f"1555123000{n}") for n in range(3)]
    bad = message("STOP", phone="15559999999", wamid="wamid.BAD")
    await service.take_in(delivery(said[0], bad, *said[1:]))
    assert await service.count("audit_entry") == 3
    assert await service.count("quarantine") == 1


async def test_what_was_set_aside_is_recorded_by_another_try(service: Service, owner) -> None:
    from service.commands.quarantine import _feed

    await _poison(service, owner, "wamid.BAD", "22000")
    await service.say("STOP", phone="15559999999", wamid="wamid.BAD")
    assert await service.reason("15559999999") == "no_opt_in"
    await owner.execute("drop trigger refuse on message")
    from db import quarantine
    from db.apps import load_app

    async with service.store.session() as conn:
        app = await load_app(conn, service.store.keys, "shop")
        items = await quarantine.list_items(conn, app.app_id)
    assert await _feed(service.store, app, items) == (1, 0)
    assert await service.reason("15559999999") == "opted_out"
    assert await _feed(service.store, app, items) == (1, 0)
    assert await service.count("audit_entry") == 1


@pytest.mark.parametrize("code", ["53100", "57014", "25006"])
async def test_a_server_in_need_gives_503_and_sets_nothing_aside(
    service: Service, owner, code: str
) -> None:
    await _poison(service, owner, "wamid.BAD", code)
    with pytest.raises(StoreUnavailable):
        await service.say("STOP", phone="15559999999", wamid="wamid.BAD")
    assert await service.count("quarantine") == 0
    await owner.execute("drop trigger refuse on message")
    await asyncio.sleep(0.6)
    await service.say("STOP", phone="15559999999", wamid="wamid.BAD")
    assert await service.reason("15559999999") == "opted_out"


async def test_a_connection_that_dies_is_replaced_and_nothing_doubles(service: Service, owner):
    await service.say("STOP", phone="15551230001", wamid="wamid.ONE")
    await owner.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where datname = current_database() and pid <> pg_backend_pid()"
    )
    await service.say("STOP", phone="15551230001", wamid="wamid.ONE")
    await service.say("STOP", phone="15551230002", wamid="wamid.TWO")
    assert await service.count("audit_entry") == 2


async def test_whoever_waits_too_long_is_refused(store: Store, owner) -> None:
    service = await Service.start(store, limits=Limits(answer_within=0.3))
    await service.say("hello", phone="15551230001")
    async with owner.transaction():
        await owner.execute("lock table message in exclusive mode")
        with pytest.raises(StoreUnavailable, match="in time"):
            await service.say("STOP", phone="15551230001", wamid="wamid.ONE")
    await service.say("STOP", phone="15551230001", wamid="wamid.ONE")
    assert await service.count("audit_entry") == 1
    await service.stop()


async def test_a_full_queue_refuses_and_keeps_what_it_has(store: Store, owner) -> None:
    limits = Limits(answer_within=30, waiting_bytes=2000, writers=1)
    service = await Service.start(store, limits=limits)
    await service.say("hello", phone="15551230001")
    async with owner.transaction():
        await owner.execute("lock table message in exclusive mode")
        said = [asyncio.create_task(service.say("STOP", phone=f"1555123000{n}")) for n in range(9)]
        await asyncio.sleep(0.2)
        refused = [task for task in said if task.done()]
        assert refused
        assert all(isinstance(task.exception(), StoreUnavailable) for task in refused)
    kept = [task for task in said if task not in refused]
    await asyncio.gather(*kept)
    assert await service.count("audit_entry") == len(kept) > 0
    await service.stop()


async def test_two_processes_with_the_same_contacts_neither_deadlock_nor_double(
    store: Store, owner
) -> None:
    services = [await Service.start(store) for _ in range(3)]
    people = [f"1555123{n:04}" for n in range(12)]
    bodies = []
    for turn in range(30):
        said = [
            message(
                "STOP" if (turn + n) % 2 else "START", phone=phone, bsuid=f"US.{n}", at=NOW + turn
            )
            for n, phone in enumerate(people)
        ]
        bodies.append(delivery(*said[turn % 12 :], *said[: turn % 12]))
    sent = []
    for number, service in enumerate(services):  # all send all, each beginning elsewhere
        sent += [service.take_in(body) for body in bodies[number * 10 :] + bodies[: number * 10]]
    await asyncio.gather(*sent)
    assert await services[0].count("audit_entry") == 30 * len(people)
    assert await services[0].count("quarantine") == 0
    for number, phone in enumerate(people):
        wanted = "opted_out" if (29 + number) % 2 else "opted_in"
        assert await services[0].reason(phone) == wanted
    for service in services:
        await service.stop()


async def test_an_answer_after_the_commit_is_in_force(service: Service) -> None:
    for n in range(30):
        phone = f"1555123{n:04}"
        await service.say("STOP", phone=phone)
        assert not (await service.ask(phone, Category.UTILITY)).verdict.may_send


async def test_a_thousand_messages_in_one_delivery(service: Service) -> None:
    said = [message("STOP", phone=f"1555{n:07}", bsuid=f"US.{n}") for n in range(1000)]
    await service.take_in(delivery(*said))
    assert await service.count("audit_entry") == 1000


async def test_a_partition_that_was_dropped_is_made_again(service: Service, owner) -> None:
    await service.say("STOP", phone="15551230001")
    await owner.execute("drop table message_2026_09")
    await service.say("STOP", phone="15551230001")
    assert await service.count("audit_entry") == 2
    assert await service.count("quarantine") == 0


async def test_two_apps_know_nothing_of_each_other(store: Store) -> None:
    shop, bank = await Service.start(store, "shop"), await Service.start(store, "bank")
    await asyncio.gather(
        shop.say("STOP", phone="15551230001", wamid="wamid.ONE"),
        bank.say("START", phone="15551230001", wamid="wamid.ONE"),
    )
    assert await shop.reason("15551230001") == "opted_out"
    assert await bank.reason("15551230001") == "opted_in"
    keys = shop.app.app.keys, bank.app.app.keys
    assert keys[0].phone("15551230001") != keys[1].phone("15551230001")
    await shop.stop()
    await bank.stop()


async def test_a_recorder_that_stops_writes_what_waits(store: Store) -> None:
    service = await Service.start(store)
    said = [asyncio.create_task(service.say("STOP", phone=f"1555123{n:04}")) for n in range(40)]
    await asyncio.sleep(0)
    await service.stop()
    await asyncio.gather(*said)
    assert await service.count("audit_entry") == 40


async def test_a_database_that_cannot_be_reached_gives_503(store: Store) -> None:
    async def connect():
        raise OSError("nobody there")

    recorder = Recorder(connect, step_down=False)
    registry = Registry(store, matcher(), recorder)
    service = await Service.start(store)
    app = service.app.app
    await recorder.start()
    service.registry.recorder = recorder
    with pytest.raises(StoreUnavailable) as refused:
        await service.say("STOP", phone="15551230001")
    assert refused.value.retry_after > 0
    assert app is not None
    assert registry.find("shop") is None
    await recorder.stop()
    await service.stop()

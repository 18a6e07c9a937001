"""Signed bytes in, rows out: every payload, and what was written for it and nothing else."""

import json
import os
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
import pytest

from db.apps import create_app
from db.embedded import ConnectArgs
from db.keyfile import Keys
from db.setup import LOGIN, dsn_of
from service.asgi import Doors, WorkerOptions
from service.settings import Settings
from service.store import Addresses
from tests.conftest import PASSWORD
from tests.kit import SECRET, TOKEN
from webhook.signature import sign

PAYLOADS = Path(__file__).parent.parent / "payloads"
TABLE = Path(__file__).with_name("written.json")

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Running:
    client: httpx.AsyncClient
    doors: Doors
    owner: asyncpg.Connection

    async def app(self, slug: str, keys: Keys) -> int:
        store = self.doors._worker._store
        async with store.session() as conn:
            app_id = await create_app(conn, keys, slug, app_secret=SECRET, verify_token=TOKEN)
        await self.doors._worker._registry._load()
        return app_id

    async def post(self, slug: str, body: bytes) -> httpx.Response:
        signature = sign(SECRET.encode(), body).decode()
        headers = {"x-hub-signature-256": signature, "content-type": "application/json"}
        return await self.client.post(f"/webhook/{slug}", content=body, headers=headers)


@pytest.fixture(scope="module")
async def running(postgres: ConnectArgs, keys: Keys, anyio_backend: str) -> AsyncIterator[Running]:
    """The public port of a worker, all payloads in one database, each in an app of its own."""
    name = f"payloads_{secrets.token_hex(4)}"
    admin = await asyncpg.connect(**postgres)
    await admin.execute(f"create database {name} template optledger")
    service = dsn_of(postgres, user=LOGIN, password=PASSWORD).replace("/optledger?", f"/{name}?")
    owner = dsn_of(postgres).replace("/optledger?", f"/{name}?")
    where = Addresses(service, owner)
    doors = Doors(WorkerOptions(Settings(answer_within=30), where, keys, os.getppid()))
    await doors._worker.open()
    transport = httpx.ASGITransport(doors)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
        conn = await asyncpg.connect(owner)
        yield Running(client, doors, conn)
        await conn.close()
    await doors._worker.close()
    await admin.execute(f"drop database {name} with (force)")
    await admin.close()


async def _written(owner: asyncpg.Connection, app_id: int) -> dict[str, object]:
    """Return what stands in the tables for an app, in words."""

    async def column(query: str) -> list[str]:
        return [row[0] for row in await owner.fetch(query, app_id)]

    return {
        "messages": await column("select kind from message where app_id = $1 order by 1"),
        "entries": await column(
            "select concat_ws(' ', action, switch) from audit_entry where app_id = $1 order by 1"
        ),
        "holds": await owner.fetchval("select count(*) from hold where app_id = $1", app_id),
        "links": await owner.fetchval(
            "select count(*) from contact_link where app_id = $1", app_id
        ),
        "changed": await owner.fetchval(
            "select count(*) from name_change where app_id = $1", app_id
        ),
        "set_aside": await column("select code from quarantine where app_id = $1 order by 1"),
        "clocks": await owner.fetchval("select count(*) from consent where app_id = $1", app_id),
    }


def _files() -> list[str]:
    return sorted(path.stem for path in PAYLOADS.glob("*.json"))


def test_the_table_names_every_payload_once() -> None:
    assert sorted(json.loads(TABLE.read_text())) == _files()


@pytest.mark.parametrize("name", _files())
async def test_what_is_written(running: Running, keys: Keys, name: str) -> None:
    slug = f"p-{_files().index(name)}"
    app_id = await running.app(slug, keys)
    body = (PAYLOADS / f"{name}.json").read_bytes()
    assert (await running.post(slug, body)).status_code == 200
    written = await _written(running.owner, app_id)
    if os.environ.get("WRITE_TABLE"):  # then read the change before you commit it
        table = json.loads(TABLE.read_text()) if TABLE.exists() else {}
        table[name] = {key: value for key, value in written.items() if value}
        TABLE.write_text(json.dumps(dict(sorted(table.items())), indent=1) + "\n")
    expected = json.loads(TABLE.read_text())[name]
    assert {key: value for key, value in written.items() if value} == expected
    # Meta sends again: nothing more.
    assert (await running.post(slug, body)).status_code == 200
    assert await _written(running.owner, app_id) == written

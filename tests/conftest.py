"""A real PostgreSQL for the tests: the embedded one, a migrated template, a copy for each test."""

import asyncio
import os
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from hypothesis import HealthCheck, settings

from db.database import Database
from db.embedded import ConnectArgs, EmbeddedPostgres
from db.keyfile import Keys, make_key_file
from db.migrate import migrate
from db.setup import LOGIN, dsn_of, ensure_database, ensure_login
from service.store import Addresses, Store
from tests.kit import Service

settings.register_profile(
    "default", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.register_profile("fuzz", settings.get_profile("default"), max_examples=5_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

PASSWORD = "only-for-tests"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def postgres() -> Iterator[ConnectArgs]:
    """A server of this run; its database `optledger` is migrated and copied for each test."""
    with tempfile.TemporaryDirectory(prefix="optledger-tests-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        server = EmbeddedPostgres(Path(name) / "var")
        args = server.start()
        asyncio.run(_make_template(args))
        yield args
        server.stop()


async def _make_template(args: ConnectArgs) -> None:
    await ensure_database(args)
    await migrate(dsn_of(args))
    await ensure_login(dsn_of(args), PASSWORD)


@pytest.fixture
async def dsns(postgres: ConnectArgs, anyio_backend: str) -> AsyncIterator[tuple[str, str]]:
    """The addresses of a fresh database, for the service and for the owner of the tables."""
    name = f"test_{secrets.token_hex(6)}"
    admin = await asyncpg.connect(**postgres)
    await admin.execute(f"create database {name} template optledger")
    service = dsn_of(postgres, user=LOGIN, password=PASSWORD).replace("/optledger?", f"/{name}?")
    yield service, dsn_of(postgres).replace("/optledger?", f"/{name}?")
    await admin.execute(f"drop database {name} with (force)")
    await admin.close()


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return make_key_file(tmp_path_factory.mktemp("keys") / "keys.json")


@pytest.fixture
async def store(dsns: tuple[str, str], keys: Keys) -> AsyncIterator[Store]:
    service, owner = dsns
    database = await Database.open(service)
    yield Store(database, keys, Addresses(service, owner))
    await database.close()


@pytest.fixture
async def owner(dsns: tuple[str, str]) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the owner of the tables, to look at everything and to provoke failures."""
    conn = await asyncpg.connect(dsns[1])
    yield conn
    await conn.close()


@pytest.fixture
async def service(store: Store) -> AsyncIterator[Service]:
    """All of a worker but the network, with an app `shop`."""
    running = await Service.start(store)
    yield running
    await running.stop()

"""The store made ready: a database that is reached and up to date, and its key file."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from db import embedded
from db.apps import claim_key, create_first_app, known_key, one_at_a_time
from db.database import Database, DatabaseError
from db.keyfile import KeyFileError, Keys, make_key_file, read_key_file
from db.migrate import HEAD, migrate, revision_of
from db.setup import LOGIN, dsn_of, ensure_database, ensure_login, login_password
from db.statements import Connection
from service.settings import Settings


class StoreError(Exception):
    """The store can't be made ready; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the database is: for the service, and for its owner, who migrates."""

    service: str = field(repr=False)
    owner: str = field(repr=False)
    data_dir: Path = Path("var")


@dataclass(slots=True)
class Store:
    """A database and the keys that open what is in it."""

    database: Database
    keys: Keys = field(repr=False)
    addresses: Addresses = field(repr=False)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Connection]:
        """Run a short transaction with the service's rights."""
        async with self.database.session() as conn:
            yield conn


def key_path(settings: Settings, data_dir: Path) -> Path:
    """Return where the key file is or will be."""
    return settings.key_file or data_dir / "keys.json"


@contextmanager
def addresses(settings: Settings) -> Iterator[Addresses]:
    """Yield where the database is; an embedded one runs at least as long as this lasts."""
    given = given_addresses(settings)
    if given is not None:
        yield given
        return
    data_dir = embedded.effective_data_dir(settings.data_dir.absolute())
    if not embedded.is_made(data_dir):
        raise StoreError(
            f"there is no data in {data_dir}: start `optledger serve` first, call this command in "
            f"the folder that serve is called in, or set OPTLEDGER_DATA_DIR to its data folder"
        )
    with embedded.attach(data_dir) as args:
        yield embedded_addresses(args, data_dir)


def given_addresses(settings: Settings) -> Addresses | None:
    """Return the addresses that were set, or None where the embedded database is to be used."""
    if settings.database_url is None:
        return None
    service = settings.database_url.get_secret_value()
    owner = settings.database_owner_url
    owner_dsn = service if owner is None else owner.get_secret_value()
    return Addresses(service, owner_dsn, settings.data_dir)


def embedded_addresses(args: embedded.ConnectArgs, data_dir: Path) -> Addresses:
    """Return the addresses in a running embedded server, with our database in it."""
    asyncio.run(ensure_database(args))
    service = dsn_of(args, user=LOGIN, password=login_password(data_dir))
    return Addresses(service, dsn_of(args), data_dir)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What making the store ready came to, for telling the user."""

    migrated_from: str | None
    new_key_file: Path | None
    demo: "Demo | None"


@dataclass(frozen=True, slots=True)
class Demo:
    """The app a fresh start comes with."""

    slug: str
    verify_token: str = field(repr=False)


async def prepare(settings: Settings, where: Addresses, *, demo: bool = False) -> Prepared:
    """Migrate, find or make the key file, and make the first app if asked and there is none.

    Raises StoreError, MigrationError, DatabaseError or KeyFileError, each with what to do.
    """
    conn = await (await Database.open(where.owner)).connect()
    try:
        before = await revision_of(conn)
    finally:
        await conn.close()
    if before != HEAD:
        if not settings.migrate_at_start:
            raise StoreError(
                "the tables are not up to date: run `optledger migrate`, then start again"
            )
        await migrate(where.owner)
    if settings.database_url is None and not await _can_log_in(where):
        await ensure_login(where.owner, login_password(where.data_dir))
    database = await Database.open(where.service)
    try:
        keys, made = await _keys(settings, database, where.data_dir)
        first = await _first_app(database, keys) if demo else None
    finally:
        await database.close()
    return Prepared(before if before != HEAD else None, made, first)


async def _can_log_in(where: Addresses) -> bool:
    try:
        await Database.open(where.service)
    except DatabaseError:
        return False
    return True


async def _keys(settings: Settings, database: Database, data_dir: Path) -> tuple[Keys, Path | None]:
    """Return the keys, and the path of the key file if it was made just now."""
    path = key_path(settings, data_dir)
    async with database.session() as conn:
        await one_at_a_time(conn)  # or two machines on an empty database would make a key each
        known = await known_key(conn)
        if known is None and not path.exists():
            keys = make_key_file(path)
            await claim_key(conn, keys)
            return keys, path
        keys = _fitting(path, known)
        if known is None:
            await claim_key(conn, keys)
        return keys, None


def _fitting(path: Path, known: str | None) -> Keys:
    """Read the key file and see that it is the one of this database."""
    try:
        keys = read_key_file(path)
    except KeyFileError as exc:
        if known is None:
            raise
        raise KeyFileError(
            f"{exc}. The data was sealed with key file {known}; no new one is made over it, since "
            f"every opt-out in it would be lost. If the data may go, empty the database first"
        ) from exc
    if known is not None and keys.fingerprint != known:
        raise KeyFileError(
            f"the key file {path} is {keys.fingerprint}, but this database was sealed with "
            f"{known}: put your copy of that one there, or set OPTLEDGER_KEY_FILE to it"
        )
    return keys


async def _first_app(database: Database, keys: Keys) -> Demo | None:
    token = secrets.token_urlsafe(18)
    async with database.session() as conn:
        made = await create_first_app(
            conn, keys, "demo", app_secret=secrets.token_hex(16), verify_token=token
        )
    return Demo("demo", token) if made else None


@asynccontextmanager
async def opened(settings: Settings, where: Addresses) -> AsyncIterator[Store]:
    """Yield the store for a command, ready to use."""
    database = await Database.open(where.service)
    try:
        keys, _ = await _keys(settings, database, where.data_dir)
        yield Store(database, keys, where)
    finally:
        await database.close()

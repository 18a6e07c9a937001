"""The examination behind `optledger doctor`: each thing the service needs, looked at for real."""

import asyncio
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg

from db.apps import known_key, load_apps
from db.database import UNREACHABLE, Database, DatabaseError, clock_of
from db.embedded import EmbeddedPostgresError
from db.keyfile import KeyFileError, read_key_file
from db.migrate import HEAD, revision_of
from db.sealing import CannotOpen
from db.statements import Connection
from service.settings import Settings, SettingsError, load_settings
from service.store import Addresses, StoreError, addresses, key_path

# A clock further off misdates what people say; what is said by a clock ahead of ours is clamped.
_CLOCK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: fine, or what is wrong and what to do."""

    what: str
    ok: bool
    said: str


def examine() -> list[Finding]:
    """Look at everything; one thing that is wrong does not keep from looking at the next."""
    try:
        settings = load_settings()
    except SettingsError as exc:
        return [Finding("settings", False, str(exc))]
    findings = [Finding("settings", True, "all known and in range")]
    try:
        with addresses(settings) as where:
            findings += asyncio.run(_database(settings, where))
    except (EmbeddedPostgresError, DatabaseError, StoreError, *UNREACHABLE) as exc:
        findings.append(Finding("database", False, str(exc)))
    findings += _ports(settings)
    return findings


async def _database(settings: Settings, where: Addresses) -> list[Finding]:
    try:
        database = await Database.open(where.service)
    except DatabaseError as exc:
        if settings.database_url is not None:
            return [Finding("database", False, str(exc))]
        database = await Database.open(where.owner)  # never served yet: no login was made
    kind = "embedded" if settings.database_url is None else "given"
    pooled = ", through a pooler" if database.pooled else ""
    findings = [Finding("database", True, f"PostgreSQL {database.version}, {kind}{pooled}")]
    conn = await database.connect()
    try:
        findings.append(await _tables(conn))
        if not findings[-1].ok:
            return findings
        findings += await _keys_and_apps(settings, where, conn)
        findings.append(await _clock(conn))
        if database.step_down and settings.database_url is not None:
            findings.append(Finding("rights", True, _OWNER))
    finally:
        await conn.close()
    return findings


_OWNER = (
    "the service logs in as the owner of the tables and steps down in each transaction; better is "
    "a login of its own: create role NAME login password '…'; grant optledger_service to NAME; and "
    "the owner's address in OPTLEDGER_DATABASE_OWNER_URL"
)


async def _tables(conn: Connection) -> Finding:
    try:
        revision = await revision_of(conn)
    except asyncpg.InsufficientPrivilegeError:
        return Finding("tables", False, "no rights: grant optledger_service to the service's login")
    if revision == HEAD:
        return Finding("tables", True, f"revision {revision}, up to date")
    stands = f"at revision {revision}" if revision else "not there yet"
    return Finding("tables", False, f"{stands}: run `optledger migrate` or `optledger serve`")


async def _keys_and_apps(settings: Settings, where: Addresses, conn: Connection) -> list[Finding]:
    path = key_path(settings, where.data_dir)
    known = await known_key(conn)
    try:
        keys = read_key_file(path)
    except KeyFileError as exc:
        if known is None and not path.exists():
            return [Finding("key file", True, f"none yet; the first start makes {path}")]
        return [Finding("key file", False, str(exc))]
    if known is not None and keys.fingerprint != known:
        said = f"{path} is {keys.fingerprint}, but the data was sealed with {known}: restore that"
        return [Finding("key file", False, said)]
    findings = [Finding("key file", True, f"{path}, {keys.fingerprint}; keep a copy elsewhere")]
    try:
        apps = await load_apps(conn, keys)
    except CannotOpen as exc:
        return [*findings, Finding("apps", False, str(exc))]
    shut = [app.slug for app in apps if not app.active("app_secret")]
    if shut:
        said = f"no active secret: {', '.join(shut)}; `optledger app secret add` gives one"
        return [*findings, Finding("apps", False, said)]
    named = ", ".join(app.slug for app in apps) or "none yet: `optledger app create` makes one"
    return [*findings, Finding("apps", True, named)]


async def _clock(conn: Connection) -> Finding:
    off = abs((datetime.now(UTC) - await clock_of(conn)).total_seconds())
    if off > _CLOCK_SECONDS:
        said = f"{off:.0f} s apart from the database's: set up time synchronisation on both"
        return Finding("clock", False, said)
    return Finding("clock", True, "together with the database's")


def _ports(settings: Settings) -> Iterator[Finding]:
    for what, host, port in (
        ("public port", settings.public_host, settings.public_port),
        ("internal port", settings.internal_host, settings.internal_port),
    ):
        yield _port(what, host, port)


def _port(what: str, host: str, port: int) -> Finding:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as exc:
            if _is_optledger(host, port):
                return Finding(what, True, f"{host}:{port}, in use by optledger")
            said = f"{host}:{port}: {exc.strerror}; take another in the settings"
            return Finding(what, False, said)
    return Finding(what, True, f"{host}:{port}, free")


def _is_optledger(host: str, port: int) -> bool:
    """Tell whether the answer at a port is one of ours: no such path, as JSON with our code."""
    try:
        with socket.create_connection((host, port), timeout=2) as probe:
            probe.sendall(b"GET /optledger HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            return b'"not_found"' in b"".join(iter(lambda: probe.recv(4096), b""))
    except OSError:
        return False

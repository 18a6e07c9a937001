"""On a PostgreSQL that somebody else runs: the newest, the oldest, and behind a pooler."""

import asyncio
import contextlib
import http.client
import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from db.embedded import EmbeddedPostgres
from tests.e2e.installed import (
    APP,
    SECRET,
    TOKEN,
    Installed,
    a_phone,
    answer_of,
    figure,
    free_ports,
    says,
    side_by_side,
    signature,
    until,
)

OLD = Path("/usr/lib/postgresql/15/bin")
PGBOUNCER = shutil.which("pgbouncer") or shutil.which("/usr/sbin/pgbouncer")
OWNER, PASSWORD = "ledger_owner", "only-for-tests"


def other_account() -> dict[str, Any]:
    """Root may not run them: as what account then, for subprocess."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            found = pwd.getpwnam(name)
            return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
    pytest.skip("there is no account to run a server as")


def given_to(folder: Path) -> None:
    account = other_account()
    if account:
        os.chown(folder, account["user"], account["group"])


class Server:
    """A PostgreSQL of somebody else, with databases whose owner is no superuser."""

    def __init__(self, admin: dict[str, Any]) -> None:
        self._admin = admin
        self.run("create role ledger_owner login createrole password 'only-for-tests'")
        self._made = 0

    @property
    def host(self) -> str:
        return str(self._admin["host"])

    def new_database(self) -> str:
        """Make an empty database and return its name."""
        self._made += 1
        self.run(f"create database ledger_{self._made} owner ledger_owner")
        return f"ledger_{self._made}"

    def address(self, database: str) -> str:
        return f"postgresql://{OWNER}:{PASSWORD}@/{database}?host={self.host}&port=5432"

    def run(self, *statements: str, database: str | None = None) -> list[asyncpg.Record]:
        """Run statements as a superuser; return what the last one found."""

        async def run() -> list[asyncpg.Record]:
            where = self._admin | ({"database": database} if database else {})
            conn = await asyncpg.connect(**where)
            try:
                return [await conn.fetch(statement) for statement in statements][-1]
            finally:
                await conn.close()

        return asyncio.run(run())


@pytest.fixture(scope="module")
def newest(folders: Callable[[], Path]) -> Iterator[Server]:
    server = EmbeddedPostgres(folders() / "elsewhere")
    try:
        yield Server(dict(server.start()))
    finally:
        server.stop()


@pytest.fixture(scope="module")
def oldest(folders: Callable[[], Path]) -> Iterator[Server]:
    """The PostgreSQL 15 of Debian 12, where it is installed."""
    if not (OLD / "initdb").exists():
        pytest.skip("no PostgreSQL 15 here")
    folder = folders()
    given_to(folder)
    account = other_account() | {"cwd": "/", "stdin": subprocess.DEVNULL}
    data = folder / "data"
    make = [OLD / "initdb", "-D", data, "-U", "admin", "-A", "trust", "-N", "--locale=C"]
    subprocess.run(make, check=True, capture_output=True, **account)
    command = [OLD / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses=", "-F"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, **account)
    try:
        until((folder / ".s.PGSQL.5432").exists, "it listens")
        admin = {"host": str(folder), "port": 5432, "user": "admin", "database": "postgres"}
        until(lambda: _answers(admin), "it answers")
        yield Server(admin)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _answers(admin: dict[str, Any]) -> bool:
    async def ask() -> None:
        await (await asyncpg.connect(**admin)).close()

    try:
        asyncio.run(ask())
    except (OSError, asyncpg.PostgresError):
        return False
    return True


@pytest.fixture(params=["newest", "oldest"], ids=["PostgreSQL 18", "PostgreSQL 15"])
def server(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue(request.param)
    return found


def test_it_runs_on_a_database_it_is_given(empty: Installed, server: Server) -> None:
    database = server.new_database()
    empty.settings["OPTLEDGER_DATABASE_URL"] = server.address(database)
    seconds = empty.start()
    figure(f"first start on a given database: {seconds:.2f} s")
    empty.make_app()
    phone = a_phone()
    until(lambda: empty.get(f"/webhook/{APP}").status == 403, "the app is served")
    assert empty.post(says("STOP", phone)).status == 200
    assert empty.check(phone, "utility")["reason"] == "opted_out"
    empty.ok("send", "START", "--from", phone, "--app", APP, "--at", str(int(time.time()) + 1))
    may_send, history, doctor = side_by_side(
        lambda: empty.check(phone)["may_send"],
        lambda: empty.json("history", phone, "--app", APP),
        lambda: empty.json("doctor"),
    )
    assert may_send
    assert len(history["entries"]) == 2
    found = {one["what"]: one["said"] for one in doctor}
    assert ", given" in found["database"]
    assert "optledger_service" in found["rights"]
    assert {path.name for path in empty.data_dir.iterdir()} == {"keys.json"}
    assert PASSWORD not in empty.log()

    # The login owns the tables, yet each transaction has only the rights of the service.
    server.run("revoke insert on audit_entry from optledger_service", database=database)
    body = says("STOP", phone, at=int(time.time()) + 2)
    assert empty.post(body).status == 503
    server.run("grant insert on audit_entry to optledger_service", database=database)
    until(lambda: empty.post(body).status == 200, "it recovers", 5)
    assert not empty.check(phone)["may_send"]
    assert empty.stop() == 0


# Behind a pooler


@pytest.fixture
def pooled(newest: Server, folders: Callable[[], Path]) -> Iterator[str]:
    """PgBouncer in transaction mode: every transaction may be on another connection."""
    if PGBOUNCER is None:
        pytest.skip("no pgbouncer here")
    folder = folders()
    given_to(folder)
    (port,) = free_ports(1)
    database = newest.new_database()
    login = f"user={OWNER} password={PASSWORD}"
    settings = folder / "pgbouncer.ini"
    settings.write_text(
        f"[databases]\nledger = host={newest.host} port=5432 dbname={database} {login}\n"
        f"[pgbouncer]\nlisten_addr =\nlisten_port = {port}\nunix_socket_dir = {folder}\n"
        "auth_type = any\npool_mode = transaction\ndefault_pool_size = 5\n"
        "max_client_conn = 300\nserver_round_robin = 1\nlogfile =\npidfile =\n"
    )
    settings.chmod(0o644)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [PGBOUNCER, settings], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
            **other_account(),
        )  # fmt: skip
    try:
        until((folder / f".s.PGSQL.{port}").exists, (folder / "log").read_text())
        yield f"postgresql://{OWNER}:any@/ledger?host={folder}&port={port}"
    finally:
        process.terminate()
        process.wait(10)


def test_it_works_through_pgbouncer_in_transaction_mode(empty: Installed, pooled: str) -> None:
    empty.settings["OPTLEDGER_DATABASE_URL"] = pooled
    empty.settings["OPTLEDGER_WORKERS"] = "2"
    empty.settings["OPTLEDGER_ANSWER_WITHIN"] = "20"
    empty.start()
    empty.make_app()
    until(lambda: empty.get(f"/webhook/{APP}").status == 403, "one worker knows the app")
    time_to_know = time.monotonic() + 1.5  # the other asks within a second
    until(lambda: time.monotonic() > time_to_know, "the other one too")
    phones = [a_phone() for _ in range(200)]
    waiting = []
    for phone in phones:
        body = says("STOP", phone)
        connection = http.client.HTTPConnection("127.0.0.1", empty.public, timeout=30)
        connection.request("POST", f"/webhook/{APP}", body, signature(body))
        waiting.append(connection)
    answers = [answer_of(connection, time.monotonic()) for connection in waiting]
    for connection in waiting:
        connection.close()
    assert {answer.status for answer in answers} == {200}
    for _ in range(30):
        assert empty.post(says("STOP", phones[0])).status == 200
        assert empty.ready()
    assert empty.check(phones[-1], "utility")["reason"] == "opted_out"
    assert (
        empty.run("check", "--app", APP, "--to", a_phone(), "--category", "utility").returncode == 0
    )
    assert len(empty.json("history", phones[0], "--app", APP)["entries"]) == 31
    found = {one["what"]: one["said"] for one in empty.json("doctor")}
    assert "through a pooler" in found["database"]
    assert empty.stop() == 0
    for line in empty.logs[1].read_text().splitlines():
        assert '"level": "error"' not in line
        assert "apps_not_refreshed" not in line


def test_who_gives_secrets_in_files(empty: Installed, newest: Server) -> None:
    file = empty.folder / "address"
    file.write_text(newest.address(newest.new_database()))
    empty.settings["OPTLEDGER_DATABASE_URL_FILE"] = str(file)
    assert "Migrated from nothing" in empty.ok("migrate")
    empty.ok("app", "create", "filed", "--app-secret", SECRET, "--verify-token", TOKEN)
    assert [one["slug"] for one in empty.json("app", "list")] == ["filed"]

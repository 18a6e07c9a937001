"""The embedded PostgreSQL as a running server: kept by `serve`, or lent to a command."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypedDict

from db.embedded import process
from db.embedded.binaries import usable_binaries
from db.embedded.cluster import (
    OWNER_ROLE,
    ensure_cluster,
    last_lines,
    open_log,
    read_password,
    server_command,
)
from db.embedded.errors import InUse, NotStarted
from db.embedded.home import CHILD_ENV, SYSTEM_BASE, Home
from db.embedded.lock import PAUSE, FileLock

LOCK_WAIT = 15.0  # seconds `serve` waits for a command to end, or for its predecessor
BLOCKED_WAIT = 30.0  # seconds a start is tried again while traces of a killed server go away


class ConnectArgs(TypedDict):
    """How to connect as the owner role: `asyncpg.connect(**args)`. Holds a password: never log."""

    host: str
    port: int
    user: str
    password: str
    database: str


class EmbeddedPostgres:
    """The server of one data directory, ours alone from start to stop.

    Blocks, and may be called from any thread. A killed owner leaves a server behind: the next
    owner stops and replaces it, and no committed row is lost.
    """

    def __init__(
        self, data_dir: Path, *, base: Path = SYSTEM_BASE, lock_wait: float = LOCK_WAIT
    ) -> None:
        self._wanted = data_dir
        self._base = base
        self._lock_wait = lock_wait
        self._guard = threading.RLock()
        self._server: _Server | None = None
        self._lock: FileLock | None = None

    def start(self, timeout: float = 300) -> ConnectArgs:
        """Start the server, make its cluster if there is none, and return how to connect.

        `timeout` is for the server to become ready, which after a crash can take minutes.
        """
        with self._guard:
            if self._server is not None:
                self.ensure_alive(timeout)
                return self._server.connect_args
            home = Home.find(self._wanted, self._base)
            self._lock = FileLock(home.lock_file)
            if not self._lock.wait(self._lock_wait):
                raise InUse(f"{self._lock.holder()} keeps the database of {home.data_dir}")
            server = _Server(home)
            try:
                if not server.adopt():
                    server.start(timeout)
                args = server.connect_args
            except BaseException:
                self._lock.release()
                raise
            self._server = server
            return args

    def stop(self) -> None:
        """Stop the server in order, also under commands that use it, and let others start it."""
        with self._guard:
            if self._server is None or self._lock is None:
                return
            newcomers = FileLock(self._server.home.users_file)
            newcomers.take()  # if nobody uses it now, nobody begins to while it goes down
            try:
                self._server.stop()
            finally:
                self._server = None
                self._lock.release()
                newcomers.release()

    def alive(self) -> bool:
        """Tell whether our server process runs."""
        server = self._server
        return server is not None and server.alive()

    def ensure_alive(self, timeout: float = 300) -> bool:
        """Start the server again if it died under us; return whether that was needed."""
        with self._guard:
            if self._server is None or self._server.alive():
                return False
            self._server.start(timeout)
            return True

    @property
    def connect_args(self) -> ConnectArgs:
        """How to connect, while started."""
        if self._server is None:
            raise NotStarted("the server was not started")
        return self._server.connect_args

    @property
    def pid(self) -> int | None:
        """The postmaster's process, while started."""
        return None if self._server is None else self._server.pid


@contextmanager
def attach(
    data_dir: Path, *, base: Path = SYSTEM_BASE, timeout: float = 60
) -> Iterator[ConnectArgs]:
    """Lend the server to a command: the one that runs, else one of its own.

    Whoever leaves last stops a server that `serve` does not keep, so commands that overlap share
    one and none waits for another.
    """
    home = Home.find(data_dir, base)
    users, lock = FileLock(home.users_file), FileLock(home.lock_file)
    own = _come_in(home, users, lock, timeout)
    try:
        yield connect_args_of(home)
    finally:
        _leave(home, users, lock, own)


def connect_args_of(home: Home) -> ConnectArgs:
    """Return how to connect as the owner role."""
    return ConnectArgs(
        host=str(home.run_dir),
        port=process.PORT,
        user=OWNER_ROLE,
        password=read_password(home),
        database="postgres",
    )


class _Server:
    """One server process, ours or adopted. Whoever starts or stops it holds the lock."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._process: subprocess.Popen[bytes] | None = None  # ours
        self._adopted: int | None = None  # a command's
        self._log_start = 0

    @property
    def connect_args(self) -> ConnectArgs:
        return connect_args_of(self.home)

    @property
    def pid(self) -> int | None:
        return self._adopted if self._process is None else self._process.pid

    def alive(self) -> bool:
        if self._process is None:
            return self._adopted is not None and self._adopted == process.listener(self.home)
        return self._process.poll() is None

    def adopt(self) -> bool:
        """Keep the server that commands started and still use, rather than cut them off."""
        users = FileLock(self.home.users_file)
        if users.take():  # nobody uses it: better a new one, of our programs and settings
            try:
                process.stop_leftovers(self.home)
            finally:
                users.release()
        elif process.ready(self.home):
            self._adopted = process.recorded(self.home)[0]
        return self.alive()

    def start(self, timeout: float) -> None:
        """Make what is missing and start; try again while a killed server's traces go away."""
        binaries = usable_binaries(self.home)
        ensure_cluster(self.home, binaries)
        self.home.make_run_dir()
        command = server_command(self.home, binaries)
        blocked_until = time.monotonic() + BLOCKED_WAIT
        self._adopted = None
        try:
            process.stop_leftovers(self.home)
            self._spawn(command)
            while not self._becomes_ready(timeout):
                self._check_blocked(blocked_until)
                time.sleep(10 * process.PAUSE)
                process.stop_leftovers(self.home)
                self._spawn(command)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop in order; with force if that takes over a minute."""
        if self._process is None:
            if self._adopted is not None:
                process.stop_leftovers(self.home)
            self._adopted = None
            return
        for what, seconds in ((signal.SIGINT, 60), (signal.SIGQUIT, 10), (signal.SIGKILL, 10)):
            if self._process.poll() is not None:
                break
            self._process.send_signal(what)
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                continue
        self._process = None

    def let_go(self) -> None:
        """Leave the process to others; it is not waited for any more."""
        if self._process is not None and self._process.poll() is None:
            self._process.returncode = 0  # else Popen warns that a child still runs
        self._process = None

    def _spawn(self, command: list[str]) -> None:
        account = self.home.account
        log = open_log(self.home)
        try:
            self._log_start = os.lseek(log, 0, os.SEEK_END)
            self._process = subprocess.Popen(  # noqa: S603 our own arguments, no shell
                command, user=account.user, group=account.group, extra_groups=account.groups,
                cwd="/", env=CHILD_ENV, umask=0o077, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True,  # Ctrl-C must reach us first
            )  # fmt: skip
        except OSError as exc:
            raise NotStarted(f"postgres: {exc.strerror or type(exc).__name__}") from exc
        finally:
            os.close(log)

    def _becomes_ready(self, timeout: float) -> bool:
        """Wait until our process says it is ready; False if it ended first."""
        end = time.monotonic() + timeout
        while self.alive():
            if process.recorded(self.home) == (self.pid, True):
                return True
            if time.monotonic() > end:
                raise NotStarted(f"not ready after {timeout:.0f} s: {self._log_end()}")
            time.sleep(process.PAUSE / 2)
        return False

    def _check_blocked(self, until: float) -> None:
        """Raise unless it was another server's pid file that ours ran into: it removes its own."""
        blocked = process.recorded(self.home)[0] not in (None, self.pid)
        if not blocked or time.monotonic() > until:
            raise NotStarted(f"the server ended: {self._log_end()}")

    def _log_end(self) -> str:
        try:
            with self.home.log_file.open("rb") as log:
                log.seek(self._log_start)
                return last_lines(log.read(100_000).decode(errors="replace"))
        except OSError:
            return "its log cannot be read"


def _come_in(home: Home, users: FileLock, lock: FileLock, timeout: float) -> "_Server | None":
    """Become a user of a ready server; return it if we had to start it."""
    end = time.monotonic() + timeout
    while True:
        if users.take(shared=True):
            if process.ready(home):
                return None
            if lock.take():
                return _started(home, users, lock, timeout)
            users.release()  # `serve` is starting it, and may wait for us to be none of its users
        if time.monotonic() > end:
            raise InUse(f"{lock.holder()} keeps the database of {home.data_dir}, not ready")
        time.sleep(PAUSE)


def _started(home: Home, users: FileLock, lock: FileLock, timeout: float) -> _Server:
    server = _Server(home)
    try:
        server.start(timeout)
    except BaseException:
        users.release()
        raise
    finally:
        lock.release()
    return server


def _leave(home: Home, users: FileLock, lock: FileLock, own: _Server | None) -> None:
    """Stop being a user; the last one stops the server, unless `serve` keeps it."""
    try:
        if users.take() and lock.take():
            if own is not None and own.alive():
                own.stop()
            else:
                process.stop_leftovers(home)
        elif own is not None:
            own.let_go()
    finally:
        lock.release()
        users.release()

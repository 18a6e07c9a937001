"""The parent process: keeps the embedded database and the workers alive, and stops them in order.

uvicorn's own supervisor does the work: it starts workers, replaces those that die or hang, and on
SIGHUP all of them one by one without dropping a request. What is added is the database.
"""

import errno
import multiprocessing
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import structlog
from prometheus_client.multiprocess import mark_process_dead
from uvicorn import Config
from uvicorn.supervisors import Multiprocess

from db.embedded import EmbeddedPostgres, EmbeddedPostgresError
from service.asgi import BuildApp, WorkerOptions
from service.http import DeadlineProtocol
from service.settings import Settings

_log = structlog.get_logger()

# How long the workers of a killed predecessor may take to notice and leave the ports.
_PORT_WAIT = 5.0
_START_SECONDS = 60.0


class ServeError(Exception):
    """The service can't be started; the message says what to do."""


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; raise ServeError where the port is taken or not ours to take."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    until = time.monotonic() + _PORT_WAIT
    while True:
        try:
            return socket.create_server((host, port), family=family, backlog=2048)
        except OSError as exc:
            if exc.errno != errno.EADDRINUSE or time.monotonic() > until:
                raise ServeError(
                    f"can't listen on {host} port {port}: {exc.strerror}. Stop what uses it, or "
                    f"take another with --public-port or --internal-port"
                ) from exc
            time.sleep(0.1)


class Supervisor(Multiprocess):
    """Runs the workers, and the embedded database if there is one."""

    def __init__(
        self,
        settings: Settings,
        options: WorkerOptions,
        postgres: EmbeddedPostgres | None,
        announce: Callable[[], None],
    ) -> None:
        sockets = [
            listen(settings.public_host, settings.public_port),
            listen(settings.internal_host, settings.internal_port),
        ]
        super().__init__(_config(settings, options), sockets)
        self._postgres = postgres
        self._announce = announce
        self.failed = False
        self._measured: set[int] = set()

    def init_processes(self) -> None:
        """Start the workers, and tell the user when all of them serve."""
        super().init_processes()
        for process in self.processes:
            if not process.wait_until_ready(_START_SECONDS, self.should_exit):
                self.handle_signals()
                self.failed = not self.should_exit.is_set()
                self.should_exit.set()
                return
        self._forget_the_dead()
        self._announce()

    def keep_subprocess_alive(self) -> None:
        """Bring back the database if it died, then the workers."""
        try:
            if self._postgres is not None and self._postgres.ensure_alive():
                _log.error("database_was_restarted")
        except EmbeddedPostgresError as exc:
            _log.error("database_not_restarted", error=str(exc))
            return
        super().keep_subprocess_alive()
        self._forget_the_dead()

    def _forget_the_dead(self) -> None:
        """Drop the gauges of workers that are gone; what they counted stays."""
        alive = {process.pid for process in self.processes if process.pid is not None}
        for pid in self._measured - alive:
            mark_process_dead(pid)  # type: ignore[no-untyped-call]
        self._measured = alive

    def restart_all(self) -> None:
        """Replace the workers one by one."""
        _log.info("workers_restarting")
        super().restart_all()


def _config(settings: Settings, options: WorkerOptions) -> Config:
    return Config(
        BuildApp(options),
        factory=True,
        http=DeadlineProtocol,
        loop="uvloop",
        ws="none",
        lifespan="on",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        workers=settings.workers,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=10,
        backlog=2048,
    )


def supervise(
    settings: Settings,
    options: WorkerOptions,
    postgres: EmbeddedPostgres | None,
    announce: Callable[[], None],
) -> bool:
    """Serve until told to stop; return whether the service ever came up."""
    multiprocessing.allow_connection_pickling()
    counts = Path(tempfile.mkdtemp(prefix="optledger-metrics-"))
    # Read by prometheus_client in the workers, when they import it.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(counts)
    try:
        supervisor = Supervisor(settings, options, postgres, announce)
        supervisor.run()
        return not supervisor.failed
    finally:
        shutil.rmtree(counts, ignore_errors=True)

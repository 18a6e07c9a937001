"""Starts and stops what is measured: the floor, and optledger with a database of its own."""

import asyncio
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from bench import proc
from bench.bodies import APP, SECRET
from db.embedded.home import Home, effective_data_dir
from db.embedded.server import connect_args_of
from db.setup import dsn_of

ROOT = Path(__file__).parent.parent
HOST = "127.0.0.1"
_TOKEN = "bench-verify-token"
_WAIT = 60.0


class BenchError(Exception):
    """It can't be measured; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Floor:
    """A running floor."""

    port: int
    workers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Product:
    """A running optledger."""

    port: int
    internal_port: int
    workers: tuple[int, ...]
    postmaster: int
    dsn: str

    def query(self, statement: str) -> int:
        """Return the one number that a statement gives, asked as the owner of the database."""

        async def ask() -> int:
            conn = await asyncpg.connect(self.dsn)
            try:
                return int(await conn.fetchval(statement))
            finally:
                await conn.close()

        return asyncio.run(ask())

    def rows(self) -> int:
        """Return how many messages are stored."""
        return self.query("select count(*) from message")

    def metric(self, name: str) -> float:
        """Return a sum over all workers of what /metrics shows under this name."""
        text = _get(f"http://{HOST}:{self.internal_port}/metrics").decode()
        lines = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        return sum(float(value) for key, value in lines if key.split("{", 1)[0] == name)


@contextmanager
def floor(workers: int, core: set[int] | None) -> Iterator[Floor]:
    """Run the floor, its workers on `core` if given."""
    port = free_port()
    command = [sys.executable, "-m", "bench.floor", str(port), str(workers)]
    with _running(command, {}) as pid:
        _wait_for(f"http://{HOST}:{port}/", pid, "the floor")
        yield Floor(port, _pinned(pid, workers, core))


@contextmanager
def product(folder: Path, workers: int, core: set[int] | None) -> Iterator[Product]:
    """Run the installed optledger with the database of this folder, its workers on `core`."""
    if effective_data_dir(folder) != folder.resolve():
        raise BenchError("the database's account can't enter the temporary folder: set TMPDIR")
    public, internal = free_port(), free_port()
    settings = {
        "OPTLEDGER_DATA_DIR": str(folder),
        "OPTLEDGER_PUBLIC_PORT": str(public),
        "OPTLEDGER_INTERNAL_PORT": str(internal),
        "OPTLEDGER_WORKERS": str(workers),
        "OPTLEDGER_LOG_LEVEL": "error",
    }
    command = str(Path(sys.executable).parent / "optledger")
    new = not folder.exists()
    with _running([command, "serve"], settings) as pid:
        _wait_for(f"http://{HOST}:{internal}/readyz", pid, "optledger")
        if new:
            _make_app(command, settings)
        hello = f"hub.mode=subscribe&hub.challenge=1&hub.verify_token={_TOKEN}"
        _wait_for(f"http://{HOST}:{public}/webhook/{APP}?{hello}", pid, "optledger")
        time.sleep(1.2)  # each worker asks once a second for new apps
        args = connect_args_of(Home.find(folder))
        postmaster = int((folder / "postgres" / "postmaster.pid").read_text().split()[0])
        pinned = _pinned(pid, workers, core)
        yield Product(public, internal, pinned, postmaster, dsn_of(args))


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _make_app(command: str, settings: dict[str, str]) -> None:
    made = [command, "app", "create", APP, "--app-secret", SECRET, "--verify-token", _TOKEN]
    done = subprocess.run(
        made, env=_environment(settings), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BenchError(f"the app can't be made: {done.stderr.strip()}")


def _pinned(server: int, workers: int, core: set[int] | None) -> tuple[int, ...]:
    found = tuple(proc.workers(server))
    if len(found) != workers:
        raise BenchError(f"{len(found)} workers run, not {workers}: see bench/proc.py")
    for pid in found if core else ():
        proc.pin(pid, core or set())
    return found


@contextmanager
def _running(command: list[str], settings: dict[str, str]) -> Iterator[int]:
    server = subprocess.Popen(
        command, cwd=ROOT, env=_environment(settings), stdout=subprocess.DEVNULL
    )
    try:
        yield server.pid
    finally:
        server.terminate()
        try:
            server.wait(60)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _environment(settings: dict[str, str]) -> dict[str, str]:
    """Return our environment without settings of an optledger that is not measured here."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPTLEDGER_")}
    return kept | settings


def _wait_for(url: str, pid: int, what: str) -> None:
    until = time.monotonic() + _WAIT
    while True:
        try:
            _get(url)
        except OSError as exc:
            if time.monotonic() > until or not proc.alive(pid):
                raise BenchError(f"{what} does not start: {exc}; its own words are above") from exc
            time.sleep(0.1)
        else:
            return


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:
        content: bytes = answer.read()
        return content

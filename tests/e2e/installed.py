"""The installed command, run as a user runs it: in processes of its own, over real ports."""

import asyncio
import hashlib
import hmac
import http.client
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from db.contact_keys import ContactKeys
from db.embedded import process
from db.embedded.home import Home, account_for
from db.keyfile import read_key_file
from tests.kit import delivery, message

COMMAND = Path(sys.executable).with_name("optledger")
APP, SECRET, TOKEN = "shop", "a-secret-of-the-e2e-tests", "a-token-of-the-e2e-tests"

_phones = itertools.count(12_125_550_000)  # every test takes its own
_messages = itertools.count(1)


def a_phone() -> str:
    """A number nobody else here has."""
    return str(next(_phones))


def a_message_id() -> str:
    return f"wamid.E2E{os.getpid()}x{next(_messages)}"


def says(words: str, phone: str | None, **more: Any) -> bytes:
    """A delivery with one message, said now."""
    more = {"at": int(time.time()), "id": a_message_id()} | more
    return delivery(message(words, phone=phone, **more))


def signature(body: bytes, secret: str = SECRET) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"x-hub-signature-256": f"sha256={digest}"}


def free_ports(count: int = 2) -> list[int]:
    """Ports nobody listens on now."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def until(true: Callable[[], Any], what: str, seconds: float = 20, pause: float = 0.02) -> Any:
    """Poll until something is true, and return it."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(pause)
    return found


def side_by_side(*calls: Callable[[], Any]) -> list[Any]:
    """Make calls at the same time, since starting Python is what takes it, and return what came."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return [one.result() for one in [pool.submit(call) for call in calls]]


def figure(told: str) -> None:
    """Show what was measured; pytest keeps it unless asked (-s)."""
    sys.stdout.write(f"{told}\n")


@dataclass
class Answer:
    """What came back for one request."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float = 0.0

    @property
    def code(self) -> str:
        """The code of a refusal."""
        found: str = json.loads(self.body)["error"]["code"]
        return found


def request(
    port: int,
    method: str,
    path: str,
    body: Any = None,
    headers: dict[str, str] | None = None,
    *,
    seconds: float = 20,
) -> Answer:
    """Send one request over a connection of its own."""
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request(method, path, body, headers or {})
        return answer_of(connection, began)
    finally:
        connection.close()


def answer_of(connection: http.client.HTTPConnection, began: float) -> Answer:
    answer = connection.getresponse()
    body = answer.read()
    headers = {name.lower(): value for name, value in answer.getheaders()}
    return Answer(answer.status, headers, body, time.monotonic() - began)


def ends_in_a_sentence(done: "subprocess.CompletedProcess[str]") -> None:
    """See that a command shows a person no traceback and no warning, whatever it was given."""
    for shown in (done.stdout, done.stderr):
        assert "Traceback" not in shown, done.stderr
        assert "Warning:" not in shown, done.stderr


@dataclass
class Installed:
    """One installation: a folder, its settings, and the service when it runs."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.public, self.internal = free_ports()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def data_dir(self) -> Path:
        return self.folder / "var"

    @property
    def key_file(self) -> Path:
        return self.data_dir / "keys.json"

    @property
    def home(self) -> Home:
        return Home(data_dir=self.data_dir, account=account_for(self.data_dir))

    def environment(self, settings: dict[str, str] | None = None) -> dict[str, str]:
        """What the command sees: ours, and none of whoever runs the tests."""
        outside = {
            name: value for name, value in os.environ.items() if not name.startswith("OPTLEDGER_")
        }
        ours = {
            "OPTLEDGER_DATA_DIR": str(self.data_dir),
            "OPTLEDGER_PUBLIC_PORT": str(self.public),
            "OPTLEDGER_INTERNAL_PORT": str(self.internal),
            "PYTHONWARNINGS": "default",
        }
        return outside | ours | self.settings | (settings or {})

    # A command that ends

    def run_any(
        self, *args: str, settings: dict[str, str] | None = None, seconds: float = 60
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end, whatever it says."""
        return subprocess.run(
            [COMMAND, *args],
            env=self.environment(settings),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=seconds,
            check=False,
        )

    def run(
        self, *args: str, settings: dict[str, str] | None = None, seconds: float = 60
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end; it shows no traceback and no warning."""
        done = self.run_any(*args, settings=settings, seconds=seconds)
        ends_in_a_sentence(done)
        return done

    def ok(self, *args: str, settings: dict[str, str] | None = None) -> str:
        """Run a command that must succeed, and return what it printed."""
        done = self.run(*args, settings=settings)
        assert done.returncode == 0, (args, done.stdout, done.stderr)
        return done.stdout

    def json(self, *args: str, codes: tuple[int, ...] = (0,)) -> Any:
        """Run a command with --json, and return what it printed, parsed."""
        done = self.run(*args, "--json")
        assert done.returncode in codes, (args, done.stdout, done.stderr)
        return json.loads(done.stdout)

    def check(self, contact: str, category: str = "marketing", app: str = APP) -> dict[str, Any]:
        """Ask, and see that the exit code says the same as the answer."""
        args = ("check", "--app", app, "--to", contact, "--category", category, "--json")
        done = self.run(*args)
        assert done.returncode in (0, 1), done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        assert answer["may_send"] is (done.returncode == 0)
        return answer

    def make_app(self, slug: str = APP, secret: str = SECRET, token: str = TOKEN) -> None:
        self.ok("app", "create", slug, "--app-secret", secret, "--verify-token", token)

    # The service

    @property
    def logs(self) -> tuple[Path, Path]:
        return self.folder / "serve.out", self.folder / "serve.err"

    def log(self) -> str:
        return "".join(path.read_text(errors="replace") for path in self.logs if path.exists())

    def begin(self, *args: str) -> None:
        """Begin to serve, and don't wait."""
        out, err = (path.open("ab") for path in self.logs)
        with out, err:
            self.process = subprocess.Popen(
                [COMMAND, "serve", *args],
                env=self.environment(),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )

    def start(self, *args: str, seconds: float = 60) -> float:
        """Serve, and return after how many seconds a delivery can come."""
        before = self.greetings()
        began = time.monotonic()
        self.begin(*args)
        process = self.process
        assert process is not None
        until(
            lambda: self.greetings() > before or process.poll() is not None,
            "the service greets",
            seconds,
        )
        took = time.monotonic() - began
        assert process.poll() is None, self.log()
        assert self.ready()
        return took

    def greetings(self) -> int:
        """How often a start came through."""
        return self.log().count("optledger serves.")

    def ready(self) -> bool:
        try:
            return request(self.internal, "GET", "/readyz", seconds=5).status == 200
        except OSError:
            return False

    def stop(self, seconds: float = 40) -> int:
        """Stop in order and return the exit code; there was no traceback, and nothing is left."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(seconds)
        self.process = None
        assert "Traceback" not in self.log()
        assert not process.serving(self.home)
        return code

    def workers(self) -> list[int]:
        """The worker processes that live now."""
        return [] if self.process is None else _workers_of(self.process.pid)

    def postgres(self) -> set[int]:
        return process.serving(self.home)

    def postmaster(self) -> int:
        pid, _ = process.recorded(self.home)
        assert pid is not None
        return pid

    def end(self) -> None:
        """End whatever of us is left, however the test went."""
        if self.process is not None:
            left = [self.process.pid, *_children_of(self.process.pid)]
            for pid in left:
                kill(pid)
            self.process.wait(10)
            self.process = None
        if (self.data_dir / "postgres").exists():
            for pid in self.postgres():
                kill(pid, signal.SIGCONT)
            process.stop_leftovers(self.home)

    # What a client does

    def post(
        self, body: bytes, *, app: str = APP, secret: str = SECRET, seconds: float = 20
    ) -> Answer:
        """Deliver, signed."""
        headers = {"content-type": "application/json"} | signature(body, secret)
        return request(self.public, "POST", f"/webhook/{app}", body, headers, seconds=seconds)

    def get(self, path: str) -> Answer:
        return request(self.public, "GET", path)

    def ask_inside(self, path: str) -> Answer:
        return request(self.internal, "GET", path)

    def metrics(self) -> dict[str, float]:
        """Every sample of one scrape."""
        lines = self.ask_inside("/metrics").body.decode().splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    # What stands in the database

    def sql(self, query: str, *args: object) -> list[asyncpg.Record]:
        """Ask the embedded database as its owner."""
        password = (self.data_dir / "postgres.password").read_text(encoding="ascii").strip()
        address = {"host": str(self.home.run_dir), "port": 5432, "database": "optledger"}
        who = {"user": "optledger_owner", "password": password}

        async def ask() -> list[asyncpg.Record]:
            conn = await asyncpg.connect(**address, **who)
            try:
                return await conn.fetch(query, *args)
            finally:
                await conn.close()

        return asyncio.run(ask())

    def entries_of(self, phones: "list[str] | set[str]", app: str = APP) -> dict[str, int]:
        """How many entries each of these has in the audit table; 0 for one not opted out."""
        app_id = self.sql("select app_id from app where slug = $1", app)[0][0]
        keys = ContactKeys(read_key_file(self.key_file).index_key, app_id)
        rows = self.sql(ENTRIES, app_id)
        counted = {row["contact_key"]: row["entries"] for row in rows if row["opted_out"]}
        return {phone: counted.get(keys.name(phone), 0) for phone in phones}


ENTRIES = """
select contact_key, bool_or(opted_out_at is not null) as opted_out,
    (select count(*) from audit_entry where contact_ref = contact.contact_ref) as entries
from contact join consent using (app_id, contact_key)
where app_id = $1 group by contact_key, contact_ref
"""


def kill(pid: int, what: signal.Signals = signal.SIGKILL) -> None:
    try:
        os.kill(pid, what)
    except ProcessLookupError:
        return


def _children_of(parent: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, ppid = stat.read_text().rsplit(")", 1)[1].split()[:2]
        except OSError:
            continue
        if int(ppid) == parent and state != "Z":
            found.append(int(stat.parent.name))
    return found


def _workers_of(parent: int) -> list[int]:
    found = []
    for pid in _children_of(parent):
        try:
            called = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if b"spawn_main" in called:
            found.append(pid)
    return found


@contextmanager
def stopped(pids: set[int]) -> Iterator[None]:
    """Let processes stand still, and go on afterwards whatever happened."""
    for pid in pids:
        kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            kill(pid, signal.SIGCONT)

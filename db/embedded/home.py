"""Where the embedded PostgreSQL keeps its things, and which account may touch them."""

import hashlib
import os
import pwd
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from db.embedded.errors import NoAccount, NotOurs, NotWritable, OutOfReach

SYSTEM_BASE = Path("/var/lib/optledger")  # where root puts what has to stand elsewhere
UNPRIVILEGED = ("postgres", "nobody")  # accounts root may lend to the server, first found wins
SOCKET_DIR_LIMIT = 85  # bytes: a socket's path holds 103 on macOS, its name takes 18
CHILD_ENV = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True, slots=True)
class Account:
    """Who the server runs as. `switch`: we are root and have to become it."""

    name: str
    uid: int
    gid: int
    switch: bool

    @property
    def user(self) -> int | None:
        """The uid a child process has to take on, None to stay who we are."""
        return self.uid if self.switch else None

    @property
    def group(self) -> int | None:
        """The gid a child process has to take on, None to stay who we are."""
        return self.gid if self.switch else None

    @property
    def groups(self) -> list[int] | None:
        """The further groups a child process keeps: none of root's."""
        return [] if self.switch else None

    def can(self, test: str, path: Path) -> bool:
        """Try as this account what `test` (a flag of test(1): -x, -w) says about a path."""
        script = 'test "$1" "$2"'
        return self.run(["/bin/sh", "-c", script, "sh", test, str(path)]).returncode == 0

    def run(
        self, args: list[str], timeout: float | None = 60
    ) -> "subprocess.CompletedProcess[str]":
        """Run a short program as this account and keep what it prints.

        Raises OSError if it cannot be executed, or if we may not take the account on.
        """
        return subprocess.run(  # noqa: S603 our own arguments, no shell
            args, user=self.user, group=self.group, extra_groups=self.groups, cwd="/",
            env=CHILD_ENV, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            errors="replace", timeout=timeout, check=False,
        )  # fmt: skip


def account_for(data_dir: Path) -> Account:
    """Return the account that runs the server of a data directory.

    As root that is whichever of `UNPRIVILEGED` owns its cluster, else the first that exists.
    """
    me, owner = os.geteuid(), owner_of(_cluster_in(data_dir))
    if me != 0:
        if owner not in (None, me):
            _refuse_if_anothers(data_dir)
            raise NotOurs(f"{_cluster_in(data_dir)} belongs to {name_of(owner)}")
        return Account(name=_entry(me).pw_name, uid=me, gid=os.getegid(), switch=False)
    lendable = [entry for entry in map(_named, UNPRIVILEGED) if entry and entry.pw_uid != 0]
    if not lendable:
        raise NoAccount("we are root, and there is no account postgres or nobody")
    chosen = lendable[0]
    if owner is not None:
        owners = [entry for entry in lendable if entry.pw_uid == owner]
        if not owners:
            raise NotOurs(f"{_cluster_in(data_dir)} belongs to {name_of(owner)}, we are root")
        chosen = owners[0]
    return Account(name=chosen.pw_name, uid=chosen.pw_uid, gid=chosen.pw_gid, switch=True)


@dataclass(frozen=True, slots=True)
class Home:
    """The data directory and what stands in it."""

    data_dir: Path
    account: Account
    base: Path = SYSTEM_BASE

    @classmethod
    def find(cls, wanted: Path, base: Path = SYSTEM_BASE) -> "Home":
        """Return the home for a wanted data directory; makes the directory, not yet the rest."""
        data_dir = effective_data_dir(wanted, base=base)
        account = account_for(data_dir)
        with writing(data_dir):
            make_dir(data_dir, 0o711 if account.switch else 0o700)
        if account.switch and not account.can("-x", data_dir):
            raise OutOfReach(f"account {account.name} cannot pass to {data_dir}")
        if not os.access(data_dir, os.W_OK | os.X_OK):
            _refuse_if_anothers(data_dir)
            raise NotWritable(f"{data_dir} is not writable")
        return cls(data_dir=data_dir, account=account, base=base)

    @property
    def postgres_dir(self) -> Path:
        """The cluster itself: what PostgreSQL calls PGDATA."""
        return _cluster_in(self.data_dir)

    @property
    def run_dir(self) -> Path:
        """The folder of the socket; in /tmp where the path is too long for a socket."""
        usual = self.data_dir / "run"
        if len(os.fsencode(usual)) <= SOCKET_DIR_LIMIT:
            return usual
        return Path("/tmp", f"optledger-{self.account.uid}-{_digest(usual)}")  # noqa: S108 checked when made

    @property
    def password_file(self) -> Path:
        """The owner role's password, mode 0600."""
        return self.data_dir / "postgres.password"

    @property
    def log_file(self) -> Path:
        """What the server says: nothing that a statement or a row contained."""
        return self.data_dir / "postgres.log"

    @property
    def lock_file(self) -> Path:
        """Held by whoever starts or stops the server; by `serve` for its life."""
        return self.data_dir / "postgres.lock"

    @property
    def users_file(self) -> Path:
        """Held, shared, by every command that uses the server."""
        return self.data_dir / "postgres.users"

    def make_run_dir(self) -> None:
        """Make the private folder of the socket, or check that the one there is ours alone."""
        with writing(self.run_dir):
            make_dir(self.run_dir, 0o700, self.account)
        found = self.run_dir.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != self.account.uid:
            raise NotOurs(f"{self.run_dir} is not a folder of account {self.account.name}")
        if stat.S_IMODE(found.st_mode) & 0o077:
            raise NotOurs(f"{self.run_dir} is open to others, it must have mode 0700")


def effective_data_dir(wanted: Path, *, base: Path = SYSTEM_BASE) -> Path:
    """Return where the data of a wanted data directory really stands, absolute.

    The wanted one, unless we are root and the server's account cannot pass its parents: then a
    folder of its own below `base`. Where a database already stands, it stays. Makes nothing.
    """
    wanted = Path(os.path.abspath(wanted)).resolve()  # noqa: PTH100 also if it does not exist
    elsewhere = base / f"{wanted.parent.name[:40] or 'data'}-{_digest(wanted)[:8]}"
    if _is_there(wanted) and not wanted.is_dir():
        raise NotWritable(f"{wanted} is not a folder")
    if _is_there(_cluster_in(wanted)):
        return wanted
    if os.geteuid() != 0:
        if _is_there(elsewhere):
            raise NotOurs(f"root runs the database of {wanted} in {elsewhere}")
        return wanted
    if _is_there(_cluster_in(elsewhere)):
        return elsewhere
    nearest = next(path for path in (wanted, *wanted.parents) if path.exists())
    account = account_for(wanted)
    return wanted if account.can("-x", nearest) else elsewhere


def is_made(data_dir: Path) -> bool:
    """Tell whether a database stands in this (effective) data directory."""
    return _is_there(_cluster_in(data_dir))


def make_dir(path: Path, mode: int, account: Account | None = None) -> bool:
    """Make a folder with this mode and owner; return False and touch nothing if it exists.

    Parents we have to make are passable for all, whatever the umask; existing ones stay.
    """
    if path.is_dir():
        return False
    if not path.parent.is_dir():
        make_dir(path.parent, 0o755)
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        return False
    if account is not None and account.switch:
        os.chown(path, account.uid, account.gid, follow_symlinks=False)
    if mode != 0o700:
        path.chmod(mode)
    return True


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the system says about a path we cannot make or write into our own error."""
    try:
        yield
    except OSError as exc:
        raise NotWritable(f"{path}: {exc.strerror or type(exc).__name__}") from exc


def owner_of(path: Path) -> int | None:
    """Return the uid that owns a path, None if it does not exist or we cannot see it."""
    try:
        return path.lstat().st_uid
    except OSError:
        return None


def name_of(uid: int | None) -> str:
    """Return how to name an account in a message."""
    if uid is None:
        return "somebody else"
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _refuse_if_anothers(data_dir: Path) -> None:
    owner, me = owner_of(data_dir), os.geteuid()
    if owner not in (None, me):
        raise NotOurs(f"{data_dir} belongs to {name_of(owner)}, we are {name_of(me)}")


def _is_there(path: Path) -> bool:
    """Tell whether a path exists and may be seen: Path.exists raises where it may not."""
    return os.path.exists(path)  # noqa: PTH110


def _cluster_in(data_dir: Path) -> Path:
    return data_dir / "postgres"


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]


def _entry(uid: int) -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        raise NoAccount(f"uid {uid} has no entry in /etc/passwd") from None


def _named(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None

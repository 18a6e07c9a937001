"""Which processes serve a data directory, and how those that nobody owns any more are stopped.

A process id alone proves nothing: `postmaster.pid` may be years old and its number somebody else's.
The kernel knows better, in two ways: who listens on our private socket, and, on Linux, whose
working directory the cluster is (every PostgreSQL process stands in its own).
"""

import os
import signal
import socket
import struct
import sys
import time
from pathlib import Path

from db.embedded.errors import StillRunning
from db.embedded.home import Home

PAUSE = 0.02
PORT = 5432  # of the socket's name only
PROC = Path("/proc")
LINUX = sys.platform == "linux"
if sys.platform == "linux":
    PEER = (socket.SOL_SOCKET, socket.SO_PEERCRED, 12)  # pid, uid, gid of who listens
else:
    PEER = (0, 2, 4)  # macOS, sys/un.h: SOL_LOCAL, LOCAL_PEERPID
_SAME_PLACE = 'd=$1; shift; for p; do [ "/proc/$p/cwd" -ef "$d" ] && echo "$p"; done'


def recorded(home: Home) -> tuple[int | None, bool]:
    """Return what `postmaster.pid` says: the server's process, and whether it is ready."""
    try:
        lines = (home.postgres_dir / "postmaster.pid").read_text(errors="replace").splitlines()
        pid = int(lines[0])
    except (OSError, IndexError, ValueError):
        return None, False
    return pid, len(lines) > 7 and lines[7].strip() == "ready"


def ready(home: Home) -> bool:
    """Tell whether a server of this data directory takes connections now, whoever started it."""
    pid, says_ready = recorded(home)
    return says_ready and pid is not None and pid == listener(home)


def listener(home: Home) -> int | None:
    """Return the process that listens on our socket, as the kernel names it, or None."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(2)
        try:
            probe.connect(str(home.run_dir / f".s.PGSQL.{PORT}"))
            found = probe.getsockopt(*PEER)
        except BlockingIOError:  # so many are waiting that there is no room for one more
            return recorded(home)[0]
        except OSError:
            return None
    return int(struct.unpack_from("i", found)[0])


def serving(home: Home) -> set[int]:
    """Return every living process of this data directory's server: the postmaster and its own."""
    if not LINUX:
        pid = listener(home)
        return set() if pid is None else {pid}
    try:
        place = home.postgres_dir.stat()
    except OSError:
        return set()
    found: set[int] = set()
    hidden: list[str] = []  # root without CAP_SYS_PTRACE (containers) may not look at another's
    for process in PROC.iterdir():
        if not process.name.isdigit() or not _is_postgres_of(process, home.account.uid):
            continue
        try:
            if os.path.samestat((process / "cwd").stat(), place):
                found.add(int(process.name))
        except PermissionError:
            hidden.append(process.name)
        except OSError:  # it ended meanwhile
            continue
    if hidden:
        script = ["/bin/sh", "-c", _SAME_PLACE, "sh", str(home.postgres_dir), *hidden]
        found |= {int(pid) for pid in home.account.run(script).stdout.split()}
    return found


def stop_leftovers(home: Home, seconds: float = 60) -> None:
    """Stop what still serves this data directory, the postmaster first and in order.

    Only whoever holds the lock may call this. Clears away a `postmaster.pid` that names a process
    of somebody else: with one of the same account PostgreSQL could not tell, and would not start.
    """
    end = time.monotonic() + seconds
    told: tuple[set[int], signal.Signals] | None = None
    while running := serving(home):
        postmaster, _ = recorded(home)
        in_order = postmaster in running and time.monotonic() < end - seconds / 2
        order = (
            ({pid for pid in running if pid == postmaster}, signal.SIGINT)
            if in_order
            else (running, signal.SIGQUIT)
        )
        if order != told:
            _tell(*order)
            told = order
        if time.monotonic() > end:
            raise StillRunning(f"processes {sorted(running)} still serve {home.postgres_dir}")
        time.sleep(PAUSE)
    if listener(home) is not None:
        raise StillRunning(f"a server in another container still serves {home.postgres_dir}")
    if LINUX:
        _remove_stale_pid_files(home)


def _remove_stale_pid_files(home: Home) -> None:
    """Nothing serves the cluster: remove pid files whose number now is another's process."""
    for path in (home.postgres_dir / "postmaster.pid", home.run_dir / f".s.PGSQL.{PORT}.lock"):
        try:
            pid = int(path.read_text(errors="replace").split("\n", 1)[0])
            if (PROC / str(pid)).exists():
                path.unlink()
        except (OSError, ValueError):
            continue


def _is_postgres_of(process: Path, uid: int) -> bool:
    try:
        return process.stat().st_uid == uid and (process / "comm").read_text() == "postgres\n"
    except OSError:
        return False


def _tell(pids: set[int], what: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, what)
        except ProcessLookupError:
            continue
        except PermissionError as exc:
            raise StillRunning(f"process {pid} is not ours to stop") from exc

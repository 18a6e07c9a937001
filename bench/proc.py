"""What Linux tells of processes: their children, their CPU time and memory; and where they run."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

_PROC = Path("/proc")
_TICK = os.sysconf("SC_CLK_TCK")


def children(pid: int) -> list[int]:
    """Return the processes that this one started and that still run."""
    found = []
    for place in _PROC.iterdir():
        if place.name.isdigit():
            fields = _stat(int(place.name))
            if fields and int(fields[1]) == pid:
                found.append(int(place.name))
    return found


def workers(pid: int) -> list[int]:
    """Return the worker processes of a server: those that multiprocessing spawned."""
    return [child for child in children(pid) if b"spawn_main" in _read(child, "cmdline")]


def alive(pid: int) -> bool:
    """Tell whether a process runs; one that ended and was not asked for yet does not."""
    fields = _stat(pid)
    return fields is not None and fields[0] != "Z"


def cpu_seconds(pids: Iterable[int], *, with_ended: bool = False) -> float:
    """Return the CPU time of processes so far, with that of their ended children if asked."""
    ticks = 0
    for pid in pids:
        fields = _stat(pid)
        if fields:
            ticks += sum(int(field) for field in fields[11 : 15 if with_ended else 13])
    return ticks / _TICK


def database_seconds(postmaster: int) -> float:
    """Return the CPU time of a PostgreSQL: all its processes, those that ended too."""
    return cpu_seconds([postmaster], with_ended=True) + cpu_seconds(children(postmaster))


def machine_seconds() -> float:
    """Return the CPU time that the whole machine was busy, time stolen by a hypervisor included."""
    first = (_PROC / "stat").read_text().split("\n", 1)[0].split()
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, first[1:9])
    return (user + nice + system + irq + softirq + steal) / _TICK


def resident(pid: int) -> int:
    """Return the resident memory of a process, in bytes."""
    return int(_read(pid, "statm").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def pin(pid: int, cores: set[int]) -> None:
    """Let a process, with all its threads, run on these cores only."""
    for thread in (_PROC / str(pid) / "task").iterdir():
        os.sched_setaffinity(int(thread.name), cores)


@contextmanager
def only_on(cores: set[int]) -> Iterator[None]:
    """Run on these cores, and have all that is started meanwhile run there."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _stat(pid: int) -> list[str] | None:
    """Return the fields of `stat` from the state on, or None if the process is gone."""
    text = _read(pid, "stat").decode("utf-8", "replace")
    return text.rpartition(")")[2].split() if text else None


def _read(pid: int, name: str) -> bytes:
    try:
        return (_PROC / str(pid) / name).read_bytes()
    except OSError:
        return b""

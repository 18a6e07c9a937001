"""One run: what the sender saw, what it cost, and what really came into the database."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench import proc
from bench.load import Load
from bench.servers import BenchError, Floor, Product

_SETTLE = 0.4  # seconds in which what is under way when the sender stops is committed


@dataclass(frozen=True, slots=True)
class Run:
    """What one run came to. CPU times in seconds; `new_messages` are rows that were not there."""

    load: Load
    new_messages: int
    worker_seconds: tuple[float, ...]
    database_seconds: float
    other_seconds: float  # of whoever else used the machine
    batch: float  # deliveries a transaction, on average
    resident: int = 0  # bytes, of the largest worker

    @property
    def messages_rate(self) -> float:
        """New messages a second."""
        return self.new_messages / self.load.seconds

    @property
    def server_micros(self) -> float:
        """CPU microseconds of all workers a message; for the floor a request."""
        return 1e6 * sum(self.worker_seconds) / max(1, self.new_messages or self.load.requests)

    @property
    def database_micros(self) -> float:
        """CPU microseconds of PostgreSQL a message."""
        return 1e6 * self.database_seconds / max(1, self.new_messages)


def run_floor(server: Floor, send: Callable[[], Load]) -> Run:
    """Measure the floor."""
    machine, before = proc.machine_seconds(), _each(server.workers)
    load = send()
    worker_seconds = _since(before, server.workers)
    others = proc.machine_seconds() - machine - sum(worker_seconds) - load.sender_seconds
    _need_answers(load)
    return Run(load, 0, worker_seconds, 0.0, others, 0.0)


def run_product(server: Product, messages_each: int, send: Callable[[], Load]) -> Run:
    """Measure optledger; refuse a run in which what was answered is not what is stored."""
    rows = server.rows()
    sums = _batches(server)
    machine, before = proc.machine_seconds(), _each(server.workers)
    database = proc.database_seconds(server.postmaster)
    load = send()
    time.sleep(_SETTLE)
    worker_seconds = _since(before, server.workers)
    database = proc.database_seconds(server.postmaster) - database
    others = proc.machine_seconds() - machine - sum(worker_seconds) - database
    deliveries, batches = (now - then for now, then in zip(_batches(server), sums, strict=True))
    new = server.rows() - rows
    _need_answers(load)
    if new < load.requests * messages_each:
        raise BenchError(f"{load.requests} requests were answered, but only {new} messages are new")
    return Run(
        load=load,
        new_messages=new,
        worker_seconds=worker_seconds,
        database_seconds=database,
        other_seconds=others - load.sender_seconds,
        batch=deliveries / max(1.0, batches),
        resident=max(map(proc.resident, server.workers)),
    )


def middle(runs: Sequence[Run], of: Callable[[Run], float]) -> float:
    """Return the median of something over runs."""
    return statistics.median(map(of, runs))


def _need_answers(load: Load) -> None:
    if load.failed:
        raise BenchError(f"{load.failed} of {load.requests} requests were refused or broke")


def _batches(server: Product) -> tuple[float, float]:
    name = "optledger_batch_deliveries"
    return server.metric(f"{name}_sum"), server.metric(f"{name}_count")


def _each(pids: Sequence[int]) -> tuple[float, ...]:
    return tuple(proc.cpu_seconds([pid]) for pid in pids)


def _since(before: Sequence[float], pids: Sequence[int]) -> tuple[float, ...]:
    return tuple(now - then for now, then in zip(_each(pids), before, strict=True))

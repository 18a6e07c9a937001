"""Group commit: what requests bring while a transaction is under way goes into the next one.

No timer gathers: the first delivery starts a transaction at once, alone; while it runs the others
queue up, and the next transaction takes them all. So batches grow by themselves with the load.
A batch holds one app only. While much waits, a second batch of the same app is written beside the
first: rows are locked in one order everywhere, so batches wait for each other and never in a ring.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import msgspec
import structlog

from db.statements import Connection
from intake.acts import Intake
from intake.app import App
from intake.observer import Observer, Unobserved
from intake.write import Writer
from webhook.errors import StoreUnavailable

_log = structlog.get_logger()
_LOG_EVERY_SECONDS = 10.0
_JOIN_AT = 16  # deliveries


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may wait, and for how long."""

    batch_items: int = 2000  # a batch is closed when it has this many
    waiting_bytes: int = 64 * 1024 * 1024  # bodies in the queue; more is refused with 503
    answer_within: float = 2.0  # seconds; whoever waited longer gets 503, and Meta sends again
    writers: int = 2  # connections a process writes over, each with one app's batch at a time
    retry_after: float = 0.5  # seconds before a database that was away is tried again


class _Waiting(msgspec.Struct):
    intake: Intake
    done: asyncio.Future  # type: ignore[type-arg]
    until: float


@dataclass(slots=True)
class _Queue:
    """What waits for one app, how many writers have a batch of it, and whether it is in line."""

    app: App
    waiting: deque[_Waiting] = field(default_factory=deque)
    writing: int = 0
    under_way: int = 0  # deliveries in those batches
    in_line: bool = False

    def ready(self) -> bool:
        """Whether a writer should take a batch now.

        A second writer joins only when as much waits as half of what is under way: the database
        then has work while we prepare the next batch, and batches stay large.
        """
        if self.in_line or not self.waiting:
            return False
        return not self.writing or len(self.waiting) >= max(_JOIN_AT, self.under_way // 2)


class Recorder:
    """Records what deliveries brought, together, and tells each when it is committed."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[Connection]],
        *,
        step_down: bool,
        limits: Limits | None = None,
        observer: Observer | None = None,
    ) -> None:
        self._limits = limits or Limits()
        self._observer = observer or Unobserved()
        self._writers = [
            Writer(connect, step_down=step_down, observer=self._observer)
            for _ in range(self._limits.writers)
        ]
        self._queues: dict[int, _Queue] = {}
        self._ready: asyncio.Queue[_Queue] = asyncio.Queue()
        self._writing: list[list[_Waiting]] = [[] for _ in self._writers]
        self._bytes = 0
        self._away_until = 0.0
        self._quiet_until = 0.0
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start the writers."""
        self._tasks = [
            asyncio.create_task(self._write(number, writer))
            for number, writer in enumerate(self._writers)
        ]
        self._tasks.append(asyncio.create_task(self._watch()))

    async def stop(self) -> None:
        """Write what waits, then close the connections."""
        while self._bytes and self._tasks:  # noqa: ASYNC110  seen once, at the end of a process
            await asyncio.sleep(0.01)
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        for writer in self._writers:
            await writer.close()

    def record(self, app: App, intake: Intake) -> "asyncio.Future[None]":
        """Queue what a delivery brought; the future is done when it is committed.

        Raises StoreUnavailable, at once or through the future, when it could not be committed:
        the database is away, the queue is full, or the time to answer is over.
        """
        loop = asyncio.get_running_loop()
        now = loop.time()
        if now < self._away_until:
            raise StoreUnavailable("the database is away")
        if self._bytes + len(intake.body) > self._limits.waiting_bytes and self._bytes:
            raise StoreUnavailable("too much waits to be written", retry_after=1)
        waiting = _Waiting(intake, loop.create_future(), now + self._limits.answer_within)
        queue = self._queues.get(app.app_id)
        if queue is None:
            queue = self._queues[app.app_id] = _Queue(app)
        queue.app = app  # settings may have changed since
        queue.waiting.append(waiting)
        self._bytes += len(intake.body)
        if queue.ready():
            queue.in_line = True
            self._ready.put_nowait(queue)
        return waiting.done

    async def _write(self, number: int, writer: Writer) -> None:
        while True:
            queue = await self._ready.get()
            batch = self._writing[number] = self._take(queue)
            queue.in_line = False
            queue.writing += 1
            queue.under_way += len(batch)
            try:
                await writer.write(queue.app, [waiting.intake for waiting in batch])
            except Exception as exc:  # whatever it is: the writer goes on, nobody gets a 200
                self._failed(queue, batch, exc)
            else:
                for waiting in batch:
                    if not waiting.done.done():
                        waiting.done.set_result(None)
            self._writing[number] = []
            self._bytes -= sum(len(waiting.intake.body) for waiting in batch)
            self._observer.waiting(len(queue.waiting))
            queue.writing -= 1
            queue.under_way -= len(batch)
            if queue.ready():
                queue.in_line = True
                self._ready.put_nowait(queue)

    def _take(self, queue: _Queue) -> list[_Waiting]:
        """Take the next batch; a delivery is never torn apart, so one may be over the limit."""
        batch: list[_Waiting] = []
        items = 0
        while queue.waiting and items < self._limits.batch_items:
            waiting = queue.waiting.popleft()
            items += max(1, len(waiting.intake.items))
            batch.append(waiting)
        return batch

    def _failed(self, queue: _Queue, batch: Sequence[_Waiting], exc: Exception) -> None:
        """Refuse the batch and all behind it: what is not committed is not acknowledged."""
        behind = list(queue.waiting)
        queue.waiting.clear()
        self._bytes -= sum(len(waiting.intake.body) for waiting in behind)
        known = isinstance(exc, StoreUnavailable)
        if known:
            self._away_until = asyncio.get_running_loop().time() + self._limits.retry_after
            self._log_away("store_unavailable", reason=str(exc.args[0]))
        else:
            _log.error("batch_not_written", exc_info=exc)
        for waiting in (*batch, *behind):
            _refuse(waiting, str(exc.args[0]) if known else type(exc).__name__)

    def _log_away(self, event: str, **more: str) -> None:
        """Log that deliveries are refused: when it begins, and then now and again."""
        now = asyncio.get_running_loop().time()
        if now >= self._quiet_until:
            self._quiet_until = now + _LOG_EVERY_SECONDS
            _log.error(event, **more)

    async def _watch(self) -> None:
        """Refuse whoever waited too long. The batch may still be committed; then it is known."""
        while True:
            await asyncio.sleep(0.1)
            now = asyncio.get_running_loop().time()
            for line in (*self._writing, *(queue.waiting for queue in self._queues.values())):
                for waiting in line:
                    if waiting.until > now:
                        break  # those behind came later
                    _refuse(waiting, "the database did not commit in time")
                    self._log_away("commits_too_slow")


def _refuse(waiting: _Waiting, reason: str) -> None:
    if not waiting.done.done():
        waiting.done.set_exception(StoreUnavailable(reason))
        waiting.done.exception()  # whoever asked may be gone; then nobody else looks at it

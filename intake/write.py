"""One writer: a connection, a lane in the audit table, and what to do when a batch is refused."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

import asyncpg

from db import statements
from db.database import UNREACHABLE, DatabaseError, transaction
from db.statements import Connection, QuarantineRow
from intake.acts import Intake
from intake.app import App
from intake.observer import Observer
from intake.record import Lane, Recorded, record
from webhook.errors import StoreUnavailable

# The server or the way to it is at fault, not the data: nothing was lost, try later. By SQLSTATE
# class: 08 connection, 25 read-only standby, 53 resources (disk full), 57 operator, 58 system,
# F0 configuration, XX internal, 42 a table or right is missing (a migration is due).
_STORE_CLASSES = frozenset({"08", "25", "53", "57", "58", "F0", "XX", "42"})
_RETRY = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
_RETRIES = 5
_DAY = 86400


class Writer:
    """Writes batches over one connection, which it opens when needed."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[Connection]],
        *,
        step_down: bool,
        observer: Observer,
    ) -> None:
        self._connect = connect
        self._step_down = step_down
        self._observer = observer
        self._conn: Connection | None = None
        self._lane = Lane()
        self._days: set[int] = set()  # since 1970, whose partition is there

    async def write(self, app: App, batch: Sequence[Intake]) -> None:
        """Commit a batch; set aside what the database refuses. Raises StoreUnavailable."""
        try:
            await self._write(app, batch)
        except _StoreFailedError as exc:
            await self.close()
            # The commit may have come through or not. Known messages bring nothing new, so the
            # batch may simply be written again; only the numbers of the lane may be used up.
            self._lane = Lane()
            try:
                await self._write(app, batch)
            except _StoreFailedError as again:
                await self.close()
                self._lane = Lane()
                raise StoreUnavailable(str(again)) from exc

    async def close(self) -> None:
        """Drop the connection without waiting for it."""
        if self._conn is not None:
            self._conn.terminate()
            self._conn = None

    async def _write(self, app: App, batch: Sequence[Intake]) -> None:
        try:
            await self._record(app, batch)
        except _StoreFailedError:
            raise
        except Exception as exc:
            if len(batch) > 1:
                middle = len(batch) // 2
                await self._write(app, batch[:middle])
                await self._write(app, batch[middle:])
            else:
                await self._one_by_one(app, batch[0], exc)

    async def _one_by_one(self, app: App, intake: Intake, exc: Exception) -> None:
        """Write the items of a refused delivery alone, and set the delivery aside.

        What could be recorded is; feeding the delivery in again later brings only the rest.
        """
        for item in intake.items if len(intake.items) > 1 else ():
            alone = Intake(intake.received_at, intake.body, items=[item])
            try:
                await self._record(app, [alone])
            except _StoreFailedError:
                raise
            except Exception:  # noqa: S112  the delivery is set aside below, with all items
                continue
        key = app.keys.item(intake.body)
        sealed = app.seal_aside(key, intake.body)
        row = QuarantineRow(key, "not_recorded", type(exc).__name__, sealed)
        rest = Intake(intake.received_at, intake.body, links=intake.links, pairs=intake.pairs)
        rest.unread = [*intake.unread, row]
        await self._record(app, [rest])

    async def _record(self, app: App, batch: Sequence[Intake]) -> None:
        """Run the transaction, again where the server asks for it; raise what else it raises."""
        for attempt in range(_RETRIES + 1):
            try:
                await self._transact(app, batch)
            except asyncpg.CheckViolationError:
                if attempt or not self._days:
                    raise
                self._days.clear()  # a partition we knew was dropped meanwhile
            except _RETRY as exc:
                if attempt == _RETRIES:
                    raise _StoreFailedError("the batch met other writers too often") from exc
                await asyncio.sleep(0.01 * 2**attempt)
            except (DatabaseError, *UNREACHABLE) as exc:
                if _is_store(exc):
                    raise _StoreFailedError(_said(exc)) from exc
                raise
            else:
                return

    async def _transact(self, app: App, batch: Sequence[Intake]) -> None:
        if self._conn is None or self._conn.is_closed():
            self._conn = await self._connect()
        await self._make_months(self._conn, batch)
        began = time.perf_counter()
        recorded = await record(self._conn, app, self._lane, batch, step_down=self._step_down)
        for intake in batch:
            app.note_links(intake.pairs)
        self._observe(batch, recorded, time.perf_counter() - began)

    async def _make_months(self, conn: Connection, batch: Sequence[Intake]) -> None:
        """Make the partitions that the batch needs and this process has not seen yet."""
        days = {item.said_at // _DAY for intake in batch for item in intake.items}
        for day in sorted(days - self._days):
            async with transaction(conn, self._step_down):
                await statements.make_month(conn, datetime.fromtimestamp(day * _DAY, UTC))
            self._days.add(day)

    def _observe(self, batch: Sequence[Intake], recorded: Recorded, seconds: float) -> None:
        self._observer.committed(
            deliveries=len(batch),
            messages=recorded.messages,
            actions=recorded.entries,
            seconds=seconds,
        )
        for intake in batch:
            for row in intake.unread:
                self._observer.quarantined(row.code)


class _StoreFailedError(Exception):
    """The server or the way to it failed; nothing is known to be committed."""


def _is_store(exc: BaseException) -> bool:
    if isinstance(exc, asyncpg.PostgresError):
        return (exc.sqlstate or "XX")[:2] in _STORE_CLASSES
    return True


def _said(exc: BaseException) -> str:
    """Name the failure without what the server quotes of our data."""
    return str(exc) if isinstance(exc, DatabaseError) else type(exc).__name__

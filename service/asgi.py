"""The two doors of a worker, and what opens and closes with them.

Both ports are served by one uvicorn server; which door a request came to is told by the local port
of its connection, which no header can change.
"""

import asyncio
import contextlib
import gc
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from db.database import UNREACHABLE, Database, DatabaseError
from db.keyfile import Keys
from db.migrate import HEAD, revision_of
from intake.recorder import Limits, Recorder
from keywords.matcher import load_matcher
from service import metrics
from service.http import cut_slow_connections
from service.logs import configure_logs
from service.registry import Registry
from service.settings import Settings
from service.store import Addresses, Store
from webhook.endpoint import Webhook

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_log = structlog.get_logger()


@dataclass(frozen=True)
class WorkerOptions:
    """What the parent hands to a worker; never shown, since it holds keys and passwords."""

    settings: Settings = field(repr=False)
    addresses: Addresses = field(repr=False)
    keys: Keys = field(repr=False)
    parent: int = 0


@dataclass(frozen=True)
class BuildApp:
    """Makes the ASGI app in a worker: uvicorn calls it there, after it was sent over."""

    options: WorkerOptions = field(repr=False)

    def __call__(self) -> "Doors":
        """Return a worker's app."""
        configure_logs(self.options.settings.log_level)
        return Doors(self.options)


class Doors:
    """The ASGI app of a worker."""

    def __init__(self, options: WorkerOptions) -> None:
        self._options = options
        self._public_port = options.settings.public_port
        self._worker = _Worker(options)
        find = self._worker.find
        self._webhook = Webhook(find, metrics.note_outcome, body_limit=options.settings.body_limit)
        self._internal = Starlette(
            routes=[
                Route("/livez", _livez),
                Route("/readyz", self._worker.readyz),
                Route("/metrics", _metrics),
            ],
            exception_handlers={404: _not_here},
        )
        # A redirect's address is made of a header of the request.
        self._internal.router.redirect_slashes = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send a request through its door, and open and close the worker with the server."""
        if scope["type"] == "lifespan":
            await _lifespan(self._worker, receive, send)
        elif scope["server"][1] == self._public_port:
            await self._webhook(scope, receive, send)
        else:
            await self._internal(scope, receive, send)  # type: ignore[arg-type]


class _Worker:
    """What a worker keeps open: the store, the recorder, the apps."""

    def __init__(self, options: WorkerOptions) -> None:
        self._options = options
        self._store: Store | None = None
        self._registry: Registry | None = None
        self._recorder: Recorder | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._draining = False

    def find(self, slug: str) -> Any:
        return None if self._registry is None else self._registry.find(slug)

    async def open(self) -> None:
        asyncio.get_running_loop().set_exception_handler(_log_unhandled)
        options = self._options
        database = await Database.open(options.addresses.service)
        self._store = Store(database, options.keys, options.addresses)
        settings = options.settings
        self._recorder = Recorder(
            database.connect,
            step_down=database.step_down,
            limits=Limits(
                answer_within=settings.answer_within, waiting_bytes=settings.waiting_bytes
            ),
            observer=metrics.Measured(),
        )
        self._registry = Registry(self._store, load_matcher(), self._recorder)
        await self._registry.start()
        await self._recorder.start()
        self._tasks = [
            asyncio.create_task(_stop_with_parent(options.parent)),
            asyncio.create_task(_measure()),
            asyncio.create_task(
                cut_slow_connections(settings.request_deadline, metrics.note_outcome)
            ),
        ]

    async def close(self) -> None:
        self._draining = True
        metrics.flush_outcomes()
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self._registry is not None:
            await self._registry.stop()
        if self._recorder is not None:
            await self._recorder.stop()
        if self._store is not None:
            await self._store.database.close()

    async def readyz(self, _request: Request) -> Response:
        """Answer 200 when a delivery could be recorded now, else 503 and why not."""
        problem = await self._problem()
        if problem is None:
            return JSONResponse({"ready": True})
        return JSONResponse({"ready": False, "because": problem}, 503, {"retry-after": "1"})

    async def _problem(self) -> str | None:
        if self._draining or self._store is None:
            return "the service is starting or stopping"
        try:
            async with asyncio.timeout(2), self._store.session() as conn:
                revision = await revision_of(conn)
        except (DatabaseError, *UNREACHABLE) as exc:
            return f"the database is away: {type(exc).__name__}"
        if revision != HEAD:
            return f"the tables are at revision {revision}, not {HEAD}: run `optledger migrate`"
        return None


async def _lifespan(worker: _Worker, receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            try:
                await worker.open()
            except Exception as exc:
                _log.exception("worker_not_started")
                await send({"type": "lifespan.startup.failed", "message": type(exc).__name__})
                return
            _calm_the_collector()
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await worker.close()
            await send({"type": "lifespan.shutdown.complete"})
            return


def _log_unhandled(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what nobody caught, by type and place: asyncio's own message quotes the exception."""
    error = context.get("exception")
    _log.error("unhandled", exc_info=error if isinstance(error, Exception) else None)


def _calm_the_collector() -> None:
    """Let Python's garbage collector look at new objects only, and less often.

    What a worker loaded (libraries, packs, apps) stays for its life. A request makes some hundred
    objects that die by themselves; looking for cycles in them took a fifth of the time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


async def _livez(_request: Request) -> Response:
    """Answer 200 while this process answers at all; it asks nobody else."""
    return PlainTextResponse("ok\n")


async def _metrics(_request: Request) -> Response:
    return Response(metrics.scrape(), media_type=metrics.CONTENT_TYPE)


async def _not_here(_request: Request, _exc: Exception) -> Response:
    told = {"code": "not_found", "message": "there is nothing at this path"}
    return JSONResponse({"error": told}, 404)


async def _measure() -> None:
    while True:
        metrics.note_memory()
        metrics.flush_outcomes()
        await asyncio.sleep(1)


async def _stop_with_parent(parent: int) -> None:
    """Stop when the parent is gone: killed, it can't tell us, and its successor needs our ports."""
    while os.getppid() == parent:  # noqa: ASYNC110  nothing else tells
        await asyncio.sleep(0.2)
    _log.error("parent_gone")
    os.kill(os.getpid(), signal.SIGTERM)

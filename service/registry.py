"""The apps as a worker holds them in memory, kept up to date by asking once a second."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Sequence

import structlog

from db.apps import AppRecord, apps_version, load_apps
from db.contact_keys import ContactKeys
from db.data_keys import ensure_data_key
from db.database import UNREACHABLE, DatabaseError
from db.reviews import count_open
from db.sealing import Sealer
from intake.app import App
from intake.own_words import own_words_of
from intake.recorder import Recorder
from intake.take_in import take_in
from keywords.brand import Brand
from keywords.matcher import Matcher
from service import metrics
from service.store import Store
from webhook.errors import StoreUnavailable
from webhook.signature import Verifier

_log = structlog.get_logger()

# How often a worker asks whether an app was made or changed.
EVERY_SECONDS = 1.0
# How often it counts what waits for a person, app by app, apart from the other: should that take
# long one day, changes of apps still come into force.
COUNT_EVERY_SECONDS = 5.0
_REST = 20  # times as long as counting took is at least between


class AppDoor:
    """What one app's deliveries come in through: `webhook.endpoint.Door`."""

    def __init__(self, registry: "Registry", app: App, record: AppRecord) -> None:
        self._registry = registry
        self.app = app
        self.verifier = Verifier(one.encode() for one in record.active("app_secret"))
        self.verify_tokens: Sequence[str] = record.active("verify_token")

    def take_in(self, body: bytes) -> Awaitable[None]:
        """Record a delivery; done after the commit, or raises StoreUnavailable."""
        registry = self._registry
        return take_in(
            self.app,
            body,
            matcher=registry.matcher,
            recorder=registry.recorder,
            load_key=registry.load_key,
        )


class Registry:
    """All apps of this installation."""

    def __init__(self, store: Store, matcher: Matcher, recorder: Recorder) -> None:
        self._store = store
        self.matcher = matcher
        self.recorder = recorder
        self._doors: dict[str, AppDoor] = {}
        self._version: object = None
        self._tasks: list[asyncio.Task[None]] = []

    def find(self, slug: str) -> AppDoor | None:
        """Return the door of an app, or None if there is none of this name."""
        return self._doors.get(slug)

    async def start(self) -> None:
        """Load the apps, and keep asking."""
        await self._load()
        self._tasks = [
            asyncio.create_task(self._keep_loading()),
            asyncio.create_task(self._keep_counting()),
        ]

    async def stop(self) -> None:
        """Stop asking."""
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def load_key(self, app: App, number: int) -> None:
        """Fetch a data key that is needed, or make it; raises StoreUnavailable."""
        await load_key(self._store, app, number)

    async def _keep_loading(self) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                await self._load()
            except (DatabaseError, *UNREACHABLE) as exc:
                _log.warning("apps_not_refreshed", error=type(exc).__name__)

    async def _keep_counting(self) -> None:
        while True:
            began = time.monotonic()
            try:
                await self._count_reviews()
            except (DatabaseError, *UNREACHABLE) as exc:
                _log.warning("reviews_not_counted", error=type(exc).__name__)
            took = time.monotonic() - began
            await asyncio.sleep(max(COUNT_EVERY_SECONDS, _REST * took))

    async def _count_reviews(self) -> None:
        async with self._store.session() as conn:
            for slug, door in tuple(self._doors.items()):
                waiting = await count_open(conn, door.app.app_id)
                metrics.open_reviews.labels(slug).set(waiting)

    async def _load(self) -> None:
        async with self._store.session() as conn:
            version = await apps_version(conn)
            if version == self._version:
                return
            records = await load_apps(conn, self._store.keys)
        doors = {record.slug: await self._door(record) for record in records}
        self._doors, self._version = doors, version

    async def _door(self, record: AppRecord) -> AppDoor:
        known = self._doors.get(record.slug)
        if known is not None and known.app.app_id == record.app_id:
            app = known.app
            app.policy, app.languages = record.policy, record.languages
        else:
            app = make_app(self._store, record)
        app.own_words = own_words_of(record.keywords, self.matcher.lexicon)
        app.brand = Brand(record.brands) if record.brands else None
        for number in app.missing_numbers():
            await self.load_key(app, number)
        return AppDoor(self, app, record)


async def load_key(store: Store, app: App, number: int) -> None:
    """Fetch a data key that is needed, or make it; raises StoreUnavailable."""
    try:
        async with store.session() as conn:
            key = await ensure_data_key(conn, store.keys, app.app_id, number)
    except (DatabaseError, *UNREACHABLE) as exc:
        raise StoreUnavailable(f"no data key: {type(exc).__name__}") from exc
    app.sealer.add(number, key)


def make_app(store: Store, record: AppRecord) -> App:
    """Return an app as recording needs it; data keys and own words are loaded when needed."""
    return App(
        app_id=record.app_id,
        slug=record.slug,
        policy=record.policy,
        languages=record.languages,
        keys=ContactKeys(store.keys.index_key, record.app_id),
        sealer=Sealer(record.app_id, {}),
        brand=Brand(record.brands) if record.brands else None,
    )

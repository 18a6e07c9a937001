"""What tests say to a worker: deliveries as Meta would build them, and questions."""

import itertools
import json
from dataclasses import dataclass
from typing import Any

from check.history import History, history_of
from check.may_send import Answer, may_send
from consent.model import Category
from db.apps import create_app, load_app
from intake.recorder import Limits, Recorder
from keywords.matcher import Matcher, load_matcher
from service.registry import AppDoor, Registry
from service.store import Store

SECRET = "a-secret-of-the-tests"
TOKEN = "a-token-of-the-tests"
NOW = 1_790_000_000  # 2026-09-21: before the clock of whoever runs this

_MATCHER: list[Matcher] = []
_ids = itertools.count(1)


def matcher() -> Matcher:
    """The packaged matcher, loaded once a run."""
    if not _MATCHER:
        _MATCHER.append(load_matcher())
    return _MATCHER[0]


def message(
    words: str | None = "hello",
    *,
    phone: str | None = None,
    bsuid: str | None = None,
    at: int = NOW,
    wamid: str | None = None,
    **more: Any,
) -> dict[str, Any]:
    """One message as it stands in `messages`."""
    item: dict[str, Any] = {"id": wamid or f"wamid.TEST{next(_ids)}", "timestamp": str(at)}
    if phone:
        item["from"] = phone
    if bsuid:
        item["from_user_id"] = bsuid
    if words is not None:
        item |= {"type": "text", "text": {"body": words}}
    return item | more


def changed(*, at: int = NOW, wamid: str | None = None, phone: str | None = None, **system: Any):
    """A notice of WhatsApp that a contact is called otherwise now."""
    notice = {"type": "user_changed_number", "body": "User X changed", **system}
    return message(None, phone=phone, at=at, wamid=wamid, type="system", system=notice)


def preference(value: str, *, phone: str | None = None, bsuid: str | None = None, at: int = NOW):
    """The contact moved the switch inside WhatsApp."""
    names = {"wa_id": phone, "user_id": bsuid}
    item = {"category": "marketing_messages", "value": value, "timestamp": at, "detail": "x"}
    return {name: known for name, known in names.items() if known} | item


def refused(*, phone: str, at: int = NOW, wamid: str | None = None) -> dict[str, Any]:
    """A status of a message that Meta refused because the contact stopped marketing."""
    error = {"code": 131050, "title": "stopped"}
    return {
        "id": wamid or f"wamid.OUT{next(_ids)}",
        "status": "failed",
        "timestamp": str(at),
        "recipient_id": phone,
        "errors": [error],
    }


def delivery(
    *messages: dict[str, Any], field: str = "messages", part: str = "messages", **value: Any
) -> bytes:
    """One webhook body."""
    metadata = {"display_phone_number": "15550000000", "phone_number_id": "100000000000001"}
    whole = {"messaging_product": "whatsapp", "metadata": metadata, **value}
    if messages:
        whole[part] = list(messages)
    entry = {"id": "100000000000002", "changes": [{"field": field, "value": whole}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode("ascii")


def preferences(*items: dict[str, Any]) -> bytes:
    return delivery(*items, field="user_preferences", part="user_preferences")


def statuses(*items: dict[str, Any]) -> bytes:
    return delivery(*items, part="statuses")


@dataclass
class Service:
    """A worker without its network."""

    store: Store
    registry: Registry
    recorder: Recorder
    app: AppDoor

    @classmethod
    async def start(cls, store: Store, slug: str = "shop", limits: Limits | None = None):
        """Start on a store, making the app if there is none yet."""
        async with store.session() as conn:
            if not await conn.fetchval("select exists (select from app where slug = $1)", slug):
                await create_app(conn, store.keys, slug, app_secret=SECRET, verify_token=TOKEN)
        database = store.database
        recorder = Recorder(
            database.connect,
            step_down=database.step_down,
            limits=limits or Limits(answer_within=30),
        )
        registry = Registry(store, matcher(), recorder)
        await registry.start()
        await recorder.start()
        door = registry.find(slug)
        assert door is not None
        return cls(store, registry, recorder, door)

    async def stop(self) -> None:
        await self.registry.stop()
        await self.recorder.stop()

    async def take_in(self, *bodies: bytes) -> None:
        for body in bodies:
            await self.app.take_in(body)

    async def say(self, words: str, **who: Any) -> None:
        await self.take_in(delivery(message(words, **who)))

    async def ask(self, name: str, category: str = "marketing") -> Answer:
        async with self.store.session() as conn:
            app = await load_app(conn, self.store.keys, self.app.app.slug)
            return await may_send(
                conn,
                app.app_id,
                self.app.app.keys,
                app.policy,
                name=name,
                category=Category(category),
            )

    async def reason(self, name: str, category: str = "marketing") -> str:
        return (await self.ask(name, category)).verdict.reason.value

    async def history(self, name: str) -> History:
        async with self.store.session() as conn:
            app = self.app.app
            return await history_of(conn, self.store.keys, app.app_id, app.keys, name)

    async def count(self, table: str) -> int:
        async with self.store.session() as conn:
            return await conn.fetchval(f"select count(*) from {table}")

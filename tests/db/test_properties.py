"""Whatever the order, however often, however split: the same standing."""

import asyncio
import random
import secrets

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.database import Database
from db.keyfile import Keys
from db.setup import LOGIN, dsn_of
from service.store import Addresses, Store
from tests.conftest import PASSWORD
from tests.kit import (
    NOW,
    Service,
    changed,
    delivery,
    message,
    preference,
    preferences,
    refused,
    statuses,
)

# Few names and few seconds, so that links, ties and changed names meet often.
PHONES = ["15551230001", "15551230002", "5511987654321", "551187654321"]
BSUIDS = ["US.1", "US.2", "BR.3"]
NAMES = [*PHONES, *BSUIDS]

who = st.tuples(st.sampled_from([None, *PHONES]), st.sampled_from([None, *BSUIDS])).filter(any)
when = st.integers(NOW, NOW + 6)
words = st.sampled_from(["STOP", "START", "hello", "baja", "Stop promotions"])


def _said(word: str, names: tuple[str | None, str | None], at: int, n: int):
    said = message(word, phone=names[0], bsuid=names[1], at=at, wamid=f"wamid.{n}")
    return "messages", said


def _moved(old: str, new: str, at: int, n: int):
    slots = {"wa_id" if "." not in new else "user_id": new}
    if "." in old:
        return "messages", changed(at=at, wamid=f"wamid.{n}", previous_user_id=old, **slots)
    return "messages", changed(phone=old, at=at, wamid=f"wamid.{n}", **slots)


def _preferred(value: str, names: tuple[str | None, str | None], at: int, _n: int):
    return "preferences", preference(value, phone=names[0], bsuid=names[1], at=at)


def _refused(phone: str, at: int, n: int):
    return "statuses", refused(phone=phone, at=at, wamid=f"wamid.{n}")


number = st.integers(0, 10_000)
acts = st.lists(
    st.one_of(
        st.builds(_said, words, who, when, number),
        st.builds(_moved, st.sampled_from(NAMES), st.sampled_from(NAMES), when, number),
        st.builds(_preferred, st.sampled_from(["stop", "resume", "signup"]), who, when, number),
        st.builds(_refused, st.sampled_from(PHONES), when, number),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda act: act[1].get("id", str(act[1])),
)
MAKE = {"messages": delivery, "preferences": preferences, "statuses": statuses}


def _bodies(acts, shuffle: random.Random) -> list[bytes]:
    """The same acts in another order, some twice, in deliveries of another cut."""
    acts = acts + shuffle.sample(acts, shuffle.randint(0, len(acts)))
    shuffle.shuffle(acts)
    bodies = []
    while acts:
        part = acts[0][0]
        length = shuffle.randint(1, 3)
        taken = [item for kind, item in acts[:length] if kind == part]
        acts = [act for act in acts[:length] if act[0] != part] + acts[length:]
        bodies.append(MAKE[part](*taken))
    return bodies


async def _standing(store: Store, slug: str, bodies: list[bytes]) -> dict[str, object]:
    service = await Service.start(store, slug)
    for body in bodies:
        await service.take_in(body)
    found = {}
    for name in NAMES:
        for category in ("marketing", "utility"):
            answer = (await service.ask(name, category)).verdict
            found[name, category] = (answer.reason.value, answer.since)
    await service.stop()
    return found


@pytest.fixture(scope="module")
def dsns_of_all(postgres):
    """One database for all examples: each takes apps of its own."""
    name = f"properties_{secrets.token_hex(4)}"

    async def run(command: str) -> None:
        admin = await asyncpg.connect(**postgres)
        await admin.execute(command)
        await admin.close()

    asyncio.run(run(f"create database {name} template optledger"))
    service = dsn_of(postgres, user=LOGIN, password=PASSWORD)
    yield service.replace("/optledger?", f"/{name}?")
    asyncio.run(run(f"drop database {name} with (force)"))


# Each example is some dozen transactions, so there are fewer than elsewhere.
@settings(max_examples=max(60, settings.default.max_examples // 10))
@given(acts=acts, seed=st.integers(0, 2**32))
def test_any_order_any_repetition_any_cut_gives_the_same_standing(
    dsns_of_all: str, keys: Keys, acts, seed: int
) -> None:
    shuffle = random.Random(seed)

    async def run() -> None:
        database = await Database.open(dsns_of_all)
        store = Store(database, keys, Addresses(dsns_of_all, dsns_of_all))
        one, other = (f"app-{secrets.token_hex(6)}" for _ in range(2))
        try:
            straight = await _standing(store, one, [MAKE[kind](item) for kind, item in acts])
            mixed = await _standing(store, other, _bodies(list(acts), shuffle))
        finally:
            await database.close()
        assert straight == mixed

    asyncio.run(run())

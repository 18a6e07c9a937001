"""The transaction: what a batch of deliveries said, all of it or nothing."""

import json
import operator
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

from db import standing, statements
from db.database import transaction
from db.sealing import Use, place
from db.statements import Connection, ContactRow, EntryRow, LinkRow
from intake.acts import Act, Action, Intake, Item
from intake.app import App
from intake.decide import Before, Decided, decide


@dataclass(slots=True)
class Lane:
    """One writer's life in the audit table: a random number, and how many entries it appended.

    A writer that can't know whether its last commit came through starts a new lane.
    """

    number: int = field(default_factory=lambda: random.SystemRandom().getrandbits(52))
    entries: int = 0


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a batch came to: rows that were new, and how many entries of each action."""

    messages: int
    entries: tuple[str, ...]


async def record(
    conn: Connection, app: App, lane: Lane, batch: Sequence[Intake], *, step_down: bool
) -> Recorded:
    """Write what a batch of deliveries said: messages, links, entries, clocks, items set aside.

    Safe to call again with the same batch: a message known before brings no second entry. When it
    raises, nothing is written, unless the connection broke at the commit.
    """
    received_at = max(intake.received_at for intake in batch)
    items = sorted((item for intake in batch for item in intake.items), key=_message_key)
    links = sorted({link for intake in batch for link in intake.links})
    unread = {row.item_key: row for intake in batch for row in intake.unread}
    async with transaction(conn, step_down):
        count, new = await _insert_messages(conn, app, received_at, items, links)
        acts = _acts_of(items, new)
        decided = Decided()
        if acts:
            decided = await record_acts(conn, app, lane, acts)
        if unread:
            rows = [unread[key] for key in sorted(unread)]
            await statements.insert_quarantine(conn, app.app_id, received_at, rows)
    lane.entries += len(decided.entries)
    return Recorded(count, tuple(entry.action for entry in decided.entries))


_message_key = operator.attrgetter("message_key")


async def _insert_messages(
    conn: Connection,
    app: App,
    received_at: datetime,
    items: Sequence[Item],
    links: Sequence[LinkRow],
) -> tuple[int, set[bytes]]:
    if not items and not links:
        return 0, set()
    asked = [item.message_key for item in items if item.acts]
    return await statements.insert_messages(conn, app.app_id, received_at, items, links, asked)


def _acts_of(items: Iterable[Item], new: set[bytes]) -> list[tuple[bytes, Act]]:
    """Return the acts of messages that are new, once each, in the order they were said."""
    acts: list[tuple[bytes, Act]] = []
    seen: set[bytes] = set()
    for item in items:
        if item.acts and item.message_key in new and item.message_key not in seen:
            seen.add(item.message_key)
            acts.extend((item.message_key, act) for act in item.acts)
    acts.sort(key=lambda pair: pair[1].said_at)
    return acts


async def append(
    conn: Connection, app_id: int, recorded_at: datetime, entries: Sequence[EntryRow]
) -> None:
    """Append entries that are of no contact and rest on no evidence, within a transaction."""
    await statements.append_entries(conn, app_id, recorded_at, entries, (), ())


async def record_acts(
    conn: Connection, app: App, lane: Lane, acts: Sequence[tuple[bytes, Act]]
) -> Decided:
    """Write what these acts (each with its message key) come to, within a transaction."""
    now = datetime.now(UTC)
    contacts = {row.contact_key: row for _, act in acts for row in _contacts_of(app, act)}
    wanted = {(act.contact_key, act.switch.value) for _, act in acts if act.switch is not None}
    refs, standings = await statements.lock_standings(
        conn, app.app_id, now, [contacts[key] for key in sorted(contacts)], sorted(wanted)
    )
    carried = {}
    for _, act in acts:
        if act.action is Action.NAME_CHANGED and act.left_key is not None:
            found = await standing.find(conn, app.app_id, [act.left_key])
            carried[act.left_key] = found.known.standings
    decided = decide(
        app,
        acts,
        Before(refs, standings, carried),
        lane=lane.number,
        number=lane.entries + 1,
        recorded_at=now,
    )
    await statements.append_entries(
        conn, app.app_id, now, decided.entries, decided.evidence, decided.clocks
    )
    if decided.holds:
        await statements.insert_holds(conn, app.app_id, sorted(decided.holds))
    if decided.name_changes:
        rows = sorted(decided.name_changes)
        await statements.insert_name_changes(conn, app.app_id, rows)
    return decided


def _contacts_of(app: App, act: Act) -> Iterable[ContactRow]:
    yield _contact(app, act.contact_key, act.names)
    if act.left_key is not None:
        yield _contact(app, act.left_key, act.left_names)


def _contact(app: App, key: bytes, names: Mapping[str, str]) -> ContactRow:
    sealed = app.sealer.seal(
        app.number(Use.LASTING),
        json.dumps(names).encode("ascii"),  # in ASCII, which holds half an emoji too
        place("contact", "sealed", app.app_id, key),
    )
    return ContactRow(key, uuid4(), sealed)

"""The statements of the write: set-based, one round trip each, every one starts with the app.

Rows go in as one array a column. Rows are sorted by key before they come here, and tables are
written in one order (messages, links, contacts, consent), so that two writers wait for each other
and never in a ring. SQLModel declares the tables in `db.tables`.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

import asyncpg
import msgspec

from consent.model import Switch
from consent.standing import Standing

Connection: TypeAlias = (
    "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
)


class MessageRow(msgspec.Struct, frozen=True, gc=False):
    """A row of `message`; `said_at` in Unix seconds, since PostgreSQL turns it cheaper than we."""

    message_key: bytes
    said_at: int
    contact_key: bytes
    kind: str
    sealed: bytes


class LinkRow(NamedTuple):
    """A row of `contact_link`; `kind` is `same`, or `form` for a made-up form of a phone."""

    contact_key: bytes
    other_key: bytes
    kind: str
    since: int
    message_key: bytes | None


class ContactRow(NamedTuple):
    """A row of `contact`: the reference that a name gets if it has none yet."""

    contact_key: bytes
    contact_ref: UUID
    sealed: bytes


class EntryRow(NamedTuple):
    """A row of `audit_entry`."""

    lane: int
    number: int
    contact_ref: UUID | None
    action: str
    switch: str | None
    clock: str | None
    actor: str
    said_at: datetime
    body: bytes


class EvidenceRow(NamedTuple):
    """A row of `evidence`, of the entry with this lane and number."""

    lane: int
    number: int
    sealed: bytes


class ClockRow(NamedTuple):
    """The clocks of one consent row that moved; None leaves a clock as it is."""

    contact_key: bytes
    switch: str
    opted_out_at: datetime | None
    opted_out_lane: int | None
    opted_out_number: int | None
    opted_in_at: datetime | None
    opted_in_lane: int | None
    opted_in_number: int | None
    vouched_at: datetime | None
    vouched_lane: int | None
    vouched_number: int | None


class HoldRow(NamedTuple):
    """A row of `hold`."""

    contact_key: bytes
    message_key: bytes
    said_at: datetime
    lane: int
    number: int


class NameChangeRow(NamedTuple):
    """A row of `name_change`."""

    old_key: bytes
    new_key: bytes
    said_at: datetime
    message_key: bytes


class QuarantineRow(NamedTuple):
    """A row of `quarantine`."""

    item_key: bytes
    code: str
    reason: str
    sealed: bytes


def columns(rows: Iterable[tuple[Any, ...]], width: int) -> list[Sequence[Any]]:
    """Turn rows into one array a column; no rows give empty arrays."""
    return list(zip(*rows, strict=True)) or [()] * width


INSERT_MESSAGES = """
with linked as (
    insert into contact_link (app_id, contact_key, other_key, kind, since, message_key)
    select $1, k, o, w, to_timestamp(s), m
    from unnest($8::bytea[], $9::bytea[], $10::text[], $11::bigint[], $12::bytea[]) t(k, o, w, s, m)
    on conflict do nothing
), fresh as (
    insert into message (app_id, message_key, said_at, contact_key, kind, sealed, received_at)
    select $1, m, to_timestamp(s), k, w, x, $2
    from unnest($3::bytea[], $4::bigint[], $5::bytea[], $6::text[], $7::bytea[]) t(m, s, k, w, x)
    on conflict do nothing
    returning message_key
)
select count(*), array_agg(message_key) filter (where message_key = any($13::bytea[])) from fresh
"""


async def insert_messages(
    conn: Connection,
    app_id: int,
    received_at: datetime,
    rows: Sequence[MessageRow],
    links: Sequence[LinkRow],
    asked: Sequence[bytes] = (),
) -> tuple[int, set[bytes]]:
    """Insert messages not seen before, and links.

    Returns how many messages were new to us, and which of those asked for (by message key).
    """
    row = await conn.fetchrow(
        INSERT_MESSAGES,
        app_id,
        received_at,
        [row.message_key for row in rows],
        [row.said_at for row in rows],
        [row.contact_key for row in rows],
        [row.kind for row in rows],
        [row.sealed for row in rows],
        *columns(links, 5),
        asked,
    )
    assert row is not None  # noqa: S101  an aggregate always has a row
    return row[0], set(row[1] or ())


# "do update" that changes nothing, because it locks the row that is there and returns it as it
# stands after the wait; "do nothing" would return nothing. The contacts come first in both.
LOCK_STANDINGS = """
with named as (
    insert into contact (app_id, contact_key, contact_ref, sealed, made_at)
    select $1, k, r, s, $2 from unnest($3::bytea[], $4::uuid[], $5::bytea[]) t(k, r, s)
    on conflict (app_id, contact_key) do update set contact_ref = contact.contact_ref
    returning contact_key, contact_ref
), locked as (
    insert into consent (app_id, contact_key, switch)
    select $1, k, w from unnest($6::bytea[], $7::text[]) t(k, w)
    on conflict (app_id, contact_key, switch) do update set switch = excluded.switch
    returning contact_key, switch, opted_out_at, opted_in_at, vouched_at
)
select contact_key, contact_ref, null::varchar, null::timestamptz, null::timestamptz,
    null::timestamptz from named
union all
select contact_key, null, switch, opted_out_at, opted_in_at, vouched_at from locked
"""


async def lock_standings(
    conn: Connection,
    app_id: int,
    made_at: datetime,
    contacts: Sequence[ContactRow],
    wanted: Sequence[tuple[bytes, str]],
) -> tuple[dict[bytes, UUID], dict[tuple[bytes, Switch], Standing]]:
    """Make and lock the rows of these contacts and switches, in key order.

    Returns the reference of each contact, and where each (contact key, switch) stands.
    """
    refs: dict[bytes, UUID] = {}
    standings: dict[tuple[bytes, Switch], Standing] = {}
    rows = await conn.fetch(
        LOCK_STANDINGS, app_id, made_at, *columns(contacts, 3), *columns(wanted, 2)
    )
    for key, ref, switch, opted_out_at, opted_in_at, vouched_at in rows:
        if switch is None:
            refs[key] = ref
        else:
            standings[key, Switch(switch)] = Standing(opted_out_at, opted_in_at, vouched_at)
    return refs, standings


APPEND_ENTRIES = """
with proof as (
    insert into evidence (app_id, lane, number, sealed)
    select $1, l, n, s from unnest($12::bigint[], $13::bigint[], $14::bytea[]) t(l, n, s)
), moved as (
    insert into consent as c (app_id, contact_key, switch, opted_out_at, opted_out_lane,
        opted_out_number, opted_in_at, opted_in_lane, opted_in_number, vouched_at, vouched_lane,
        vouched_number)
    select $1, * from unnest($15::bytea[], $16::text[], $17::timestamptz[], $18::bigint[],
        $19::bigint[], $20::timestamptz[], $21::bigint[], $22::bigint[], $23::timestamptz[],
        $24::bigint[], $25::bigint[])
    on conflict (app_id, contact_key, switch) do update set
        opted_out_at = coalesce(excluded.opted_out_at, c.opted_out_at),
        opted_out_lane = coalesce(excluded.opted_out_lane, c.opted_out_lane),
        opted_out_number = coalesce(excluded.opted_out_number, c.opted_out_number),
        opted_in_at = coalesce(excluded.opted_in_at, c.opted_in_at),
        opted_in_lane = coalesce(excluded.opted_in_lane, c.opted_in_lane),
        opted_in_number = coalesce(excluded.opted_in_number, c.opted_in_number),
        vouched_at = coalesce(excluded.vouched_at, c.vouched_at),
        vouched_lane = coalesce(excluded.vouched_lane, c.vouched_lane),
        vouched_number = coalesce(excluded.vouched_number, c.vouched_number)
)
insert into audit_entry (app_id, lane, number, contact_ref, action, switch, clock, actor, said_at,
    body, recorded_at)
select $1, *, $2 from unnest($3::bigint[], $4::bigint[], $5::uuid[], $6::text[], $7::text[],
    $8::text[], $9::text[], $10::timestamptz[], $11::bytea[])
"""


async def append_entries(
    conn: Connection,
    app_id: int,
    recorded_at: datetime,
    entries: Sequence[EntryRow],
    evidence: Sequence[EvidenceRow],
    clocks: Sequence[ClockRow],
) -> None:
    """Append entries with their evidence and move the clocks they moved; their rows are locked."""
    await conn.execute(
        APPEND_ENTRIES,
        app_id,
        recorded_at,
        *columns(entries, 9),
        *columns(evidence, 3),
        *columns(clocks, 11),
    )


INSERT_HOLDS = """
insert into hold (app_id, contact_key, message_key, said_at, lane, number)
select $1, * from unnest($2::bytea[], $3::bytea[], $4::timestamptz[], $5::bigint[], $6::bigint[])
on conflict do nothing
"""


async def insert_holds(conn: Connection, app_id: int, rows: Sequence[HoldRow]) -> None:
    """Open holds; a message opens one at most."""
    await conn.execute(INSERT_HOLDS, app_id, *columns(rows, 5))


INSERT_NAME_CHANGES = """
insert into name_change (app_id, old_key, new_key, said_at, message_key)
select $1, * from unnest($2::bytea[], $3::bytea[], $4::timestamptz[], $5::bytea[])
on conflict do nothing
"""


async def insert_name_changes(conn: Connection, app_id: int, rows: Sequence[NameChangeRow]) -> None:
    """Remember who left which name for which."""
    await conn.execute(INSERT_NAME_CHANGES, app_id, *columns(rows, 4))


INSERT_QUARANTINE = """
insert into quarantine (app_id, item_key, code, reason, sealed, received_at)
select $1, *, $2 from unnest($3::bytea[], $4::text[], $5::text[], $6::bytea[])
on conflict (app_id, item_key) do update set tries = quarantine.tries + 1
"""


async def insert_quarantine(
    conn: Connection, app_id: int, received_at: datetime, rows: Sequence[QuarantineRow]
) -> None:
    """Set items aside; one that was set aside before counts one try more."""
    await conn.execute(INSERT_QUARANTINE, app_id, received_at, *columns(rows, 4))


async def make_month(conn: Connection, month: datetime) -> None:
    """Make the partition of `message` for the month this day is in, if it is missing."""
    await conn.execute("select message_month($1::date)", month.date())

"""The audit table, read: entries of a contact and the evidence behind them."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.statements import Connection


class StoredEntry(NamedTuple):
    """An entry as it stands, with its sealed evidence, which may have been deleted."""

    lane: int
    number: int
    contact_ref: UUID
    action: str
    said_at: datetime
    body: bytes
    sealed: bytes | None


_ENTRIES = """
select lane, number, contact_ref, action, said_at, body, sealed
from audit_entry left join evidence using (app_id, lane, number)
where app_id = $1 and contact_ref = any($2::uuid[])
order by said_at, recorded_at, lane, number
"""


async def load_entries(conn: Connection, app_id: int, refs: Sequence[UUID]) -> list[StoredEntry]:
    """Return all entries of these contact references, by when it was said."""
    rows = await conn.fetch(_ENTRIES, app_id, list(refs))
    return [StoredEntry(row[0], row[1], UUID(str(row[2])), *row[3:]) for row in rows]


async def load_contacts(
    conn: Connection, app_id: int, keys: Sequence[bytes]
) -> list[tuple[bytes, UUID, bytes]]:
    """Return contact key, reference and sealed names of each of these that has entries."""
    rows = await conn.fetch(
        "select contact_key, contact_ref, sealed from contact "
        "where app_id = $1 and contact_key = any($2::bytea[]) order by made_at",
        app_id,
        list(keys),
    )
    return [(row[0], UUID(str(row[1])), row[2]) for row in rows]

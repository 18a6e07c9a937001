"""Items set aside, read and marked."""

from datetime import datetime
from typing import NamedTuple

from db.statements import Connection


class SetAside(NamedTuple):
    """A row of `quarantine`."""

    key: bytes
    code: str
    reason: str
    sealed: bytes
    received_at: datetime
    tries: int
    resolved_at: datetime | None


class NoSuchItemError(Exception):
    """No item, or more than one, has an id that begins so."""


async def list_items(conn: Connection, app_id: int, *, resolved: bool = False) -> list[SetAside]:
    """Return what waits, the oldest first; with `resolved`, what was read since, too."""
    rows = await conn.fetch(
        "select item_key, code, reason, sealed, received_at, tries, resolved_at from quarantine "
        "where app_id = $1 and ($2 or resolved_at is null) order by received_at",
        app_id,
        resolved,
    )
    return [SetAside(*row) for row in rows]


async def find_item(conn: Connection, app_id: int, start: str) -> SetAside:
    """Return the item whose id, in hex, begins so; raise NoSuchItemError."""
    items = await list_items(conn, app_id, resolved=True)
    found = [item for item in items if item.key.hex().startswith(start.lower())]
    if not start or len(found) != 1:
        raise NoSuchItemError(
            f"{len(found)} items have an id that begins so; `optledger quarantine list` shows them"
        )
    return found[0]


async def note_try(conn: Connection, app_id: int, key: bytes, *, resolved: bool) -> None:
    """Count one more try, and note when an item was read at last."""
    await conn.execute(
        "update quarantine set tries = tries + 1, "
        "resolved_at = case when $3 then coalesce(resolved_at, now()) else resolved_at end "
        "where app_id = $1 and item_key = $2",
        app_id,
        key,
        resolved,
    )

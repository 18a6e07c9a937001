"""Holds as reviews: what waits for a person, found, locked and decided."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from db.history import StoredEntry
from db.statements import Connection


class Hold(NamedTuple):
    """A row of `hold`, with the entry that opened it."""

    contact_key: bytes
    message_key: bytes
    said_at: datetime
    outcome: str | None
    reviewed_at: datetime | None
    reviewed_by: str | None
    entry: StoredEntry


class Place(NamedTuple):
    """Where a list goes on: after this hold."""

    said_at: datetime
    contact_key: bytes
    message_key: bytes


class NoSuchReviewError(Exception):
    """No review, or more than one, has an id that begins so."""


_HOLD = """
select contact_key, message_key, hold.said_at, outcome, reviewed_at, reviewed_by,
    lane, number, contact_ref, action, audit_entry.said_at, body, sealed
from hold join audit_entry using (app_id, lane, number)
    left join evidence using (app_id, lane, number)
where hold.app_id = $1
"""
# Closed by a later act under the same name, which is how nearly all are. Other names of the contact
# are folded by who asks; a name that was left since may be somebody else's, so its acts tell
# nothing here.
_WAITS = """
hold.reviewed_at is null and not exists (
    select from consent where consent.app_id = $1 and consent.contact_key = hold.contact_key
        and switch in ('all', 'marketing') and greatest(opted_out_at, opted_in_at) > hold.said_at
        and not exists (
            select from name_change where name_change.app_id = $1
                and old_key = consent.contact_key and name_change.said_at >= hold.said_at
        )
)
"""
_AFTER = """
and ($2::timestamptz is null or (hold.said_at, contact_key, message_key) > ($2, $3, $4))
order by hold.said_at, contact_key, message_key limit $5
"""


async def list_holds(
    conn: Connection, app_id: int, *, decided: bool, after: Place | None, limit: int
) -> list[Hold]:
    """Return holds, the oldest first: those that may still be open or, with `decided`, all."""
    which = "" if decided else f"and {_WAITS}"
    place = after or (None, None, None)
    rows = await conn.fetch(f"{_HOLD} {which} {_AFTER}", app_id, *place, limit)
    return [_hold(row) for row in rows]


async def find_hold(conn: Connection, app_id: int, start: str) -> Hold:
    """Return the hold whose id, in hex, begins so; raise NoSuchReviewError."""
    begins = "and starts_with(encode(message_key, 'hex'), $2) limit 2"
    rows = await conn.fetch(f"{_HOLD} {begins}", app_id, start.lower()) if start else []
    if len(rows) > 1:
        raise NoSuchReviewError("several reviews have an id that begins so: give more of it")
    if not rows:
        raise NoSuchReviewError(
            "no review of this app has an id that begins so; `optledger review list` shows them"
        )
    return _hold(rows[0])


def _hold(row: Iterable[Any]) -> Hold:
    key, message, said_at, outcome, at, by, *entry = row
    return Hold(key, message, said_at, outcome, at, by, StoredEntry(*entry))


async def lock_hold(conn: Connection, app_id: int, hold: Hold) -> Hold:
    """Return the hold as it stands, and keep others from deciding it till commit."""
    row = await conn.fetchrow(
        "select outcome, reviewed_at, reviewed_by from hold "
        "where app_id = $1 and contact_key = $2 and message_key = $3 for update",
        app_id,
        hold.contact_key,
        hold.message_key,
    )
    if row is None:
        raise NoSuchReviewError("this review is gone")
    return hold._replace(**dict(row))


async def mark_reviewed(
    conn: Connection, app_id: int, hold: Hold, *, at: datetime, by: str, outcome: str
) -> None:
    """Note what a locked hold came to: `confirmed` or `dismissed`."""
    await conn.execute(
        "update hold set reviewed_at = $4, reviewed_by = $5, outcome = $6 "
        "where app_id = $1 and contact_key = $2 and message_key = $3",
        app_id,
        hold.contact_key,
        hold.message_key,
        at,
        by,
        outcome,
    )


_COUNT = f"""
select count(*) from hold where app_id = $1 and {_WAITS}
"""  # noqa: S608  nothing of anybody's is in it


async def count_open(conn: Connection, app_id: int) -> int:
    """Return how many reviews of an app wait; as to the contact's acts, by the same name only."""
    waiting: int = await conn.fetchval(_COUNT, app_id)
    return waiting


_NAMES_SINCE = """
with recursive names(key) as (
    select $2::bytea
    union
    select new_key from names join name_change
        on app_id = $1 and old_key = names.key and said_at >= $3
)
select key, sealed, exists (
    select from name_change where app_id = $1 and old_key = names.key and said_at >= $3
) as was_left
from names left join contact on contact.app_id = $1 and contact_key = key
"""


async def names_since(
    conn: Connection, app_id: int, contact_key: bytes, since: datetime
) -> Sequence[tuple[bytes, bytes | None]]:
    """Return what the contact who had this name then is called now: keys, and sealed names.

    The name itself unless it was left since; where all were left in a ring, all of them.
    """
    rows = await conn.fetch(_NAMES_SINCE, app_id, contact_key, since)
    kept = [(row["key"], row["sealed"]) for row in rows if not row["was_left"]]
    return kept or [(row["key"], row["sealed"]) for row in rows]

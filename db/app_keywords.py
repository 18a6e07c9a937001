"""The words an app listens for besides the packs."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.statements import Connection


class KeywordRow(NamedTuple):
    """A row of `app_keyword`; it stays when the word is removed, since entries name its id."""

    keyword_id: UUID
    say: str
    folded: str
    intent: str
    switch: str | None
    tier: str
    added_at: datetime
    added_by: str
    removed_at: datetime | None = None
    removed_by: str | None = None


_SELECT = """
select app_id, keyword_id, say, folded, intent, switch, tier, added_at, added_by, removed_at,
    removed_by
from app_keyword where app_id = any($1::integer[]) and ($2 or removed_at is null)
order by app_id, added_at, say
"""


async def list_keywords(
    conn: Connection, app_ids: Sequence[int], *, removed: bool = False
) -> dict[int, list[KeywordRow]]:
    """Return the words of each app that has some, as they were added; all of them if `removed`."""
    found: dict[int, list[KeywordRow]] = {}
    for app_id, keyword_id, *rest in await conn.fetch(_SELECT, list(app_ids), removed):
        found.setdefault(app_id, []).append(KeywordRow(UUID(str(keyword_id)), *rest))
    return found


async def add_keyword(conn: Connection, app_id: int, row: KeywordRow) -> None:
    """Put a word in force."""
    await conn.execute(
        "insert into app_keyword (app_id, keyword_id, say, folded, intent, switch, tier, added_at, "
        "added_by) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        app_id,
        *row[:8],
    )


async def remove_keyword(
    conn: Connection, app_id: int, keyword_id: UUID, *, at: datetime, by: str
) -> None:
    """Put a word out of force; its row stays."""
    await conn.execute(
        "update app_keyword set removed_at = $3, removed_by = $4 "
        "where app_id = $1 and keyword_id = $2",
        app_id,
        keyword_id,
        at,
        by,
    )

"""The verdict on one contact, asked by name."""

from dataclasses import dataclass
from datetime import datetime

from consent.model import Category
from consent.verdict import Policy, Reason, Verdict, verdict
from db.contact_keys import ContactKeys
from db.history import load_entries
from db.standing import EntryId, Found, find
from db.statements import Connection


@dataclass(frozen=True, slots=True)
class Answer:
    """A verdict and the audit entry it rests on, if any; `as_of` is when it was asked."""

    verdict: Verdict
    entry: EntryId | None


async def may_send(
    conn: Connection,
    app_id: int,
    keys: ContactKeys,
    policy: Policy,
    *,
    name: str,
    category: Category,
) -> Answer:
    """Answer whether this category may be sent to a contact: digits of a phone, or a BSUID.

    Raises TooManyNamesError where the contact's links run wild; then nobody can tell.
    """
    found = await look_up(conn, app_id, keys, name)
    answer = verdict(category, found.known, policy)
    if answer.reason is Reason.NAME_CHANGED and answer.since is not None:
        return Answer(answer, await _entry_of_leaving(conn, app_id, found, answer.since))
    return Answer(answer, _entry_of(found, answer))


async def look_up(conn: Connection, app_id: int, keys: ContactKeys, name: str) -> Found:
    """Return what is known of a contact by one of its names."""
    return await find(conn, app_id, [keys.name(name)], keys.forms(name))


def _entry_of(found: Found, answer: Verdict) -> EntryId | None:
    """Return the entry that moved the deciding clock, or opened the hold."""
    if answer.reason is Reason.HELD:
        return next((entry for _, at, entry in found.holds if at == answer.since), None)
    if answer.clock is None:
        return None
    for row in found.rows:
        if row.switch in answer.switch and row.standing.at(answer.clock) == answer.since:
            return row.entries.get(answer.clock)
    return None


async def _entry_of_leaving(
    conn: Connection, app_id: int, found: Found, at: datetime
) -> EntryId | None:
    entries = await load_entries(conn, app_id, list(found.refs.values()))
    for entry in entries:
        if entry.action == "name_left" and entry.said_at == at:
            return EntryId(entry.lane, entry.number)
    return None

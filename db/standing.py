"""What is known of a contact: one statement over its names, links and changes, then a pure fold."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from consent.fold import NameStanding, beyond, fold
from consent.model import Clock, Switch
from consent.reach import Change, Link, Reach, left_at, reach
from consent.standing import NEVER_ASKED, Standing
from consent.verdict import Known
from db.statements import Connection

# More names than this for one contact is no contact but a mistake; then we can't tell.
MOST_NAMES = 500


class TooManyNamesError(Exception):
    """The links run over more names than one contact has; somebody must look at them."""


class EntryId(NamedTuple):
    """Where an audit entry stands."""

    lane: int
    number: int


@dataclass(frozen=True, slots=True)
class Row:
    """A consent row: where a name stands on a switch, and the entry behind each clock."""

    key: bytes
    switch: Switch
    standing: Standing
    entries: dict[Clock, EntryId]


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of a contact, and the rows and names it follows from.

    `refs`: the references under which the audit table has entries of the contact.
    """

    known: Known
    rows: tuple[Row, ...]
    holds: tuple[tuple[bytes, datetime, EntryId], ...]
    reached: dict[bytes, Reach]
    refs: dict[bytes, UUID]


GATHER = """
with recursive names(key) as (
    select unnest($2::bytea[])
    union
    select step.key from names cross join lateral (
        select other_key from contact_link where app_id = $1 and contact_key = names.key
        union all
        select contact_key from contact_link where app_id = $1 and other_key = names.key
        union all
        select old_key from name_change where app_id = $1 and new_key = names.key
    ) step(key)
), reached as materialized (select key from names limit 501)
select 'name' as what, key as one, null::bytea as other, null::varchar as kind,
    null::timestamptz as at_1, null::timestamptz as at_2, null::timestamptz as at_3,
    null::bigint as l_1, null::bigint as n_1, null::bigint as l_2, null::bigint as n_2,
    null::bigint as l_3, null::bigint as n_3, contact_ref as ref
from reached left join contact on contact.app_id = $1 and contact_key = key
union all
select 'link', contact_key, other_key, kind, since, null, null, null, null, null, null, null, null,
    null from contact_link join reached on app_id = $1 and contact_key = key
union all
select 'change', old_key, new_key, null, said_at, null, null, null, null, null, null, null, null,
    null from name_change join reached on app_id = $1 and old_key = key
union all
select 'hold', contact_key, null, null, said_at, null, null, lane, number, null, null, null, null,
    null from hold join reached on app_id = $1 and contact_key = key where reviewed_at is null
union all
select 'consent', contact_key, null, switch, opted_out_at, opted_in_at, vouched_at, opted_out_lane,
    opted_out_number, opted_in_lane, opted_in_number, vouched_lane, vouched_number, null
from consent join reached on app_id = $1 and contact_key = key
"""

# A clock keeps the latest time only; what was said up to a time stands in the entries.
EARLIER = """
select switch, clock, max(said_at) from audit_entry
where app_id = $1 and contact_ref = $2 and clock is not null and said_at <= $3
group by switch, clock
"""


async def find(
    conn: Connection, app_id: int, names: Sequence[bytes], forms: Sequence[bytes] = ()
) -> Found:
    """Return what is known of the contact with these contact keys and match keys.

    Raises TooManyNamesError where the links run wild.
    """
    records = await conn.fetch(GATHER, app_id, [*names, *forms])
    by_kind: dict[str, list[tuple[object, ...]]] = {}
    for record in records:
        by_kind.setdefault(record[0], []).append(tuple(record.values())[1:])
    if len(by_kind.get("name", ())) > MOST_NAMES:
        raise TooManyNamesError(f"one contact with over {MOST_NAMES} names")
    return await _folded(conn, app_id, names, forms, _Gathered.of(by_kind))


@dataclass(frozen=True, slots=True)
class _Gathered:
    links: tuple[Link, ...]
    changes: tuple[Change, ...]
    rows: tuple[Row, ...]
    holds: tuple[tuple[bytes, datetime, EntryId], ...]
    refs: dict[bytes, UUID]

    @classmethod
    def of(cls, by_kind: dict[str, list[tuple[object, ...]]]) -> "_Gathered":
        # The columns are those of GATHER: one, other, kind, three times, six numbers, ref.
        return cls(
            links=tuple(
                Link(row[0], row[1], only_opt_outs=row[2] == "form")  # type: ignore[arg-type]
                for row in by_kind.get("link", ())
            ),
            changes=tuple(
                Change(row[0], row[1], row[3])  # type: ignore[arg-type]
                for row in by_kind.get("change", ())
            ),
            rows=tuple(_row(row) for row in by_kind.get("consent", ())),
            holds=tuple(
                (row[0], row[3], EntryId(row[6], row[7]))  # type: ignore[arg-type, misc]
                for row in by_kind.get("hold", ())
            ),
            refs={
                row[0]: UUID(str(row[12]))  # type: ignore[misc]
                for row in by_kind.get("name", ())
                if row[12] is not None
            },
        )


def _row(row: tuple[object, ...]) -> Row:
    ids = {
        clock: EntryId(row[6 + 2 * place], row[7 + 2 * place])  # type: ignore[arg-type]
        for place, clock in enumerate((Clock.OPTED_OUT, Clock.OPTED_IN, Clock.VOUCHED))
        if row[6 + 2 * place] is not None
    }
    standing = Standing(row[3], row[4], row[5])  # type: ignore[arg-type]
    return Row(row[0], Switch(row[2]), standing, ids)  # type: ignore[arg-type]


async def _folded(
    conn: Connection,
    app_id: int,
    names: Iterable[bytes],
    forms: Iterable[bytes],
    gathered: _Gathered,
) -> Found:
    reached = dict(reach(names, forms, gathered.links, gathered.changes))
    rows = [NameStanding(row.key, row.switch, row.standing) for row in gathered.rows]
    rows = [row for row in rows if row.key in reached]
    for key in beyond(rows, reached):
        rows = [row for row in rows if row.key != key]
        rows += await _earlier(conn, app_id, key, gathered.refs.get(key), reached[key])
    known = fold(
        rows,
        reached,
        holds=[(key, at) for key, at, _ in gathered.holds if key in reached],
        left=left_at([*names, *forms], gathered.changes),
    )
    return Found(known, gathered.rows, gathered.holds, reached, gathered.refs)


async def _earlier(
    conn: Connection, app_id: int, key: bytes, ref: UUID | None, bound: Reach
) -> list[NameStanding]:
    """Return where a name stood when the contact left it, from the entries up to then."""
    if ref is None:
        return []
    standings: dict[Switch, Standing] = {}
    bounds = ((True, bound.opt_outs_until), (False, bound.opt_ins_until))
    for opt_outs, until in bounds:
        if until is None:
            continue
        for switch, clock, at in await conn.fetch(EARLIER, app_id, ref, until):
            if (Clock(clock) is Clock.OPTED_OUT) is opt_outs:
                before = standings.get(Switch(switch), NEVER_ASKED)
                standings[Switch(switch)] = before.moved(Clock(clock), at)
    return [NameStanding(key, switch, standing) for switch, standing in standings.items()]

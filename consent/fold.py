"""From the standings of single names to what we know of a contact."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from consent.model import Switch
from consent.reach import Reach
from consent.standing import Standing, join, later
from consent.verdict import Known


@dataclass(frozen=True, slots=True)
class NameStanding:
    """The row of one name and one switch."""

    key: bytes
    switch: Switch
    standing: Standing


def beyond(rows: Iterable[NameStanding], reached: Mapping[bytes, Reach]) -> frozenset[bytes]:
    """Return the names of which a clock stands later than the name speaks for this contact.

    A clock keeps only the latest time, so for these the earlier acts must be looked up in the audit
    table. It happens only where a name went on to be used after it was left.
    """
    return frozenset(
        row.key
        for row in rows
        if _later_than(row.standing.opted_out_at, reached[row.key].opt_outs_until)
        or _later_than(row.standing.opted_in_at, reached[row.key].opt_ins_until)
        or _later_than(row.standing.vouched_at, reached[row.key].opt_ins_until)
    )


def fold(
    rows: Iterable[NameStanding],
    reached: Mapping[bytes, Reach],
    *,
    holds: Iterable[tuple[bytes, datetime]] = (),
    left: datetime | None = None,
) -> Known:
    """Join what every name says, as far as it speaks for the contact.

    `holds`: the name and time of each message that may have asked to stop and was not looked at.
    """
    standings: dict[Switch, Standing] = {}
    for row in rows:
        counted = _counted(row.standing, reached[row.key])
        before = standings.get(row.switch)
        standings[row.switch] = counted if before is None else join(before, counted)
    held: datetime | None = None
    for key, at in holds:
        if at <= reached[key].opt_outs_until:
            held = later(held, at)
    return Known(standings, held_at=held, left_at=left)


def _counted(standing: Standing, reach: Reach) -> Standing:
    def opt_in(at: datetime | None) -> datetime | None:
        if at is None or reach.opt_ins_until is None or at > reach.opt_ins_until:
            return None
        if reach.opt_ins_after is not None and at <= reach.opt_ins_after:
            return None
        return at

    out = standing.opted_out_at
    return Standing(
        opted_out_at=None if _later_than(out, reach.opt_outs_until) else out,
        opted_in_at=opt_in(standing.opted_in_at),
        vouched_at=opt_in(standing.vouched_at),
    )


def _later_than(at: datetime | None, bound: datetime | None) -> bool:
    """Whether a clock stands beyond a bound; no bound counts nothing, so nothing is beyond."""
    return at is not None and bound is not None and at > bound

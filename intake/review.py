"""What an operator makes of a message that may have asked to stop."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from consent.model import Surface, Switch
from db.reviews import Hold, lock_hold, mark_reviewed
from db.statements import Connection
from intake.acts import Act, Action
from intake.app import App
from intake.record import Lane, record_acts

OPERATOR = "operator:"  # begins the actor of an entry that a person made


class AlreadyReviewedError(Exception):
    """Somebody decided this review before; the message says who, what and when."""


async def confirm(
    conn: Connection, app: App, hold: Hold, *, operator: str, switch: Switch | None = None
) -> Switch:
    """Record the opt-out that the message was, as of when it was said; return its switch.

    Within a transaction. The switch is the one that the entry of the hold names, unless given. What
    the contact said later stands. Raises AlreadyReviewedError.
    """
    opened: Mapping[str, Any] = json.loads(hold.entry.body)
    asked = switch or Switch(opened.get("asked") or app.policy.stop_closes)
    await _decide(
        conn,
        app,
        hold,
        _act(Action.OPT_OUT, hold, opened, operator, said_at=hold.said_at, switch=asked),
        operator=operator,
        outcome="confirmed",
    )
    return asked


async def dismiss(conn: Connection, app: App, hold: Hold, *, operator: str) -> None:
    """Record that the message did not ask to stop, and lift the hold.

    Within a transaction. Raises AlreadyReviewedError.
    """
    opened: Mapping[str, Any] = json.loads(hold.entry.body)
    now = datetime.now(UTC).replace(microsecond=0)
    act = _act(Action.HOLD_DISMISSED, hold, opened, operator, said_at=now)
    await _decide(conn, app, hold, act, operator=operator, outcome="dismissed")


async def _decide(
    conn: Connection, app: App, hold: Hold, act: Act, *, operator: str, outcome: str
) -> None:
    stands = await lock_hold(conn, app.app_id, hold)
    if stands.reviewed_at is not None:
        raise AlreadyReviewedError(
            f"{stands.reviewed_by} {stands.outcome} this review on {stands.reviewed_at:%F %T}Z; "
            f"nothing was changed. What the contact says next counts as always"
        )
    await record_acts(conn, app, Lane(), [(hold.message_key, act)])
    at = datetime.now(UTC)
    await mark_reviewed(conn, app.app_id, hold, at=at, by=operator, outcome=outcome)


def _act(
    action: Action,
    hold: Hold,
    opened: Mapping[str, Any],
    operator: str,
    *,
    said_at: datetime,
    switch: Switch | None = None,
) -> Act:
    """Return the act of an operator; what it rests on is the evidence of the hold's entry."""
    return Act(
        action=action,
        contact_key=hold.contact_key,
        names={},  # they are known since the hold was opened; if forgotten since, they stay so
        said_at=said_at,
        surface=Surface(opened["surface"]),
        actor=f"{OPERATOR}{operator}",
        switch=switch,
        clamped=opened["clamped"] and action is Action.OPT_OUT,
        facts={"review_of": [hold.entry.lane, hold.entry.number]},
    )

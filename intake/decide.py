"""From acts and where the contacts stood to entries, evidence and moved clocks.

Called with the rows locked; does no waiting. An entry's body is made here, once, as the bytes that
are stored: JSON with sorted keys, without a name, a number or a word of anybody.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from consent.model import Clock, Switch
from consent.standing import NEVER_ASKED, Standing
from db.sealing import Use, place
from db.statements import (
    ClockRow,
    EntryRow,
    EvidenceRow,
    HoldRow,
    NameChangeRow,
)
from intake.acts import CLOCK_OF, Act, Action
from intake.app import App

SCHEMA = 1
SALT_BYTES = 16

encode = msgspec.json.Encoder(order="sorted").encode


@dataclass(frozen=True, slots=True)
class Before:
    """What was read under the lock: references, standings, and how the old names stood."""

    refs: Mapping[bytes, UUID]
    standings: Mapping[tuple[bytes, Switch], Standing]
    carried: Mapping[bytes, Mapping[Switch, Standing]] = field(default_factory=dict)


@dataclass(slots=True)
class Decided:
    """The rows to write."""

    entries: list[EntryRow] = field(default_factory=list)
    evidence: list[EvidenceRow] = field(default_factory=list)
    clocks: list[ClockRow] = field(default_factory=list)
    holds: list[HoldRow] = field(default_factory=list)
    name_changes: list[NameChangeRow] = field(default_factory=list)


def decide(
    app: App,
    acts: Sequence[tuple[bytes, Act]],
    before: Before,
    *,
    lane: int,
    number: int,
    recorded_at: datetime,
) -> Decided:
    """Return the rows that these acts (each with its message key) come to.

    `lane` and `number` name the writer and its next entry. Acts are taken in the order given; the
    clocks come out the same in any order.
    """
    writing = _Writing(app, before, lane, number, recorded_at)
    for message_key, act in acts:
        writing.add(message_key, act)
    return writing.finished()


class _Writing:
    def __init__(
        self, app: App, before: Before, lane: int, number: int, recorded_at: datetime
    ) -> None:
        self._app = app
        self._before = before
        self._lane = lane
        self._number = number
        self._recorded_at = recorded_at
        self._now = dict(before.standings)
        self._moved: dict[tuple[bytes, Switch], dict[Clock, tuple[datetime, int]]] = {}
        self._out = Decided()

    def add(self, message_key: bytes, act: Act) -> None:
        if act.action is Action.NAME_CHANGED:
            self._name_changed(message_key, act)
        elif act.switch is not None:
            self._clock_moved(act, act.switch)
        else:
            number = self._entry(act, act.contact_key, act.action)
            if act.action is Action.HOLD_OPENED:
                row = HoldRow(act.contact_key, message_key, act.said_at, self._lane, number)
                self._out.holds.append(row)

    def _clock_moved(self, act: Act, switch: Switch) -> None:
        clock = CLOCK_OF[act.action]
        place_of = (act.contact_key, switch)
        stood = self._now.get(place_of, NEVER_ASKED)
        stands = stood.moved(clock, act.said_at)
        changes = {"before": _told(stood), "after": _told(stands), "moved": stands != stood}
        number = self._entry(act, act.contact_key, act.action, changes, clock)
        if stands != stood:
            self._now[place_of] = stands
            self._moved.setdefault(place_of, {})[clock] = (act.said_at, number)

    def _name_changed(self, message_key: bytes, act: Act) -> None:
        assert act.left_key is not None  # noqa: S101  an act of this kind always names both
        refs = self._before.refs
        stood = self._before.carried.get(act.left_key, {})
        carried = {switch.value: _told(standing) for switch, standing in stood.items()}
        ref = str(refs[act.left_key])
        self._entry(act, act.contact_key, Action.NAME_CHANGED, {"from": ref, "stood": carried})
        self._entry(act, act.left_key, Action.NAME_LEFT, {"to": str(refs[act.contact_key])})
        for old, new in act.changes:
            self._out.name_changes.append(NameChangeRow(old, new, act.said_at, message_key))

    def _entry(
        self,
        act: Act,
        contact_key: bytes,
        action: Action,
        more: Mapping[str, Any] | None = None,
        clock: Clock | None = None,
    ) -> int:
        """Append one entry and its evidence; return its number."""
        number, self._number = self._number, self._number + 1
        evidence = os.urandom(SALT_BYTES) + _proof(act)
        ref = self._before.refs[contact_key]
        switch = act.switch.value if act.switch is not None else None
        body = {
            "schema": SCHEMA,
            "entry": [self._lane, number],
            "app": self._app.app_id,
            "contact": str(ref),
            "action": action.value,
            "switch": switch,
            "actor": act.actor,
            "surface": act.surface.value,
            "said_at": stamp(act.said_at),
            "recorded_at": stamp(self._recorded_at),
            "clamped": act.clamped,
            "evidence": hashlib.sha256(evidence).hexdigest(),
            **act.facts,
            **(more or {}),
        }
        name = clock.value if clock is not None else None
        row = EntryRow(
            self._lane, number, ref, action.value, switch, name, act.actor, act.said_at,
            encode(body),
        )  # fmt: skip
        self._out.entries.append(row)
        self._out.evidence.append(EvidenceRow(self._lane, number, self._sealed(number, evidence)))
        return number

    def _sealed(self, number: int, evidence: bytes) -> bytes:
        bound = evidence_place(self._app.app_id, self._lane, number)
        return self._app.sealer.seal(self._app.number(Use.EVIDENCE), evidence, bound)

    def finished(self) -> Decided:
        for (key, switch), moved in sorted(self._moved.items()):
            cells: list[Any] = []
            for clock in (Clock.OPTED_OUT, Clock.OPTED_IN, Clock.VOUCHED):
                at, number = moved.get(clock, (None, None))
                cells += [at, self._lane if at is not None else None, number]
            self._out.clocks.append(ClockRow(key, switch.value, *cells))
        return self._out


def evidence_place(app_id: int, lane: int, number: int) -> bytes:
    """Return the associated data that binds evidence to its entry."""
    return place("evidence", "sealed", app_id, f"{lane}-{number}")


def stamp(at: datetime) -> str:
    """Return a time as entries write it: UTC, ISO 8601, ending in Z."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _told(standing: Standing) -> dict[str, str | None]:
    told: dict[str, str | None] = {"state": standing.state.value}
    for clock in Clock:
        at = standing.at(clock)
        told[clock.value] = stamp(at) if at is not None else None
    return told


def _proof(act: Act) -> bytes:
    """Return the proof as JSON; half surrogates and NUL stay as they came."""
    try:
        return encode(act.proof)
    except UnicodeEncodeError:  # half an emoji is no UTF-8, but it can be escaped
        return json.dumps(act.proof, ensure_ascii=True).encode("ascii")

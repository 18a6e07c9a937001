"""What is recorded: rows of messages, and the acts about consent in them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from consent.model import Clock, Surface, Switch
from db.statements import LinkRow, MessageRow, QuarantineRow


class Action(StrEnum):
    """What an entry of the audit table says was done."""

    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    HOLD_OPENED = "hold_opened"
    HOLD_DISMISSED = "hold_dismissed"  # a person looked: it did not ask to stop
    NAME_CHANGED = "name_changed"  # on the new name: what was said under the old one goes on
    NAME_LEFT = "name_left"  # on the old name: whoever has it next agreed to nothing
    KEYWORD_ADDED = "keyword_added"  # of the app, no contact's: it listens for one more word
    KEYWORD_REMOVED = "keyword_removed"


CLOCK_OF: Mapping[Action, Clock] = {
    Action.OPT_OUT: Clock.OPTED_OUT,
    Action.OPT_IN: Clock.OPTED_IN,
}


@dataclass(frozen=True, slots=True)
class Act:
    """One thing said about consent: what it moves, who said it, when, where, and the proof.

    Only opt-outs and opt-ins have a switch and move a clock.

    `said_at` is clamped to our clock where the sender's ran ahead. `facts` go into the entry and
    name nobody; `proof` is sealed: the words, where they stood, the item as it was delivered.
    For a changed name `contact_key` is the new one, `left_key` the old one, and `changes` all pairs
    of old and new.
    """

    action: Action
    contact_key: bytes
    names: Mapping[str, str]
    said_at: datetime
    surface: Surface
    actor: str = "contact"
    switch: Switch | None = None
    clamped: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)
    proof: Mapping[str, Any] = field(default_factory=dict)
    left_key: bytes | None = None
    left_names: Mapping[str, str] = field(default_factory=dict)
    changes: tuple[tuple[bytes, bytes], ...] = ()


# Structs and not dataclasses: one is made for every message, and theirs are made faster.
class Item(MessageRow, frozen=True, gc=False):
    """One row of `message`, sealed already, and the acts in it: none, for nearly all."""

    acts: tuple[Act, ...] = ()


class Intake(msgspec.Struct, gc=False):
    """All that one delivery brings: recorded together with others, answered after the commit.

    `body` is the delivery, to set aside if the database refuses what is in it. `pairs` are the
    names that `links` are of.
    """

    received_at: datetime
    body: bytes
    items: list[Item] = []
    links: list[LinkRow] = []
    pairs: tuple[tuple[str, str], ...] = ()
    unread: list[QuarantineRow] = []

"""What one delivery says, in our words: the only shape of it that the rest of the code sees.

These are msgspec structs and not dataclasses because thousands a second are made on the hot path.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from consent.model import Surface


class Names(msgspec.Struct, frozen=True, gc=False):
    """What Meta calls a contact in one place of a delivery; each name may be missing.

    `wa_id`: digits of a phone, no plus. `bsuid`: as `US.1349…`; `parent_bsuid`: as `US.ENT.…`.
    `profile` and `username` are chosen by the contact, for display only, never an identity; like
    words they may hold half surrogates.
    """

    wa_id: str | None = None
    bsuid: str | None = None
    parent_bsuid: str | None = None
    profile: str | None = None
    username: str | None = None


class Words(msgspec.Struct, frozen=True, gc=False):
    """Something a contact said or tapped, and where it stood. `text` may hold half surrogates."""

    surface: Surface
    text: str


class InboundMessage(msgspec.Struct, frozen=True, gc=False):
    """A message from a contact to the business.

    `words` is empty where nothing may be read for keywords: reactions, forwards, groups, media
    without a caption. The strongest words come first (a button's payload before its label).
    `raw` is the item exactly as it stood in the delivery. `said_at`: Unix seconds, not clamped.
    """

    names: Names
    message_id: str  # the wamid: contains a phone number, so never logged
    said_at: int
    kind: str  # Meta's `type`, or "unknown" where it is missing or not a string
    words: tuple[Words, ...]
    raw: bytes
    field: str = "messages"  # or "standby", "history"
    number_id: str | None = None  # Meta's phone_number_id of the business number
    group: bool = False
    forwarded: bool = False
    replies_to: str | None = None  # wamid of the message answered or the template tapped


class Preference(msgspec.Struct, frozen=True):
    """The contact moved the switch inside WhatsApp (`user_preferences`); it has no message id."""

    names: Names
    value: Literal["stop", "resume", "signup"]
    said_at: int
    raw: bytes
    number_id: str | None = None
    signup_id: str | None = None


class StoppedAtMeta(msgspec.Struct, frozen=True):
    """Meta refused a marketing template because the contact stopped them: error 131050."""

    names: Names
    message_id: str  # of our message that failed
    said_at: int
    raw: bytes
    field: str = "messages"  # or "standby"
    number_id: str | None = None


class NameChange(msgspec.Struct, frozen=True):
    """WhatsApp says that a contact is now called otherwise: a new number, a new BSUID, or both."""

    old: Names
    new: Names
    message_id: str | None  # None for the withdrawn `user_id_update`
    said_at: int
    raw: bytes


class Unread(msgspec.Struct, frozen=True):
    """Something we could not read or must not guess about.

    `body` is a whole delivery that holds this item alone, with its own bytes, the metadata and the
    contacts it came with, so that feeding it in again later is enough. For a body that is no
    delivery at all it is that body. `code` is stable and listed in `webhook/errors.py`;
    `reason` tells a person more and never quotes names, numbers or words.
    """

    body: bytes
    code: str
    reason: str


class Delivery(msgspec.Struct, frozen=True, gc=False):
    """Everything one webhook body said that matters to consent, in the order it stood there.

    `links`: pairs of names that one object of the delivery gave to one contact, from messages,
    `contacts`, statuses and preferences alike. `ignored` counts what we know and need not keep:
    by the name of its webhook field, or `statuses`, `group_statuses`, `message_echoes`,
    `history_sent`, `errors`, `empty`, `other_object`, `unreadable_metadata`.
    """

    messages: tuple[InboundMessage, ...] = ()
    preferences: tuple[Preference, ...] = ()
    stopped_at_meta: tuple[StoppedAtMeta, ...] = ()
    name_changes: tuple[NameChange, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    unread: tuple[Unread, ...] = ()
    ignored: Mapping[str, int] = {}

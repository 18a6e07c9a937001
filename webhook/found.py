"""Gathers what a delivery says while it is read, and sets aside what cannot be."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from webhook.delivery import (
    Delivery,
    InboundMessage,
    NameChange,
    Names,
    Preference,
    StoppedAtMeta,
    Unread,
)
from webhook.names import ContactBook, identify, pairs_of
from webhook.payload import Contact, Message, Metadata, Profile
from webhook.skim import elements

WHATSAPP_BEGAN = int(datetime(2009, 1, 1, tzinfo=UTC).timestamp())
LONGEST_CONTACTS = 4096  # bytes of `contacts` that go along with one item set aside

NO_PROFILE = Profile()

# A BSUID or a phone, wherever it stands.
_NAME = re.compile(rb"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}|[0-9]{5,20}")
_contact = msgspec.json.Decoder(Contact)


class LookCloser(ValueError):
    """The quick way met something that only the careful way can keep with its exact bytes."""


class Place:
    """Where an item stood: what it takes to send it alone."""

    def __init__(
        self,
        *,
        field: bytes,
        metadata: bytes | None,
        contacts: bytes | None,
        nested: bool = False,
    ) -> None:
        """All as it stood there. `nested`: below `standby`."""
        self.field = field
        self.metadata = metadata
        self.contacts = contacts
        self.nested = nested
        self.thread: Mapping[str, bytes] | None = None
        self._by_name: dict[str, bytes] | None = None

    def alone(self, key: str, value: bytes) -> bytes:
        """Return a delivery that holds nothing but `value` as the member `key`, in this place."""
        around: dict[str, bytes | None] = {"messaging_product": b'"whatsapp"'}
        around["metadata"] = self.metadata
        if self.thread is not None and key == "messages":
            inner = object_of({**self.thread, key: value})
            key, value = "history", b'[{"threads":[' + inner + b"]}]"
        items = {"contacts": self._contacts_for(value), key: value}
        if self.nested:
            items = {"standby": object_of(items)}
        change = object_of({"field": self.field, "value": object_of({**around, **items})})
        return delivery_of(b'{"changes":[' + change + b"]}")

    def in_thread(self, thread: Mapping[str, bytes]) -> "Place":
        """Return the place of an old message in this thread, which shows who wrote it."""
        there = Place(field=self.field, metadata=self.metadata, contacts=self.contacts)
        there.thread = thread
        return there

    def _contacts_for(self, value: bytes) -> bytes | None:
        """Return the contacts, or of a long list those whose names stand in `value`."""
        if self.contacts is None or len(self.contacts) <= LONGEST_CONTACTS:
            return self.contacts
        if self._by_name is None:
            self._by_name = _index(self.contacts)
        named = (self._by_name.get(name.decode()) for name in _NAME.findall(value))
        kept = dict.fromkeys(entry for entry in named if entry is not None)
        # The empty one keeps a list that was cut short from looking like that of one contact.
        return b"[" + b",".join([*kept, b"{}"]) + b"]"


def delivery_of(entry: bytes) -> bytes:
    """Return a delivery that holds this entry alone."""
    return b'{"object":"whatsapp_business_account","entry":[' + entry + b"]}"


def object_of(members: Mapping[str, bytes | None]) -> bytes:
    """Write a JSON object of values that are JSON already, without those that are None."""
    written = (b'"%b":%b' % (key.encode(), value) for key, value in members.items() if value)
    return b"{" + b",".join(written) + b"}"


def _index(contacts: bytes) -> dict[str, bytes]:
    """Return the entries of a contacts list by the names in them."""
    by_name = {}
    try:
        entries = elements(contacts)
    except ValueError:
        return {}
    for entry in entries:
        try:
            contact = _contact.decode(entry)
        except (ValueError, RecursionError):
            continue
        for name in identify(contact.wa_id, contact.user_id, contact.parent_user_id):
            if name:
                by_name[name] = entry
    return by_name


class Scene:
    """What the items of one value share. Without a `place` nothing can be set aside."""

    __slots__ = ("book", "field", "metadata", "number_id", "place")

    def __init__(
        self, field: str, metadata: Metadata, book: ContactBook, place: Place | None = None
    ) -> None:
        self.field = field
        self.metadata = metadata
        self.number_id = text_id(metadata.phone_number_id)
        self.book = book
        self.place = place


class Found:
    """What was read so far; see `Delivery` for what each holds."""

    __slots__ = (
        "ignored",
        "links",
        "messages",
        "name_changes",
        "preferences",
        "stopped_at_meta",
        "unread",
    )

    def __init__(
        self,
        messages: list[InboundMessage] | None = None,
        links: dict[tuple[str, str], None] | None = None,
    ) -> None:
        """Go on from the messages and links found so far, if given; adds to these very objects."""
        self.messages: list[InboundMessage] = [] if messages is None else messages
        self.preferences: list[Preference] = []
        self.stopped_at_meta: list[StoppedAtMeta] = []
        self.name_changes: list[NameChange] = []
        self.links: dict[tuple[str, str], None] = {} if links is None else links  # ordered set
        self.unread: list[Unread] = []
        self.ignored: dict[str, int] = {}

    def delivery(self) -> Delivery:
        """Return all of it."""
        return Delivery(
            tuple(self.messages),
            tuple(self.preferences),
            tuple(self.stopped_at_meta),
            tuple(self.name_changes),
            tuple(self.links),
            tuple(self.unread),
            self.ignored,
        )

    def ignore(self, what: str, times: int = 1) -> None:
        """Count what we know and need not keep."""
        if times:
            self.ignored[what] = self.ignored.get(what, 0) + times

    def link(self, phone: str | None, bsuid: str | None, parent: str | None) -> None:
        """Note that one object gave these names to one contact."""
        if phone and bsuid and not parent:  # by far the most frequent
            self.links[phone, bsuid] = None
            return
        for pair in pairs_of(phone, bsuid, parent):
            self.links[pair] = None

    def set_aside(self, scene: Scene, key: str, item: bytes, code: str, reason: str) -> None:
        """Keep one item of the list `key` as a delivery of its own."""
        self.set_aside_list(scene, key, b"[" + item + b"]", code, reason)

    def set_aside_list(self, scene: Scene, key: str, part: bytes, code: str, reason: str) -> None:
        """Keep all that stood under `key`, which is perhaps no list, as a delivery of its own."""
        if scene.place is None:
            raise LookCloser
        self.unread.append(Unread(scene.place.alone(key, part), code, reason))

    def book(self, contacts: Sequence[Contact], *, complete: bool = True) -> ContactBook:
        """Open the contacts of a value, each of which links its own names."""
        known = []
        exact = {}
        for contact in contacts:
            slots = (contact.wa_id, contact.user_id, contact.parent_user_id)
            phone, bsuid, parent = identify(*slots)
            profile = contact.profile or NO_PROFILE
            names = Names(phone, bsuid, parent, profile.name, profile.username)
            known.append(names)
            if phone or bsuid or parent:
                exact[slots] = names
                self.link(phone, bsuid, parent)
        return ContactBook(known, exact, complete=complete)

    def sender_of(self, scene: Scene, message: Message) -> Names | None:
        """Return who sent it: its own names first, or the only contact if it has none at all."""
        slots = (message.sender, message.from_user_id, message.from_parent_user_id)
        exact = scene.book.exact.get(slots)
        if exact is not None:  # nearly always, and then its names are linked already
            return exact
        phone, bsuid, parent = identify(*slots)
        if phone or bsuid or parent:
            self.link(phone, bsuid, parent)
            return scene.book.names_of(phone, bsuid, parent)
        return None if any(slots) else scene.book.only


def text_id(value: str | int | None) -> str | None:
    """Return an id of Meta's as text, or None where it is missing or not printable ASCII."""
    if isinstance(value, int):
        return str(value) if abs(value) < 10**40 else None
    return value if value and value.isascii() and value.isprintable() else None


def said_at(stamp: str | int | None) -> int:
    """Read a timestamp: Unix seconds as ten digits, in a string or a number; thirteen are ms.

    Raises ValueError for anything else and for times before WhatsApp existed (2009), which makes
    the item unread rather than misdated. Source: Meta, "messages webhook reference", `timestamp`;
    numbers in `user_preferences`; milliseconds seen in the wild.
    """
    digits = stamp if isinstance(stamp, str) else _digits(stamp)
    if not (len(digits) in (10, 13) and digits.isascii() and digits.isdigit()):
        raise ValueError(f"timestamp of {len(digits)} characters")
    seconds = int(digits[:10])
    if seconds < WHATSAPP_BEGAN:
        raise ValueError("timestamp before 2009")
    return seconds


def _digits(stamp: int | None) -> str:
    return str(stamp) if stamp is not None and 0 <= stamp < 10**13 else ""

"""Reads one webhook body into our words: past this, nobody sees Meta's JSON."""

import msgspec

from webhook.careful import read_carefully
from webhook.delivery import Delivery, InboundMessage
from webhook.fields import IGNORED_FIELDS, OBJECT
from webhook.found import Found, LookCloser, Scene
from webhook.items import take_message, take_status
from webhook.names import NOBODY
from webhook.ordinary import decode_message, read_ordinary
from webhook.payload import Change, Envelope, Metadata, Standby, Value

_envelope = msgspec.json.Decoder(Envelope).decode

_NO_METADATA = Metadata()


def parse_delivery(raw: bytes) -> Delivery:
    """Read one webhook body; what can't be read is set aside and stops nothing else.

    Raises NotADelivery if the envelope cannot be read, and nothing else, whatever the bytes.
    Nothing in the result keeps `raw` alive.
    """
    try:
        return _read_quickly(raw)
    except (ValueError, RecursionError):
        pass  # one part in a form we don't know sinks a typed decode as a whole
    return read_carefully(raw)


def _read_quickly(raw: bytes) -> Delivery:
    """Read a delivery in which all is as usual. Raises ValueError or RecursionError otherwise."""
    envelope = _envelope(raw)
    if envelope.object != OBJECT:
        raise LookCloser
    messages: list[InboundMessage] = []
    links: dict[tuple[str, str], None] = {}  # a set that keeps the order
    found = None
    for entry in envelope.entry:
        for change in entry.changes:
            if change.field == "messages":
                message = read_ordinary(change.value, links)
                if message is not None:
                    messages.append(message)
                    continue
            if found is None:  # nearly always there is nothing but such messages
                found = Found(messages, links)
            _read_change(found, change)
    if found is None:
        return Delivery(tuple(messages), (), (), (), tuple(links))
    return found.delivery()


def _read_change(found: Found, change: Change) -> None:
    if change.field == "messages" or change.field == "standby":
        _read_value(found, change.field, change.value)
    elif change.field in IGNORED_FIELDS:
        found.ignore(change.field)
    else:
        raise LookCloser


def _read_value(found: Found, field: str, value: Value) -> None:
    metadata = value.metadata or _NO_METADATA
    if value.standby is None:
        _read_lists(found, field, value, metadata)
    elif value.messages is None and value.statuses is None and value.contacts is None:
        _read_lists(found, "standby", value.standby, metadata)
    else:
        raise LookCloser


def _read_lists(found: Found, field: str, lists: Value | Standby, metadata: Metadata) -> None:
    if lists.messages is None and lists.statuses is None:
        raise LookCloser
    scene = Scene(field, metadata, found.book(lists.contacts) if lists.contacts else NOBODY)
    for raw in lists.messages or ():
        item = bytes(raw)
        take_message(found, scene, decode_message(item), item)
    for status in lists.statuses or ():
        take_status(found, scene, status, None)

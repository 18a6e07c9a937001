"""Reads the items of a delivery one by one: messages, statuses, preferences."""

import json
from typing import Any, TypeVar

import msgspec

from webhook.changes import take_system
from webhook.delivery import InboundMessage, Names, Preference, StoppedAtMeta
from webhook.found import Found, LookCloser, Scene, said_at, text_id
from webhook.names import identify, phone_of
from webhook.payload import Message, Status
from webhook.payload import Preference as PreferencePart
from webhook.words import is_forwarded, words_of

STOPPED_BY_CONTACT = "131050"  # Meta, "error codes": the recipient stopped marketing messages

LONGEST_KIND = 64  # characters; Meta's longest is 15

Part = TypeVar("Part")

# What every message has; next to these only the member named by its type is worth a second try.
_COMMON = frozenset(Message.__struct_encode_fields__) - {
    *("text", "button", "interactive", "image", "video", "document", "order"),
    *("edit", "unsupported", "system", "contacts"),
}


def read_again(item: bytes, shape: type[Part]) -> Part:
    """Decode what the strict decoder may refuse: half an emoji, bad UTF-8, a broken side part.

    Half surrogates come through as they are, bytes that are no UTF-8 as U+FFFD. Raises ValueError
    or RecursionError if it can't be read this way either.
    """
    try:
        return msgspec.json.decode(item, type=shape)
    except ValueError:
        pass
    try:
        text = item.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        text = item.decode("utf-8", "replace")
    loose: Any = json.loads(text, strict=False)
    try:
        return msgspec.convert(loose, shape)
    except ValueError:
        if shape is not Message or not isinstance(loose, dict):
            raise
    kept = {key: loose[key] for key in loose if key in _COMMON or key == loose.get("type")}
    return msgspec.convert(kept, shape)


def take_message(found: Found, scene: Scene, message: Message, item: bytes) -> None:
    """Add one message from a contact, or set it aside."""
    message_id = text_id(message.id)
    if message_id is None:
        return found.set_aside(scene, "messages", item, "unreadable_message", "no usable id")
    try:
        seconds = said_at(message.timestamp)
    except ValueError as exc:
        return found.set_aside(scene, "messages", item, "bad_timestamp", str(exc))
    kind = kind_of(message.type)
    group = bool(message.group_id)
    context = message.context
    forwarded = is_forwarded(message)
    if kind == "system" and not group:
        names = take_system(found, scene, message, item, message_id, seconds)
    else:
        names = found.sender_of(scene, message)
    if names is None:
        return found.set_aside(scene, "messages", item, "no_name", "no phone, no BSUID")
    found.messages.append(
        InboundMessage(
            names,
            message_id,
            seconds,
            kind,
            () if group or forwarded else words_of(message, kind),
            item,
            scene.field,
            scene.number_id,
            group,
            forwarded,
            text_id(context.id) if context is not None else None,
        )
    )
    if kind == "unsupported" and message.unsupported and message.unsupported.type == "edit":
        found.set_aside(scene, "messages", item, "content_withheld", "the new words of an edit")
    if kind == "contacts" and not (group or forwarded):
        _link_shared_number(found, names, message)
    return None


def kind_of(kind: object) -> str:
    """Return Meta's `type`, or "unknown" where it is no short ASCII name."""
    name = text_id(kind) if isinstance(kind, str) else None
    return name if name and len(name) <= LONGEST_KIND else "unknown"


def _link_shared_number(found: Found, sender: Names, message: Message) -> None:
    """Link the number a contact shared by tapping "share my number"; never a card they sent."""
    for card in message.contacts or ():
        if card.origin == "contact_request":
            for phone in card.phones or ():
                found.link(phone_of(phone.wa_id), sender.bsuid, None)


def take_status(found: Found, scene: Scene, status: Status, item: bytes | None) -> None:
    """Count a status, and add it if it says that the contact stopped marketing.

    `item` may be None where its bytes were not kept; then such a status raises LookCloser.
    """
    if status.recipient_type == "group":
        return found.ignore("group_statuses")
    phone, bsuid, parent = identify(
        status.recipient_id, status.recipient_user_id, status.recipient_parent_user_id
    )
    found.link(phone, bsuid, parent)
    if not stopped_at_meta(status):
        return found.ignore("statuses")
    if item is None:
        raise LookCloser
    message_id = text_id(status.id)
    if message_id is None:
        return found.set_aside(scene, "statuses", item, "unreadable_status", "no usable id")
    if not (phone or bsuid or parent):
        return found.set_aside(scene, "statuses", item, "no_name", "no phone, no BSUID")
    try:
        seconds = said_at(status.timestamp)
    except ValueError as exc:
        return found.set_aside(scene, "statuses", item, "bad_timestamp", str(exc))
    names = scene.book.names_of(phone, bsuid, parent)
    found.stopped_at_meta.append(
        StoppedAtMeta(names, message_id, seconds, item, scene.field, scene.number_id)
    )
    return None


def stopped_at_meta(status: Status) -> bool:
    """Tell whether a status, whatever its word, carries error 131050."""
    return bool(status.errors) and any(
        str(error.code) == STOPPED_BY_CONTACT for error in status.errors or ()
    )


def take_preference(found: Found, scene: Scene, part: PreferencePart, item: bytes) -> None:
    """Add one move of the switch inside WhatsApp, or set it aside."""
    key = "user_preferences"
    value = part.value
    if value not in ("stop", "resume", "signup") or part.category != "marketing_messages":
        which = "value" if part.category == "marketing_messages" else "category"
        return found.set_aside(scene, key, item, "unknown_preference", f"{which} not known")
    phone, bsuid, parent = identify(part.wa_id, part.user_id, part.parent_user_id)
    found.link(phone, bsuid, parent)
    if phone or bsuid or parent:
        names: Names | None = scene.book.names_of(phone, bsuid, parent)
    else:
        names = None if (part.wa_id or part.user_id) else scene.book.only
    if names is None:
        return found.set_aside(scene, key, item, "no_name", "no phone, no BSUID")
    try:
        seconds = said_at(part.timestamp)
    except ValueError as exc:
        return found.set_aside(scene, key, item, "bad_timestamp", str(exc))
    signup_id = text_id(part.signup_id)
    found.preferences.append(Preference(names, value, seconds, item, scene.number_id, signup_id))
    return None

"""The shortest way through what nearly every delivery holds: one message from its one contact.

Says the same as the general way in `found` and `items`, which reads whatever this leaves alone; but
it is the hot path, so its calls are counted: locals, no helper objects, answers remembered.
"""

from functools import lru_cache

import msgspec

from webhook.delivery import InboundMessage, Names, Words
from webhook.found import NO_PROFILE, said_at, text_id
from webhook.names import identify, is_bsuid, pairs_of
from webhook.payload import Contact, Message, Metadata, Value
from webhook.words import TEXT, is_forwarded, words_of

decode_message = msgspec.json.Decoder(Message).decode

# Few ever differ: there are not many business numbers, and what comes in was said just now.
_number_id = lru_cache(256)(text_id)
_said_at = lru_cache(64)(said_at)

_join = b"".join
_BACKSLASH, _DEL = b"\\\x7f"

# Kinds whose messages say nothing but who wrote them, when, and perhaps words. Others may be more
# than a message: a new name, a shared number, something withheld.
_PLAIN = frozenset(
    {"audio", "button", "document", "image", "interactive", "location", "order", "reaction"}
    | {"sticker", "text", "video"}
)


def read_ordinary(value: Value, links: dict[tuple[str, str], None]) -> InboundMessage | None:
    """Return the message of a value that holds nothing else, or None if this is for others to read.

    Adds the names that belong together to `links`. Raises ValueError or RecursionError where the
    message is not as usual.
    """
    contacts, items, metadata = value.contacts, value.messages, value.metadata
    if not contacts or not items or len(contacts) != 1 or len(items) != 1:
        return None
    if metadata is None or value.statuses is not None or value.standby is not None:
        return None
    item = _join(items)  # the bytes of the only one
    message = decode_message(item)
    contact = contacts[0]
    message_id = message.id
    if (
        contact.wa_id != message.sender
        or contact.user_id != message.from_user_id
        or contact.parent_user_id != message.from_parent_user_id
        or not message_id
        or not message_id.isascii()
        # Without an escape JSON has no unprintable ASCII but DEL; this is quicker to rule out.
        or ((_BACKSLASH in item or _DEL in item) and not message_id.isprintable())
        or message.group_id
    ):
        return None
    ordinary = _plain_text(metadata, contact, message, message_id, item, links)
    if ordinary is not None:
        return ordinary
    return _less_ordinary(metadata, contact, message, message_id, item, links)


def _plain_text(
    metadata: Metadata,
    contact: Contact,
    message: Message,
    message_id: str,
    item: bytes,
    links: dict[tuple[str, str], None],
) -> InboundMessage | None:
    """Return a text that answers nothing, from a sender with phone and BSUID; None if it is not."""
    phone, bsuid, text = contact.wa_id, contact.user_id, message.text
    if (
        message.type != "text"
        or text is None
        or message.context is not None
        or message.edit is not None
        or not bsuid
        or contact.parent_user_id is not None
        or type(phone) is not str
        or not phone.isdigit()  # with the next two quicker than a regular expression
        or not phone.isascii()
        or not 5 <= len(phone) <= 20
        or is_bsuid(bsuid) is None
    ):
        return None
    profile = contact.profile or NO_PROFILE
    links[phone, bsuid] = None
    return InboundMessage(
        Names(phone, bsuid, None, profile.name, profile.username),
        message_id,
        _said_at(message.timestamp),
        "text",
        (Words(TEXT, text.body),) if text.body else (),
        item,
        "messages",
        _number_id(metadata.phone_number_id),
    )


def _less_ordinary(
    metadata: Metadata,
    contact: Contact,
    message: Message,
    message_id: str,
    item: bytes,
    links: dict[tuple[str, str], None],
) -> InboundMessage | None:
    """Go on with a message that is no plain text, answers another, or whose sender lacks a name."""
    kind, context = message.type, message.context
    if not isinstance(kind, str) or kind not in _PLAIN:
        return None
    phone, bsuid, parent = identify(contact.wa_id, contact.user_id, contact.parent_user_id)
    if not (phone or bsuid or parent):
        return None
    for pair in pairs_of(phone, bsuid, parent):
        links[pair] = None
    profile = contact.profile or NO_PROFILE
    forwarded = is_forwarded(message)
    return InboundMessage(
        Names(phone, bsuid, parent, profile.name, profile.username),
        message_id,
        _said_at(message.timestamp),
        kind,
        () if forwarded else words_of(message, kind),
        item,
        "messages",
        _number_id(metadata.phone_number_id),
        False,
        forwarded,
        text_id(context.id) if context is not None else None,
    )

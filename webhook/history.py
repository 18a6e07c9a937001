"""Old conversations of a number that moved to the Cloud API: which messages are the contact's."""

from webhook.found import Found, Scene
from webhook.items import take_message
from webhook.names import identify, is_bsuid, is_phone, phone_of
from webhook.payload import Contact, Message, Profile, Thread, ThreadContext

SAME_NUMBER_DIGITS = 8  # Brazil and Mexico write one number in two ways that differ before these


def other_side(thread: Thread) -> frozenset[str]:
    """Return the names that a thread itself gives to its contact."""
    context = thread.context or ThreadContext()
    by_id = identify(thread.id, None, None)
    by_context = identify(context.wa_id, context.user_id, context.parent_user_id)
    return frozenset(name for name in (*by_id, *by_context) if name)


def contact_of(context: ThreadContext) -> Contact:
    """Return the entry that `contacts` would have for the other side of a thread."""
    profile = Profile(username=context.username)
    return Contact(profile, context.wa_id, context.user_id, context.parent_user_id)


def take_old_message(
    found: Found, scene: Scene, thread: frozenset[str] | None, message: Message, item: bytes
) -> None:
    """Add an old message of the contact, count one of the business, set aside what is unclear."""
    inbound = is_inbound(message, thread, phone_of(scene.metadata.display_phone_number))
    if inbound is None:
        reason = "its sender is neither clearly the contact nor clearly the business"
        found.set_aside(scene, "messages", item, "unclear_direction", reason)
    elif inbound:
        take_message(found, scene, message, item)
    else:
        found.ignore("history_sent")


def is_inbound(
    message: Message, thread: frozenset[str] | None, business: str | None
) -> bool | None:
    """Tell whether the contact wrote this, or None if the signs are missing or contradict.

    `thread` is what `other_side` returned, None where the message stands in no thread. Source:
    Meta, "history webhook reference": `from` is either side's number and `to` stands in messages of
    the business only; `history_context.from_me` is seen in the wild.
    """
    phone, bsuid, parent = identify(
        message.sender, message.from_user_id, message.from_parent_user_id
    )
    past = message.history_context
    ours = (past is not None and past.from_me is True) or is_same_number(phone, business)
    ours = ours or bool(message.to_user_id) or _is_to_contact(message.to, business)
    if thread is None:
        theirs = bool(bsuid or parent)
        theirs = theirs or bool(phone and business and not is_same_number(phone, business))
    else:
        theirs = bsuid in thread or (phone is not None and is_among(phone, thread))
        unnamed = phone is None and not any(is_bsuid(name) for name in thread)
        theirs = theirs or bool(bsuid and unnamed)  # the business has no BSUID to send from
    return theirs if theirs != ours else None


def is_among(phone: str, thread: frozenset[str]) -> bool:
    """Tell whether a thread knows this number, perhaps written otherwise."""
    return any(is_same_number(phone, name) for name in thread if is_phone(name))


def _is_to_contact(to: object, business: str | None) -> bool:
    if not isinstance(to, str | int) or to == "":
        return False
    return business is None or not is_same_number(phone_of(to), business)


def is_same_number(one: str | None, other: str | None) -> bool:
    """Tell whether two numbers end alike: Meta displays numbers otherwise than it sends them."""
    if one is None or other is None:
        return False
    return one[-SAME_NUMBER_DIGITS:] == other[-SAME_NUMBER_DIGITS:]

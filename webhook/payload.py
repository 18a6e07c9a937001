"""The parts of Meta's JSON that we read, as msgspec types; everything else is skipped.

Source: Meta, "webhooks reference" (messages, statuses, user_preferences, standby, history), 2026.
Every member may be missing or null, and what Meta calls a string may be a number where samples
show both. Structs without garbage collection, since decoded JSON cannot refer to itself. The most
frequent members come in Meta's order, since msgspec looks for each first after the one before.
"""

from typing import Any

import msgspec
from msgspec import Raw

Id = str | int | None


class _Part(msgspec.Struct, gc=False):
    pass


class Text(_Part):
    """A text message, with its `body`."""

    body: str | None = None


class Button(_Part):
    """A tapped quick reply of a template; `payload` is the label unless one was set on sending."""

    payload: Id = None
    text: str | None = None


class Reply(_Part):
    """A tapped reply button or a chosen list row."""

    id: Id = None
    title: str | None = None


class Interactive(_Part):
    """The answer to a message with reply buttons or a list."""

    button_reply: Reply | None = None
    list_reply: Reply | None = None


class Media(_Part):
    """An image, video or document."""

    caption: str | None = None


class Order(_Part):
    """A cart; `text` is what the contact wrote next to it."""

    text: str | None = None


class Context(_Part):
    """What a message answers, and whether it was forwarded."""

    id: str | None = None
    forwarded: bool | None = None
    frequently_forwarded: bool | None = None


class Spoken(_Part):
    """The new version of a message in an edit; `Message` has all of this too."""

    type: Any = None
    text: Text | None = None
    button: Button | None = None
    interactive: Interactive | None = None
    image: Media | None = None
    video: Media | None = None
    document: Media | None = None
    order: Order | None = None
    context: Context | None = None


class Edit(_Part):
    """A message the contact wrote anew."""

    message: Spoken | None = None


class Unsupported(_Part):
    """What WhatsApp withheld; `type` says what it was."""

    type: Any = None


class System(_Part):
    """A notice of WhatsApp's. `wa_id` and `user_id` are the new names, `customer` the old phone."""

    type: Any = None
    wa_id: Id = None
    new_wa_id: Id = None
    user_id: str | None = None
    parent_user_id: str | None = None
    customer: Id = None
    previous_user_id: str | None = None
    previous_parent_user_id: str | None = None


class CardPhone(_Part):
    """A phone number of a shared contact."""

    wa_id: Id = None


class Card(_Part):
    """A shared contact; `origin` is `contact_request` when its sender tapped "share my number"."""

    origin: Any = None
    phones: list[CardPhone] | None = None


class HistoryContext(_Part):
    """What is said of an old message; `from_me`: the business wrote it."""

    from_me: bool | None = None


class Message(_Part):
    """An item of `messages`; `to` and `history_context` stand in old ones only.

    All of `Spoken` again and not derived from it, which would fix the order of the members.
    """

    sender: Id = msgspec.field(default=None, name="from")
    from_user_id: str | None = None
    from_parent_user_id: str | None = None
    id: str | None = None
    timestamp: Id = None
    text: Text | None = None
    type: Any = None
    context: Context | None = None
    button: Button | None = None
    interactive: Interactive | None = None
    image: Media | None = None
    video: Media | None = None
    document: Media | None = None
    order: Order | None = None
    group_id: Any = None
    edit: Edit | None = None
    unsupported: Unsupported | None = None
    system: System | None = None
    contacts: list[Card] | None = None
    to: Any = None
    to_user_id: Any = None
    history_context: HistoryContext | None = None


class SendError(_Part):
    """Why a message was not delivered."""

    code: Id = None


class Status(_Part):
    """What became of a message of the business."""

    id: str | None = None
    timestamp: Id = None
    recipient_id: Id = None
    recipient_user_id: str | None = None
    recipient_parent_user_id: str | None = None
    recipient_type: Any = None
    errors: list[SendError] | None = None


class Preference(_Part):
    """A move of the switch inside WhatsApp."""

    wa_id: Id = None
    user_id: str | None = None
    parent_user_id: str | None = None
    category: Any = None
    value: Any = None
    timestamp: Id = None
    signup_id: Id = None


class Renamed(_Part):
    """An id before and after."""

    previous: str | None = None
    current: str | None = None


class UserIdUpdate(_Part):
    """An item of the field `user_id_update`, documented until August 2026 and then withdrawn."""

    wa_id: Id = None
    user_id: Renamed | None = None
    parent_user_id: Renamed | None = None
    timestamp: Id = None


class Profile(_Part):
    """How a contact calls themselves; for display only."""

    name: str | None = None
    username: str | None = None


class Contact(_Part):
    """An entry of `contacts`."""

    profile: Profile | None = None
    wa_id: Id = None
    user_id: str | None = None
    parent_user_id: str | None = None


class Metadata(_Part):
    """The business number."""

    display_phone_number: Id = None
    phone_number_id: Id = None


class ThreadContext(_Part):
    """Who the other side of an old conversation is, where the thread has no phone as its id."""

    wa_id: Id = None
    user_id: str | None = None
    parent_user_id: str | None = None
    username: str | None = None


class Thread(_Part):
    """Whose conversation this was; its messages are read one by one."""

    id: Id = None
    context: ThreadContext | None = None


class Standby(_Part):
    """What came in while Meta's agent held the thread; nested one level deeper than elsewhere."""

    contacts: list[Contact] | None = None
    messages: list[Raw] | None = None
    statuses: list[Status] | None = None
    message_echoes: None = None
    standby: None = None


class Value(_Part):
    """What most deliveries hold. A member typed `None`, if it is there, takes the careful way."""

    metadata: Metadata | None = None
    contacts: list[Contact] | None = None
    messages: list[Raw] | None = None
    statuses: list[Status] | None = None
    standby: Standby | None = None
    errors: None = None
    history: None = None
    message_echoes: None = None
    user_id_update: None = None
    user_preferences: None = None


class Change(_Part):
    """What happened, under the webhook field that it belongs to."""

    value: Value
    field: str


class Entry(_Part):
    """What happened to one WhatsApp Business Account."""

    changes: list[Change]


class Envelope(_Part):
    """A delivery whose parts are all as usual."""

    object: str
    entry: list[Entry]

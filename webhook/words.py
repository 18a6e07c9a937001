"""Which words of a message the contact spoke or tapped: what may be read for keywords."""

from collections.abc import Callable, Mapping

from consent.model import Surface
from webhook.delivery import Words
from webhook.payload import Media, Message, Reply, Spoken

Speech = Message | Spoken

TEXT = Surface.TEXT  # a name of our own: an attribute of an enum is slow to get at


def words_of(message: Message, kind: str) -> tuple[Words, ...]:
    """Return what the contact said or tapped, the strongest first; of an edit the new words.

    Never quotes, reactions, notices of WhatsApp's or answers of a flow.
    """
    if kind == "edit":
        spoken = message.edit.message if message.edit else None
        return _read(spoken, spoken.type) if spoken else ()
    return _read(message, kind)


def is_forwarded(message: Message) -> bool:
    """Tell whether somebody else wrote this first."""
    context = message.context
    if message.edit is not None and message.edit.message is not None:
        context = message.edit.message.context or context
    return context is not None and bool(context.forwarded or context.frequently_forwarded)


def _read(spoken: Speech, kind: object) -> tuple[Words, ...]:
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    return reader(spoken) if reader else ()


def _said(*said: tuple[Surface, str | int | None]) -> tuple[Words, ...]:
    return tuple(Words(surface, str(text)) for surface, text in said if text not in (None, ""))


def _text(spoken: Speech) -> tuple[Words, ...]:
    text = spoken.text
    return (Words(TEXT, text.body),) if text and text.body else ()


def _button(spoken: Speech) -> tuple[Words, ...]:
    button = spoken.button
    if button is None:
        return ()
    return _said((Surface.BUTTON_PAYLOAD, button.payload), (Surface.BUTTON, button.text))


def _interactive(spoken: Speech) -> tuple[Words, ...]:
    interactive = spoken.interactive
    if interactive is None:
        return ()
    tapped = interactive.button_reply or Reply()
    chosen = interactive.list_reply or Reply()
    return _said(
        (Surface.BUTTON_PAYLOAD, tapped.id),
        (Surface.BUTTON, tapped.title),
        (Surface.LIST_ROW_ID, chosen.id),
        (Surface.LIST_ROW, chosen.title),
    )


def _caption(media: Media | None) -> tuple[Words, ...]:
    return _said((Surface.CAPTION, media.caption)) if media else ()


def _order(spoken: Speech) -> tuple[Words, ...]:
    return _said((Surface.TEXT, spoken.order.text)) if spoken.order else ()


_READERS: Mapping[str, Callable[[Speech], tuple[Words, ...]]] = {
    "text": _text,
    "unknown": _text,  # no type, but a text: a stop that is not read would be a stop that is missed
    "button": _button,
    "interactive": _interactive,
    "image": lambda spoken: _caption(spoken.image),
    "video": lambda spoken: _caption(spoken.video),
    "document": lambda spoken: _caption(spoken.document),
    "order": _order,
}

"""The careful way through a delivery: level by level, keeping the bytes of whatever is unreadable.

Slower than the quick way in `parse`, taken when that one met anything unusual.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec

from webhook import payload
from webhook.changes import take_user_id_update
from webhook.delivery import Delivery, Unread
from webhook.errors import NotADelivery
from webhook.fields import IGNORED_FIELDS, OBJECT, OTHER_SOURCES, READ_FIELDS
from webhook.found import Found, Place, Scene, delivery_of, object_of
from webhook.history import contact_of, other_side, take_old_message
from webhook.items import read_again, take_message, take_preference, take_status
from webhook.names import NOBODY, ContactBook
from webhook.skim import elements, members

Part = TypeVar("Part")

LONGEST_FIELD = 64  # characters of a field's name that we repeat

_PLAIN = re.compile("[a-z_]+").fullmatch

# Members of a value that say nothing by themselves.
_SURROUNDINGS = frozenset({"messaging_product", "metadata", "contacts"})


def read_carefully(raw: bytes) -> Delivery:
    """Read a delivery whose parts may be broken. Raises NotADelivery and nothing else."""
    found = Found()
    try:
        top = members(raw)
        if "object" in top and _text(top["object"]) != OBJECT:
            found.ignore("other_object")
            return found.delivery()
        entries = elements(top["entry"])
    except (KeyError, ValueError) as exc:
        raise NotADelivery(type(exc).__name__) from None
    for entry in entries:
        try:
            changes = elements(members(entry)["changes"])
        except (KeyError, ValueError):
            body = delivery_of(entry)
            found.unread.append(Unread(body, "unreadable_change", "an entry without changes"))
            continue
        for change in changes:
            _read_change(found, change)
    return found.delivery()


def _read_change(found: Found, change: bytes) -> None:
    try:
        parts = members(change)
        field = _text(parts.get("field", b"null"))
        if field in IGNORED_FIELDS:
            return found.ignore(field)
        value = members(parts["value"])
    except (KeyError, ValueError):
        return _keep(found, change, "unreadable_change", "a change without a readable value")
    known = [key for key in value if key in _READERS and value[key] != b"null"]
    if field not in READ_FIELDS and (field is not None or not known):
        plain = field is not None and len(field) <= LONGEST_FIELD and _PLAIN(field)
        which = f"webhook field {field}" if plain else "a webhook field we do not know"
        return _keep(found, change, "unknown_field", which)
    if not known:
        if not value.keys() <= _SURROUNDINGS | _READERS.keys():
            return _keep(found, change, "unreadable_change", "a value without a member we know")
        found.ignore("empty")  # but for the contacts, who are read below
    _read_value(found, field or "messages", value)
    return None


def _keep(found: Found, change: bytes, code: str, reason: str) -> None:
    found.unread.append(Unread(delivery_of(b'{"changes":[' + change + b"]}"), code, reason))


def _read_value(
    found: Found, field: str, value: Mapping[str, bytes], around: Scene | None = None
) -> None:
    """Read the lists of a value, or of the `standby` inside the value `around`."""
    metadata, contacts = value.get("metadata"), value.get("contacts")
    outer = around.place if around else None
    place = Place(
        field=outer.field if outer else b'"%b"' % field.encode(),
        metadata=outer.metadata if outer else metadata,
        contacts=contacts,
        nested=around is not None,
    )
    about = around.metadata if around else _read_metadata(found, metadata)
    scene = Scene(field if field in OTHER_SOURCES else "messages", about, NOBODY, place)
    scene.book = _read_contacts(found, scene, contacts)
    for key, reader in _READERS.items():
        part = value.get(key, b"null")
        if part == b"null":
            continue
        try:
            reader(found, scene, part)
        except ValueError:
            reason = f"{key} are of another form"
            found.set_aside_list(scene, key, part, "unreadable_change", reason)


def _read_metadata(found: Found, part: bytes | None) -> payload.Metadata:
    if part is None or part == b"null":
        return payload.Metadata()
    try:
        return read_again(part, payload.Metadata)
    except (ValueError, RecursionError):
        found.ignore("unreadable_metadata")
        return payload.Metadata()


def _read_contacts(found: Found, scene: Scene, part: bytes | None) -> ContactBook:
    if part is None or part == b"null":
        return found.book(())
    try:
        items = elements(part)
    except ValueError:
        reason = "contacts are no list"
        found.set_aside_list(scene, "contacts", part, "unreadable_contact", reason)
        return found.book((), complete=False)
    known = []
    for item in items:
        contact = _decode(found, scene, "contacts", item, payload.Contact, "unreadable_contact")
        if contact is not None:
            known.append(contact)
    return found.book(known, complete=len(known) == len(items))


def _decode(
    found: Found, scene: Scene, key: str, item: bytes, shape: type[Part], code: str
) -> Part | None:
    """Decode one item, or set it aside and return None."""
    try:
        return read_again(item, shape)
    except msgspec.ValidationError as exc:
        reason = str(exc)  # names types and members, never what they hold
    except (ValueError, RecursionError) as exc:
        reason = type(exc).__name__
    found.set_aside(scene, key, item, code, reason)
    return None


def _read_messages(found: Found, scene: Scene, part: bytes) -> None:
    for item in elements(part):
        message = _decode(found, scene, "messages", item, payload.Message, "unreadable_message")
        if message is None:
            continue
        if scene.field == "history":
            take_old_message(found, scene, None, message, item)
        else:
            take_message(found, scene, message, item)


def _read_statuses(found: Found, scene: Scene, part: bytes) -> None:
    for item in elements(part):
        status = _decode(found, scene, "statuses", item, payload.Status, "unreadable_status")
        if status is not None:
            take_status(found, scene, status, item)


def _read_preferences(found: Found, scene: Scene, part: bytes) -> None:
    shape, key = payload.Preference, "user_preferences"
    for item in elements(part):
        preference = _decode(found, scene, key, item, shape, "unreadable_preference")
        if preference is not None:
            take_preference(found, scene, preference, item)


def _read_user_id_updates(found: Found, scene: Scene, part: bytes) -> None:
    shape, key = payload.UserIdUpdate, "user_id_update"
    for item in elements(part):
        update = _decode(found, scene, key, item, shape, "unreadable_name_change")
        if update is not None:
            take_user_id_update(found, scene, update, item)


def _read_standby(found: Found, scene: Scene, part: bytes) -> None:
    inside = members(part)
    if scene.place is not None and scene.place.nested:
        raise ValueError("standby inside standby")  # to any depth, if we let it
    if inside.keys() - _SURROUNDINGS and not inside.keys() & _READERS.keys():
        raise ValueError("no member we know")
    _read_value(found, "standby", inside, scene)


def _read_history(found: Found, scene: Scene, part: bytes) -> None:
    for chunk in elements(part):
        try:
            inside = members(chunk)
            if "errors" in inside:
                found.ignore("errors")  # the business did not share its history
            threads = elements(inside.get("threads", b"[]"))
        except ValueError:
            found.set_aside(scene, "history", chunk, "unreadable_change", "no threads")
            continue
        for thread in threads:
            _read_thread(found, scene, thread)


def _read_thread(found: Found, scene: Scene, raw: bytes) -> None:
    try:
        thread = members(raw)
        items = elements(thread["messages"])
        about: dict[str, bytes] = {key: thread[key] for key in ("id", "context") if key in thread}
        side = read_again(object_of(about), payload.Thread)
    except (KeyError, ValueError, RecursionError):
        chunk = b'{"threads":[' + raw + b"]}"
        found.set_aside(scene, "history", chunk, "unreadable_change", "a thread of another form")
        return
    place = scene.place.in_thread(about) if scene.place else None
    there = Scene(scene.field, scene.metadata, scene.book, place)
    if side.context is not None:
        there.book = found.book([contact_of(side.context)])
    other = other_side(side)
    for item in items:
        message = _decode(found, there, "messages", item, payload.Message, "unreadable_message")
        if message is not None:
            take_old_message(found, there, other, message, item)


def _count_echoes(found: Found, _scene: Scene, part: bytes) -> None:
    found.ignore("message_echoes", len(elements(part)))


def _count_errors(found: Found, _scene: Scene, part: bytes) -> None:
    found.ignore("errors", len(elements(part)))


_READERS: Mapping[str, Callable[[Found, Scene, bytes], None]] = {
    "messages": _read_messages,
    "statuses": _read_statuses,
    "user_preferences": _read_preferences,
    "user_id_update": _read_user_id_updates,
    "history": _read_history,
    "standby": _read_standby,
    "message_echoes": _count_echoes,
    "errors": _count_errors,
}


def _text(part: bytes) -> str | None:
    """Return a JSON string; None for anything else."""
    try:
        text = json.loads(part.decode("utf-8", "replace")) if part.startswith(b'"') else None
    except ValueError:
        return None
    return text if isinstance(text, str) else None

"""Reads who is now called otherwise: a new number, a new BSUID, or both."""

from webhook.delivery import NameChange, Names
from webhook.found import Found, Scene, said_at
from webhook.names import identify
from webhook.payload import Message, Renamed, System, UserIdUpdate

CHANGED = frozenset({"user_changed_number", "customer_changed_number", "user_changed_user_id"})
UNCHANGED = frozenset({"customer_identity_changed", "user_identity_changed"})  # a new device


def take_system(
    found: Found, scene: Scene, message: Message, item: bytes, message_id: str, seconds: int
) -> Names | None:
    """Add the change that a `system` message tells of; return whose message it is.

    Never reads `system.body`: it holds the profile name, which the contact chooses. A change
    without a machine-readable predecessor or successor is set aside, the message itself is kept.
    """
    system = message.system
    kind = system.type if system is not None and isinstance(system.type, str) else ""
    if system is None or kind in UNCHANGED:
        return found.sender_of(scene, message)
    old, new = _before(message, system), _after(system)
    traced = system.previous_user_id and system.user_id and old.bsuid and new.bsuid
    if kind not in CHANGED and not traced:
        return found.sender_of(scene, message)
    found.link(new.wa_id, new.bsuid, new.parent_bsuid)
    if not _is_someone(old):
        if not _is_someone(new):
            return None
        found.set_aside(scene, "messages", item, "predecessor_missing", "no old name")
        return new
    if not _is_someone(new):
        found.set_aside(scene, "messages", item, "successor_missing", "no new name")
    else:
        found.name_changes.append(NameChange(old, new, message_id, seconds, item))
    return old


def _before(message: Message, system: System) -> Names:
    """Return the old names: never one that is also a new one."""
    phone, bsuid, parent = identify(
        message.sender or system.customer, system.previous_user_id, system.previous_parent_user_id
    )
    if bsuid is None and system.user_id:  # the old BSUID stood here before Meta named it
        bsuid = identify(None, message.from_user_id, None)[1]
    after = _after(system)
    return Names(
        phone if phone != after.wa_id else None,
        bsuid if bsuid != after.bsuid else None,
        parent if parent != after.parent_bsuid else None,
    )


def _after(system: System) -> Names:
    return Names(*identify(system.wa_id or system.new_wa_id, system.user_id, system.parent_user_id))


def _is_someone(names: Names) -> bool:
    return bool(names.wa_id or names.bsuid or names.parent_bsuid)


def take_user_id_update(found: Found, scene: Scene, part: UserIdUpdate, item: bytes) -> None:
    """Add a change told by the withdrawn field `user_id_update`, or set it aside.

    Its `wa_id` counts as the new number: Meta never said, and BSUIDs change with the number.
    """
    key = "user_id_update"
    user, parent = part.user_id or Renamed(), part.parent_user_id or Renamed()
    old = Names(*identify(None, user.previous, parent.previous))
    new = Names(*identify(part.wa_id, user.current, parent.current))
    if not _is_someone(old):
        return found.set_aside(scene, key, item, "predecessor_missing", "no old name")
    if not (new.bsuid or new.parent_bsuid):
        return found.set_aside(scene, key, item, "successor_missing", "no new name")
    try:
        seconds = said_at(part.timestamp)
    except ValueError as exc:
        return found.set_aside(scene, key, item, "bad_timestamp", str(exc))
    found.name_changes.append(NameChange(old, new, None, seconds, item))
    return None

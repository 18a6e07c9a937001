"""Everything recorded of one contact, with its evidence opened."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from check.may_send import look_up
from db.contact_keys import ContactKeys
from db.data_keys import load_data_keys
from db.history import StoredEntry, load_contacts, load_entries
from db.keyfile import Keys
from db.sealing import CannotOpen, Sealer, number_of, place
from db.statements import Connection
from intake.decide import SALT_BYTES, evidence_place


@dataclass(frozen=True, slots=True)
class Told:
    """One entry: its body, and the evidence as it was written then, or why there is none."""

    body: dict[str, Any]
    evidence: dict[str, Any] = field(default_factory=dict)
    missing: str = ""


@dataclass(frozen=True, slots=True)
class History:
    """The entries of a contact by when it was said, and every name it is known by here."""

    names: tuple[dict[str, str], ...]
    entries: tuple[Told, ...]


async def history_of(
    conn: Connection, keys: Keys, app_id: int, contact_keys: ContactKeys, name: str
) -> History:
    """Return the history of the contact with this name: digits of a phone, or a BSUID."""
    found = await look_up(conn, app_id, contact_keys, name)
    contacts = await load_contacts(conn, app_id, list(found.reached))
    entries = await load_entries(conn, app_id, [ref for _, ref, _ in contacts])
    values = [sealed for _, _, sealed in contacts]
    values += [entry.sealed for entry in entries if entry.sealed is not None]
    sealer = await sealer_of(conn, keys, app_id, values)
    names = tuple(
        json.loads(sealer.open(sealed, place("contact", "sealed", app_id, key)))
        for key, _, sealed in contacts
    )
    return History(names, tuple(told(sealer, app_id, entry) for entry in entries))


async def sealer_of(conn: Connection, keys: Keys, app_id: int, sealed: Iterable[bytes]) -> Sealer:
    """Return a sealer with the data keys that these values were sealed with."""
    numbers = {number_of(value) for value in sealed}
    return Sealer(app_id, await load_data_keys(conn, keys, app_id, numbers))


def told(sealer: Sealer, app_id: int, entry: StoredEntry) -> Told:
    """Return an entry with its evidence opened and compared with what the entry commits to."""
    body = json.loads(entry.body)
    if entry.sealed is None:
        return Told(body, missing="deleted")
    try:
        salted = sealer.open(entry.sealed, evidence_place(app_id, entry.lane, entry.number))
    except CannotOpen as exc:
        return Told(body, missing=str(exc))
    if hashlib.sha256(salted).hexdigest() != body["evidence"]:
        return Told(body, missing="it is not what the entry commits to: somebody changed it")
    return Told(body, json.loads(salted[SALT_BYTES:]))

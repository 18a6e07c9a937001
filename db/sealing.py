"""Sealing: AES-256-GCM under data keys, one per app, use and day, wrapped by the master key.

A sealed value is: version (1 byte), number of the data key (4), nonce (12), ciphertext, tag (16).
The place of the value (table, column, app, row) is associated data, so that a value moved to
another row can't be opened. A key a day stays far under the 2^32 values that NIST SP 800-38D allows
one key with random nonces, and dropping the key of a day closes that day's values in old backups
too.
"""

import os
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from db.keyfile import KEY_BYTES, Keys

_VERSION = b"\x01"
_NONCE = 12
_HEAD = 5 + _NONCE
_EPOCH = date(1970, 1, 1)


class Use(IntEnum):
    """What a data key seals; values of different uses are kept for different times."""

    LASTING = 0  # settings and contacts' names: one key for good
    MESSAGE = 1  # messages and quarantine
    EVIDENCE = 2


class CannotOpen(Exception):
    """A sealed value can't be opened: its key is gone, or it isn't the value that was put there."""


def key_number(use: Use, day: date) -> int:
    """Return the number of the data key of a use and a UTC day; lasting keys have one for good."""
    return int(use) if use is Use.LASTING else (day - _EPOCH).days << 2 | int(use)


def day_of(number: int) -> date:
    """Return the day a data key was for."""
    return _EPOCH + timedelta(days=number >> 2)


def place(table: str, column: str, app_id: int, row: bytes | str) -> bytes:
    """Return the associated data that binds a value to where it stands."""
    tail = row if isinstance(row, bytes) else row.encode("utf-8")
    return f"{table}|{column}|{app_id}|".encode("ascii") + tail


def wrap(keys: Keys, app_id: int, number: int, data_key: bytes) -> bytes:
    """Return a data key wrapped by the master key in use."""
    nonce = os.urandom(_NONCE)
    bound = place("data_key", keys.master_id, app_id, str(number))
    return nonce + AESGCM(keys.masters[keys.master_id]).encrypt(nonce, data_key, bound)


def unwrap(keys: Keys, master_id: str, app_id: int, number: int, wrapped: bytes) -> bytes:
    """Return the data key; raise CannotOpen if the key file holds not the master key for it."""
    master = keys.masters.get(master_id)
    if master is None:
        raise CannotOpen(f"the key file holds no master key {master_id}; restore the one that does")
    bound = place("data_key", master_id, app_id, str(number))
    try:
        return AESGCM(master).decrypt(wrapped[:_NONCE], wrapped[_NONCE:], bound)
    except (InvalidTag, ValueError) as exc:  # ValueError: too short to be one
        raise CannotOpen(f"data key {number} of app {app_id} is damaged") from exc


def fresh_data_key() -> bytes:
    """Return a new random data key."""
    return os.urandom(KEY_BYTES)


class Sealer:
    """Seals and opens the values of one app with the data keys it was given."""

    def __init__(self, app_id: int, data_keys: Mapping[int, bytes]) -> None:
        self.app_id = app_id
        self._ciphers = {number: AESGCM(key) for number, key in data_keys.items()}

    def add(self, number: int, data_key: bytes) -> None:
        """Learn one more data key."""
        self._ciphers[number] = AESGCM(data_key)

    def has(self, number: int) -> bool:
        """Whether this data key is known here."""
        return number in self._ciphers

    def seal(self, number: int, value: bytes, bound: bytes) -> bytes:
        """Return the value sealed by a known data key and bound to its place."""
        nonce = os.urandom(_NONCE)
        sealed = self._ciphers[number].encrypt(nonce, value, bound)
        return _VERSION + number.to_bytes(4, "big") + nonce + sealed

    def open(self, sealed: bytes, bound: bytes) -> bytes:
        """Return the value; raise CannotOpen if its key is not here or the bytes are not it."""
        cipher = self._ciphers.get(number_of(sealed))
        if cipher is None:
            raise CannotOpen("the data key of this value is gone; what it held was to be forgotten")
        try:
            return cipher.decrypt(sealed[5:_HEAD], sealed[_HEAD:], bound)
        except InvalidTag as exc:
            raise CannotOpen("a sealed value is damaged or stands in another place") from exc


def number_of(sealed: bytes) -> int:
    """Return the number of the data key that a value was sealed with."""
    if sealed[:1] != _VERSION or len(sealed) < _HEAD:
        raise CannotOpen("a sealed value of a version that this release does not know")
    return int.from_bytes(sealed[1:5], "big")


def today() -> date:
    """Return the UTC day that new values are sealed under."""
    return datetime.now(UTC).date()

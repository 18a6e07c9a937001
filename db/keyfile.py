"""The key file: the only secret that is not in the database, and without which nothing is readable.

It holds one index key (contact keys are made with it, so it can't be replaced) and the master keys
(they wrap the data keys; the last one is in use, older ones still unwrap).
"""

import base64
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

KEY_BYTES = 32
_ABOUT = (
    "optledger's key file. Without it nothing in the database can be read or matched, and nobody "
    "can make it again. Keep a copy where the database's backups are not."
)


class KeyFileError(Exception):
    """The key file can't be used; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one installation. `masters`: id to key, the last one in use."""

    index_key: bytes = field(repr=False)
    masters: Mapping[str, bytes] = field(repr=False)

    @property
    def master_id(self) -> str:
        """The id of the master key that wraps new data keys."""
        return next(reversed(self.masters.keys()))  # type: ignore[call-overload, no-any-return]

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits that tell which key file this is, and nothing about the keys."""
        return hmac.digest(self.index_key, b"optledger key file", hashlib.sha256).hex()[:16]


def make_key_file(path: Path) -> Keys:
    """Make new keys in a new file that only we may read; raise KeyFileError if there is a file."""
    masters = [{"id": secrets.token_hex(4), "key": _fresh(), "made_at": _today()}]
    content = {"about": _ABOUT, "version": 1, "index_key": _fresh(), "master_keys": masters}
    text = json.dumps(content, indent=2) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_whole(path, text)
    except FileExistsError as exc:
        if not path.parent.is_dir():
            raise KeyFileError(f"{path.parent} is a file, not a folder; take another") from exc
        raise KeyFileError(f"{path} exists already; it is never written over") from exc
    except OSError as exc:
        raise KeyFileError(f"can't write the key file {path}: {exc.strerror}") from exc
    return read_key_file(path)


def _write_whole(path: Path, text: str) -> None:
    """Write a new file that is there whole or not at all, also after a power cut or a full disk."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)  # unlike a rename, refuses where there is one already
    finally:
        draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_key_file(path: Path) -> Keys:
    """Read the keys; raise KeyFileError where the file is missing, open to others or damaged."""
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii")
    except FileNotFoundError as exc:
        raise KeyFileError(
            f"there is no key file at {path}. If it was moved, set OPTLEDGER_KEY_FILE to where it "
            f"is; if it was lost, put your copy of it back there (mode 0600)"
        ) from exc
    except (OSError, UnicodeDecodeError) as exc:
        raise KeyFileError(f"can't read the key file {path}: {_why(exc)}") from exc
    if mode & 0o007:
        raise KeyFileError(f"everybody may read the key file {path}: run chmod 600 on it")
    try:
        content = json.loads(text)
        masters = {str(one["id"]): _key(one["key"]) for one in content["master_keys"]}
        keys = Keys(index_key=_key(content["index_key"]), masters=masters)
    except (ValueError, KeyError, TypeError) as exc:
        raise KeyFileError(f"the key file {path} is damaged; put your copy of it back") from exc
    if not masters:
        raise KeyFileError(f"the key file {path} holds no master key; put your copy of it back")
    return keys


def _fresh() -> str:
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode("ascii")


def _key(text: str) -> bytes:
    key = base64.b64decode(text, validate=True)
    if len(key) != KEY_BYTES:
        raise ValueError("a key of another length")
    return key


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _why(exc: OSError | UnicodeDecodeError) -> str:
    return exc.strerror or "unreadable" if isinstance(exc, OSError) else "it is not a text file"

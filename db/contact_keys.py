"""Contact keys and message keys: what tables are keyed by instead of names and wamids.

A key is the first 16 bytes of an HMAC-SHA-256 with a key that is not in the database: the same name
gives the same key, and nobody without the key file can go back or try numbers. Each app has its own
key, so that one contact of two apps can't be matched. 16 bytes never collide in practice.
"""

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from consent.names import TWO_FORMS, match_forms

LENGTH = 16


class ContactKeys:
    """Makes the keys of one app."""

    def __init__(self, index_key: bytes, app_id: int) -> None:
        info = f"optledger|v1|app|{app_id}".encode("ascii")
        own = HKDF(hashes.SHA256(), length=32, salt=None, info=info).derive(index_key)
        # A copy of a keyed HMAC costs a third of making one: see docs/performance.md.
        self._hmac = HMAC(own, hashes.SHA256())

    def _of(self, value: bytes) -> bytes:
        copy = self._hmac.copy()
        copy.update(value)
        return copy.finalize()[:LENGTH]

    def phone(self, digits: str) -> bytes:
        """Return the contact key of a phone: E.164 digits without the plus."""
        return self._of(b"phone|" + digits.encode("ascii"))

    def bsuid(self, bsuid: str) -> bytes:
        """Return the contact key of a BSUID or parent BSUID."""
        return self._of(b"bsuid|" + bsuid.encode("ascii"))

    def name(self, name: str) -> bytes:
        """Return the contact key of a name of either kind; BSUIDs hold a dot, phones never do."""
        kind = b"bsuid|" if "." in name else b"phone|"
        return self._of(kind + name.encode("ascii"))

    def forms(self, name: str) -> tuple[bytes, ...]:
        """Return the match keys of a phone: good for finding opt-outs, and for nothing else."""
        if "." in name or name[:2] not in TWO_FORMS:
            return ()
        return tuple(self.phone(form) for form in match_forms(name))

    def wamid(self, wamid: str) -> bytes:
        """Return the key that a message is known by when it comes again, by WhatsApp's id of it."""
        return self._of(b"message|message|" + wamid.encode("utf-8", "surrogatepass"))

    def message(self, kind: str, *parts: str | int | None) -> bytes:
        """Return the key that a preference, send error or changed name is known by.

        `kind` keeps ids of different origin apart. Half surrogates in an id are kept as they are.
        """
        joined = "|".join(["message", kind, *("" if part is None else str(part) for part in parts)])
        return self._of(joined.encode("utf-8", "surrogatepass"))

    def item(self, body: bytes) -> bytes:
        """Return the key of something we could not read, over its bytes."""
        return self._of(b"item|" + body)

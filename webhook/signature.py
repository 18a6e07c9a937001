"""The signature of a delivery: HMAC-SHA-256 with the app secret, over the bytes as received."""

from binascii import b2a_hex
from collections.abc import Iterable
from hmac import compare_digest

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

PREFIX = b"sha256="
_LENGTH = len(PREFIX) + 64


class Verifier:
    """Checks deliveries against the active secrets of one app: the new one and those not yet over.

    The keyed start of each HMAC is made once here, since that is half the work for a small body.
    """

    __slots__ = ("_keyed",)

    def __init__(self, secrets: Iterable[bytes]) -> None:
        self._keyed = tuple(HMAC(secret, SHA256()) for secret in secrets if _is_secret(secret))

    def verify(self, body: bytes, header: bytes | None) -> bool:
        """Tell whether `header`, the value of X-Hub-Signature-256, signs exactly these bytes.

        Without a header, with one of another form, or without a secret the answer is no. Takes the
        same time whichever secret signed it.
        """
        if header is None or len(header) != _LENGTH or not header.startswith(PREFIX):
            return False
        genuine = False
        for keyed in self._keyed:
            mac = keyed.copy()
            mac.update(body)
            # As lower-case hex, so that a header in any other form than Meta's is not equal.
            genuine |= compare_digest(PREFIX + b2a_hex(mac.finalize()), header)
        return genuine


def sign(secret: bytes, body: bytes) -> bytes:
    """Return the header value with which Meta would send this body.

    Raises ValueError for an empty secret, which no verifier accepts.
    """
    if not _is_secret(secret):
        raise ValueError("an empty secret signs nothing")
    mac = HMAC(secret, SHA256())
    mac.update(body)
    return PREFIX + mac.finalize().hex().encode("ascii")


def _is_secret(secret: bytes) -> bool:
    return bool(secret.strip(b"\0"))  # zeros sign like nothing at all: HMAC pads keys with them

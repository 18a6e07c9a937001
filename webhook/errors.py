"""What the public port refuses and what the parser sets aside, each with the next step."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar


class Refusal(Exception):
    """A request we did not take in. `status` decides whether Meta sends it again: all but 200 do.

    The text handed in must not hold names, numbers, words, secrets or signatures.
    """

    code: ClassVar[str]
    status: ClassVar[int]
    remedy: ClassVar[str]

    def __str__(self) -> str:
        return f"{self.code}: {super().__str__()} [{self.remedy}]"


class NotADelivery(Refusal):
    """Signed by Meta, but not a body we can read. Its bytes are kept, so Meta need not resend."""

    code = "not_a_delivery"
    status = 200
    remedy = "update the parser, then run `optledger quarantine retry`"


class BadSignature(Refusal):
    """No signature, one of another form, or one that none of the app's active secrets made."""

    code = "bad_signature"
    status = 401
    remedy = "compare the app secret here with Meta's dashboard; Meta sends again for seven days"


class WrongVerifyToken(Refusal):
    """Somebody, perhaps Meta's dashboard, asked to verify the address with another token."""

    code = "wrong_verify_token"
    status = 403
    remedy = "enter the app's verify token in Meta's dashboard exactly as it is here"


class UnknownApp(Refusal):
    """The path names no app of ours."""

    code = "unknown_app"
    status = 404
    remedy = "create the app, or correct the callback address in Meta's dashboard"


class NotFound(Refusal):
    """Another path than /webhook/{app}; the public port has nothing else."""

    code = "not_found"
    status = 404
    remedy = "compare the callback address in Meta's dashboard with the one `optledger serve` shows"


class MethodNotAllowed(Refusal):
    """Neither a GET, which verifies the address, nor a POST, which delivers."""

    code = "method_not_allowed"
    status = 405
    remedy = "none: Meta sends GET and POST only"


class TooSlow(Refusal):
    """Headers and body did not arrive within the deadline; the connection was cut."""

    code = "too_slow"
    status = 408
    remedy = "look at the proxy and the network; Meta sends again"


class TooLarge(Refusal):
    """The body is larger than we accept; Meta promises to stay under 3 MB."""

    code = "too_large"
    status = 413
    remedy = "raise the body limit if it is really Meta who sends this"


class StoreUnavailable(Refusal):
    """The database is away or behind, so nothing can be promised. Meta sends again."""

    code = "store_unavailable"
    status = 503
    remedy = "bring the database back; nothing is lost while Meta resends, for seven days"

    def __init__(self, reason: str, *, retry_after: int = 5) -> None:
        """`retry_after`: whole seconds, for the Retry-After header."""
        super().__init__(reason)
        self.retry_after = retry_after


REFUSALS: tuple[type[Refusal], ...] = (
    NotADelivery,
    BadSignature,
    WrongVerifyToken,
    NotFound,
    UnknownApp,
    MethodNotAllowed,
    TooSlow,
    TooLarge,
    StoreUnavailable,
)

UNREAD_CODES: Mapping[str, str] = MappingProxyType(
    {
        "not_a_delivery": "Signed, but not the JSON of a delivery. Look at the bytes; if Meta has"
        " a new envelope, update the parser and retry.",
        "unreadable_change": "A part of the envelope has a form we don't know, so we can't tell"
        " what is in it. Update the parser and retry.",
        "unreadable_message": "A message has a form we don't know, or no usable id. Read it, act"
        " on it by hand if it asks to stop, update the parser and retry.",
        "unreadable_contact": "An entry of the contacts list has a form we don't know; at most a"
        " link between two names is missing. Update the parser and retry.",
        "unreadable_status": "A status has a form we don't know; it may say that the contact"
        " stopped marketing. Update the parser and retry.",
        "unreadable_preference": "A marketing preference has a form we don't know. Read it, act on"
        " it by hand, update the parser and retry.",
        "unreadable_name_change": "A change of BSUID has a form we don't know. Update the parser"
        " and retry.",
        "unknown_field": "A webhook field this version does not know. If it carries consent, update"
        " the parser and retry; if not, unsubscribe from it or add it to the ignored fields.",
        "unknown_preference": "A marketing preference with a value or category we don't know; no"
        " consent was changed. Read Meta's changelog, update the parser and retry.",
        "unclear_direction": "An old message of which we can't tell who sent it, so its words were"
        " not read. Compare the business number with the sender, and act on it by hand.",
        "predecessor_missing": "WhatsApp says that a contact got a new name, but not which old one"
        " it replaces. Look for the contact by hand: an opt-out may stand under the old name.",
        "successor_missing": "WhatsApp says that a contact's name changed, but not to what. Whoever"
        " gets the old number next has agreed to nothing: opt the old name out by hand.",
        "content_withheld": "The contact edited a message and WhatsApp withheld the new words; they"
        " may ask to stop. Look at the conversation in WhatsApp.",
        "no_name": "Neither a phone number nor a BSUID says whose this is. Look at the item; if"
        " Meta has a new kind of name, update the parser and retry.",
        "bad_timestamp": "The time is missing, malformed or before WhatsApp existed, so we can't"
        " tell what came first. Correct it or act on it by hand.",
        # The two of intake: the parser had nothing against the delivery.
        "not_read": "Reading the delivery failed by a fault of ours, so all of it is kept and none"
        " of it was recorded. Report the reason, update and retry; until then look at the bytes for"
        " a request to stop.",
        "not_recorded": "The database refused something in the delivery, so all of it is kept; what"
        " could be recorded was. Report the reason, update and retry; until then look at the bytes"
        " for a request to stop.",
    }
)

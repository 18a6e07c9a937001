"""What a contact can be called: phones in one or two forms, and BSUIDs."""

import re

from consent.model import NameKind

# Meta, "Business-scoped user ids": two letters of the user's country, a dot, up to 128 letters and
# digits; the parent id of a portfolio family has `ENT.` in between.
BSUID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}", re.ASCII)
# E.164 allows 15 digits; some wa_ids are shorter or longer than the plan says.
PHONE_DIGITS = re.compile(r"[1-9][0-9]{4,19}", re.ASCII)

# Calling codes of the countries whose mobiles have two forms: Mexico, Argentina, Brazil.
TWO_FORMS = frozenset({"52", "54", "55"})


def kind_of(name: str) -> NameKind | None:
    """Say which of Meta's names this is: digits of a phone, a BSUID, or None for neither."""
    if PHONE_DIGITS.fullmatch(name):
        return NameKind.PHONE
    return NameKind.BSUID if BSUID.fullmatch(name) else None


def match_forms(phone: str) -> tuple[str, ...]:
    """Return the other forms that the same phone may be written in: digits, without the given one.

    Only for finding opt-outs: a form made here may be another person's number, and then one
    message too few is sent. Brazil: mobiles got a ninth digit, and many accounts are registered
    without. Mexico: 521 and 52. Argentina: 549 and 54.
    Source: Meta, "Send messages", phone number formats; the ninth digit only before 6 to 9, the
    first digits of Brazil's mobiles.
    """
    if phone.startswith("55"):
        if len(phone) == 12 and phone[4] in "6789":
            return (phone[:4] + "9" + phone[4:],)
        if len(phone) == 13 and phone[4] == "9" and phone[5] in "6789":
            return (phone[:4] + phone[5:],)
    if phone.startswith("52"):
        return _with_or_without(phone, "52", "1")
    if phone.startswith("54"):
        return _with_or_without(phone, "54", "9")
    return ()


def _with_or_without(phone: str, country: str, mobile: str) -> tuple[str, ...]:
    """Both countries have ten digits after the country code and the mobile mark."""
    start = country + mobile
    if len(phone) == 13 and phone.startswith(start):
        return (country + phone[3:],)
    if len(phone) == 12:
        return (start + phone[2:],)
    return ()

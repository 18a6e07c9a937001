"""What somebody typed for a contact, as a name we can look up."""

import re
import unicodedata

import phonenumbers

from consent.model import NameKind
from consent.names import kind_of

# People copy numbers out of links, address books and spreadsheets.
_BEFORE = re.compile(r"(?:tel:|whatsapp:|https?://wa\.me/|wa\.me/)", re.IGNORECASE)
_FORMATTING = re.compile(r"[\s().\-/\u00a0\u2010-\u2015\u202a-\u202e\u200e\u200f\u2066-\u2069]")


class UnclearNameError(ValueError):
    """What was typed names no contact; the message says how to write one, and not what it was."""


def read_name(typed: str) -> str:
    """Return the digits of a phone in any usual writing, or a BSUID as it is.

    A phone needs its country code, with +, 00 or nothing before it: without one it could be
    anybody's. Raises UnclearNameError.
    """
    text = typed.strip()
    if kind_of(text) is NameKind.BSUID:
        return text
    text = _FORMATTING.sub("", _BEFORE.sub("", text, count=1))
    text = "".join(_digit(letter) for letter in text)
    digits = text.removeprefix("+")
    if not text.startswith("+"):
        digits = text.removeprefix("00")
    if kind_of(digits) is not NameKind.PHONE:
        raise UnclearNameError(
            "this is no phone with its country code (+49 151 23456789) and no BSUID (US.1349…)"
        )
    return _in_the_plan(digits)


def _digit(letter: str) -> str:
    """Return a digit of any script as 0 to 9; anything else as it is."""
    value = unicodedata.digit(letter, None)
    return letter if value is None else str(value)


def _in_the_plan(digits: str) -> str:
    """Return the number as its country's plan writes it: no national 0, no Argentine 15.

    Mexico's 521 stays, since WhatsApp knows numbers by it: it is another form, not another writing.
    """
    if digits.startswith("521") and len(digits) == 13:
        return digits
    try:
        number = phonenumbers.parse(f"+{digits}", None)
    except phonenumbers.NumberParseException as exc:
        raise UnclearNameError("no country's numbers begin like this one") from exc
    if not phonenumbers.is_possible_number(number):
        return digits
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:]

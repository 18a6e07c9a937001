"""What Meta calls a contact: phones told from BSUIDs, and the names of one contact together."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from webhook.delivery import Names

# Meta, "business-scoped user IDs": two letters of a country, then letters and digits.
_BSUID = re.compile(r"[A-Z]{2}\.[A-Za-z0-9]{1,128}")
_PARENT_BSUID = re.compile(r"[A-Z]{2}\.ENT\.[A-Za-z0-9]{1,128}")
_PHONE = re.compile(r"[0-9]{5,20}")
_FORMATTING = re.compile(r"[+\s().\-]")

is_bsuid = _BSUID.fullmatch
is_parent_bsuid = _PARENT_BSUID.fullmatch
is_phone = _PHONE.fullmatch


def phone_of(value: str | int | None) -> str | None:
    """Return the digits of a phone number, 5 to 20 of them, or None if it is not one."""
    if value is None:
        return None
    if isinstance(value, int):
        return str(value) if 10**4 <= value < 10**20 else None
    digits = value if is_phone(value) else _FORMATTING.sub("", value)
    return digits if is_phone(digits) else None


def identify(
    phone: str | int | None, user_id: str | None, parent_id: str | None
) -> tuple[str | None, str | None, str | None]:
    """Return phone, BSUID and parent BSUID as far as these three slots of one object hold them.

    A BSUID is recognised in the phone's slot too, where some senders put it; anything else that
    is not a name in its own slot is left out.
    """
    bsuid = user_id if user_id and is_bsuid(user_id) else None
    parent = parent_id if parent_id and is_parent_bsuid(parent_id) else None
    if parent is None and bsuid is None and user_id and is_parent_bsuid(user_id):
        parent = user_id
    if isinstance(phone, str):
        if is_phone(phone):
            return phone, bsuid, parent
        if is_bsuid(phone):
            return None, bsuid or phone, parent
        if is_parent_bsuid(phone):
            return None, bsuid, parent or phone
    return phone_of(phone), bsuid, parent


def pairs_of(phone: str | None, bsuid: str | None, parent: str | None) -> Iterator[tuple[str, str]]:
    """Yield each two of the names that one object gave to one contact."""
    if phone and bsuid:
        yield phone, bsuid
    if phone and parent:
        yield phone, parent
    if bsuid and parent:
        yield bsuid, parent


Slots = tuple[str | int | None, str | None, str | None]  # phone, BSUID, parent BSUID as written


class ContactBook:
    """The `contacts` of one value, found again by name and never by position.

    `exact` finds the names of a contact whom another object names letter for letter alike.
    """

    __slots__ = ("_by_name", "_contacts", "exact", "only")

    def __init__(
        self, contacts: Sequence[Names], exact: Mapping[Slots, Names], *, complete: bool = True
    ) -> None:
        """`complete`: whether `contacts` are all that stood there, or some were unreadable."""
        self._contacts = contacts
        self._by_name: dict[str, Names | None] | None = None
        self.exact = exact
        self.only = contacts[0] if complete and len(contacts) == 1 and exact else None

    def names_of(self, phone: str | None, bsuid: str | None, parent: str | None) -> Names:
        """Return these names of a contact with what the book adds and does not contradict."""
        known = self._find(phone, bsuid)
        if known is None or _contradict(known, phone, bsuid, parent):
            return Names(phone, bsuid, parent)
        return Names(
            phone or known.wa_id,
            bsuid or known.bsuid,
            parent or known.parent_bsuid,
            known.profile,
            known.username,
        )

    def _find(self, phone: str | None, bsuid: str | None) -> Names | None:
        if self._by_name is None:
            self._by_name = _index(self._contacts)
        return (self._by_name.get(bsuid) if bsuid else None) or (
            self._by_name.get(phone) if phone else None
        )


def _index(contacts: Iterable[Names]) -> dict[str, Names | None]:
    by_name: dict[str, Names | None] = {}
    for names in contacts:
        for name in (names.wa_id, names.bsuid):
            if name and by_name.setdefault(name, names) != names:
                by_name[name] = None  # two contacts under one name: neither can be believed
    return by_name


NOBODY = ContactBook((), {})


def _contradict(known: Names, phone: str | None, bsuid: str | None, parent: str | None) -> bool:
    return bool(
        (phone and known.wa_id and phone != known.wa_id)
        or (bsuid and known.bsuid and bsuid != known.bsuid)
        or (parent and known.parent_bsuid and parent != known.parent_bsuid)
    )

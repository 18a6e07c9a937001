"""Reviews: what may have been a request to stop, its words, and whether it still waits."""

import json
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from check.history import Told, sealer_of, told
from consent.model import Category
from consent.verdict import Known, Policy, Verdict, verdict
from db.contact_keys import ContactKeys
from db.keyfile import Keys
from db.reviews import Hold, Place, list_holds, names_since
from db.sealing import place
from db.standing import TooManyNamesError, find
from db.statements import Connection

_PAGE = 200  # holds read at a time


class State(StrEnum):
    """Where a review stands."""

    OPEN = "open"
    CLOSED = "closed by the contact"  # who said clearly since what they want
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True)
class Review:
    """A hold, where it stands, and the entry that opened it with its words."""

    hold: Hold
    state: State
    told: Told


@dataclass(frozen=True, slots=True)
class Reviews:
    """The reviews of one app, to be read."""

    conn: Connection
    keys: Keys
    app_id: int
    contact_keys: ContactKeys

    async def listed(self, *, decided: bool, limit: int) -> list[Review]:
        """Return reviews, the oldest first: those that wait or, with `decided`, all."""
        found: list[Review] = []
        async for page in self._pages(decided=decided):
            for hold in page:
                state = await self._state(hold)
                if decided or state is State.OPEN:
                    found.append(Review(hold, state, await self._told(hold)))
                if len(found) == limit:
                    return found
        return found

    async def _pages(self, *, decided: bool) -> AsyncIterator[list[Hold]]:
        after: Place | None = None
        while True:
            page = await list_holds(
                self.conn, self.app_id, decided=decided, after=after, limit=_PAGE
            )
            yield page
            if len(page) < _PAGE:
                return
            last = page[-1]
            after = Place(last.said_at, last.contact_key, last.message_key)

    async def _state(self, hold: Hold) -> State:
        if hold.outcome is not None:
            return State(hold.outcome)
        try:
            known = await self.known(hold)
        except TooManyNamesError:
            return State.OPEN  # nobody can tell, and the check says no as well
        return State.CLOSED if all(one.closes(hold.said_at) for one in known) else State.OPEN

    async def known(self, hold: Hold) -> Sequence[Known]:
        """Return what is known of the contact by each name that the one of the hold is today."""
        names = await names_since(self.conn, self.app_id, hold.contact_key, hold.said_at)
        sealed = [value for _, value in names if value is not None]
        sealer = await sealer_of(self.conn, self.keys, self.app_id, sealed)
        known = []
        for key, value in names:
            forms: Iterable[bytes] = ()
            if value is not None:
                bound = place("contact", "sealed", self.app_id, key)
                forms = self._forms(key, json.loads(sealer.open(value, bound)))
            known.append((await find(self.conn, self.app_id, [key], [*forms])).known)
        return known

    def _forms(self, key: bytes, names: dict[str, str]) -> Sequence[bytes]:
        """Return the match keys of the name with this key, one of those the contact has."""
        for slot in ("wa_id", "bsuid", "parent_bsuid"):
            name = names.get(slot)
            if name is not None and self.contact_keys.name(name) == key:
                return self.contact_keys.forms(name)
        return ()

    async def marketing(self, hold: Hold, policy: Policy) -> Verdict:
        """Return whether marketing may be sent to the contact now; no if by any name it may not."""
        verdicts = [verdict(Category.MARKETING, one, policy) for one in await self.known(hold)]
        return next((one for one in verdicts if not one.may_send), verdicts[0])

    async def _told(self, hold: Hold) -> Told:
        sealed = [hold.entry.sealed] if hold.entry.sealed is not None else []
        sealer = await sealer_of(self.conn, self.keys, self.app_id, sealed)
        return told(sealer, self.app_id, hold.entry)

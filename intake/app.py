"""One app as the service holds it in memory: settings and keys."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date

from consent.verdict import Policy
from db.contact_keys import ContactKeys
from db.sealing import Sealer, Use, key_number, place, today
from keywords.brand import Brand
from keywords.own import OwnWords

LINKS_REMEMBERED = 20_000
_DAY_SECONDS = 86400


class NoDataKeyError(Exception):
    """The data key of today is not loaded yet; `number` says which."""

    def __init__(self, number: int) -> None:
        super().__init__("a data key is not loaded yet")
        self.number = number


@dataclass(slots=True)
class App:
    """An app and all that recording for it needs."""

    app_id: int
    slug: str
    policy: Policy
    languages: tuple[str, ...]
    keys: ContactKeys
    sealer: Sealer
    day: Callable[[], date] = today
    own_words: OwnWords | None = None  # None for most: then nobody asks
    brand: Brand | None = None
    # Pairs of names whose link is stored: Meta names both in every delivery, and the second time
    # brings nothing. When full it starts afresh, which costs a statement and forgets nothing.
    links_stored: set[tuple[str, str]] = field(default_factory=set)
    # The numbers of today's data keys, and when today ends; worked out once a day.
    _numbers: dict[Use, int] = field(default_factory=dict)
    _until: float = 0.0
    _all_loaded: bool = False

    def note_links(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Remember that the links of these pairs are committed."""
        if len(self.links_stored) >= LINKS_REMEMBERED:
            self.links_stored.clear()
        self.links_stored.update(pairs)

    def number(self, use: Use) -> int:
        """Return the number of the data key for now; raise NoDataKeyError if it is not loaded."""
        if time.time() >= self._until:
            self._turn_the_day()
        number = self._numbers[use]
        if not self._all_loaded and not self.sealer.has(number):
            raise NoDataKeyError(number)
        return number

    def missing_numbers(self) -> list[int]:
        """Return the numbers of the data keys that are needed today and not loaded yet."""
        if time.time() >= self._until:
            self._turn_the_day()
        if self._all_loaded:
            return []
        missing = [number for number in self._numbers.values() if not self.sealer.has(number)]
        self._all_loaded = not missing
        return missing

    def _turn_the_day(self) -> None:
        day = self.day()
        self._numbers = {use: key_number(use, day) for use in Use}
        self._until = (time.time() // _DAY_SECONDS + 1) * _DAY_SECONDS
        self._all_loaded = False

    def seal_aside(self, key: bytes, body: bytes) -> bytes:
        """Return a body sealed for the row of `quarantine` with this key."""
        bound = place("quarantine", "sealed", self.app_id, key)
        return self.sealer.seal(self.number(Use.MESSAGE), body, bound)

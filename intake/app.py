"""One app as the service holds it in memory: settings and keys."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date

from consent.verdict import Policy
from db.contact_keys import ContactKeys
from db.sealing import Sealer, Use, key_number, place, today

LINKS_REMEMBERED = 50_000


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
    # Pairs of names whose link is stored: Meta names both in every delivery, and the second time
    # brings nothing. When full it starts afresh, which costs a statement and forgets nothing.
    links_stored: set[tuple[str, str]] = field(default_factory=set)
    _loaded_day: date | None = None

    def note_links(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Remember that the links of these pairs are committed."""
        if len(self.links_stored) >= LINKS_REMEMBERED:
            self.links_stored.clear()
        self.links_stored.update(pairs)

    def number(self, use: Use) -> int:
        """Return the number of the data key for now; raise NoDataKeyError if it is not loaded."""
        number = key_number(use, self.day())
        if not self.sealer.has(number):
            raise NoDataKeyError(number)
        return number

    def missing_numbers(self) -> list[int]:
        """Return the numbers of the data keys that are needed today and not loaded yet."""
        day = self.day()
        if day == self._loaded_day:
            return []
        numbers = [key_number(use, day) for use in Use]
        missing = [number for number in numbers if not self.sealer.has(number)]
        if not missing:
            self._loaded_day = day
        return missing

    def seal_aside(self, key: bytes, body: bytes) -> bytes:
        """Return a body sealed for the row of `quarantine` with this key."""
        bound = place("quarantine", "sealed", self.app_id, key)
        return self.sealer.seal(self.number(Use.MESSAGE), body, bound)

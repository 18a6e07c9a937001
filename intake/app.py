"""One app as the service holds it in memory: settings and keys."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from consent.verdict import Policy
from db.contact_keys import ContactKeys
from db.sealing import Sealer, Use, key_number, place, today


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

    def number(self, use: Use) -> int:
        """Return the number of the data key for now; raise NoDataKeyError if it is not loaded."""
        number = key_number(use, self.day())
        if not self.sealer.has(number):
            raise NoDataKeyError(number)
        return number

    def missing_numbers(self) -> list[int]:
        """Return the numbers of the data keys that are needed today and not loaded yet."""
        numbers = (key_number(use, self.day()) for use in Use)
        return [number for number in numbers if not self.sealer.has(number)]

    def seal_message(self, table: str, key: bytes, value: bytes) -> bytes:
        """Return a value sealed for a row of `message` or `quarantine`, bound to the row's key."""
        bound = place(table, "sealed", self.app_id, key)
        return self.sealer.seal(self.number(Use.MESSAGE), value, bound)

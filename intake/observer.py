"""What the recorder tells whoever measures it; the service hands in Prometheus."""

from collections.abc import Sequence
from typing import Protocol


class Observer(Protocol):
    """Called after each commit, and when an item is set aside."""

    def committed(
        self, *, deliveries: int, messages: int, actions: Sequence[str], seconds: float
    ) -> None:
        """Note a committed batch: deliveries, new messages, actions of its entries, duration."""

    def quarantined(self, code: str) -> None:
        """Note that an item was set aside."""

    def waiting(self, deliveries: int) -> None:
        """Note how many deliveries wait to be written."""


class Unobserved:
    """Measures nothing."""

    def committed(
        self, *, deliveries: int, messages: int, actions: Sequence[str], seconds: float
    ) -> None:
        """Do nothing."""

    def quarantined(self, code: str) -> None:
        """Do nothing."""

    def waiting(self, deliveries: int) -> None:
        """Do nothing."""

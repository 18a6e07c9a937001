"""Where a contact stands on one switch."""

from dataclasses import dataclass, replace
from datetime import datetime

from consent.model import Clock, ConsentState


def later(one: datetime | None, other: datetime | None) -> datetime | None:
    """Return the later of two times; None is before every time."""
    if one is None or other is None:
        return one or other
    return max(one, other)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a contact stands on one switch: the latest act of each kind, or None if there was none.

    Three clocks and no state, since the later of two clocks is the same whichever came first: acts
    may arrive twice, late or out of order. Clocks are when it was said (UTC, whole seconds).
    """

    opted_out_at: datetime | None = None  # said stop: by the contact, or by anyone for them
    opted_in_at: datetime | None = None  # said start: by the contact
    vouched_at: datetime | None = None  # agreed, says somebody else: an import, a list

    @property
    def state(self) -> ConsentState:
        """An opt-out is lifted only by a later word of the contact; in the same second it wins."""
        if self.opted_out_at is None:
            agreed = self.opted_in_at or self.vouched_at
            return ConsentState.OPTED_IN if agreed else ConsentState.UNKNOWN
        lifted = self.opted_in_at is not None and self.opted_in_at > self.opted_out_at
        return ConsentState.OPTED_IN if lifted else ConsentState.OPTED_OUT

    @property
    def decided_by(self) -> Clock | None:
        """The clock that the state follows from, or None where there was no act."""
        if self.state is ConsentState.OPTED_OUT:
            return Clock.OPTED_OUT
        if self.opted_in_at is not None:
            return Clock.OPTED_IN
        return Clock.VOUCHED if self.vouched_at is not None else None

    @property
    def since(self) -> datetime | None:
        """Since when the state holds, or None where there was no act."""
        clock = self.decided_by
        return None if clock is None else self.at(clock)

    def at(self, clock: Clock) -> datetime | None:
        """Return one clock by its name."""
        value: datetime | None = getattr(self, clock.value)
        return value

    def moved(self, clock: Clock, at: datetime) -> "Standing":
        """Return the standing after an act; a clock only moves forward."""
        return replace(self, **{clock.value: later(self.at(clock), at)})


NEVER_ASKED = Standing()


def join(one: Standing, other: Standing) -> Standing:
    """Return what both together say: associative, commutative, and the same twice as once."""
    return Standing(
        opted_out_at=later(one.opted_out_at, other.opted_out_at),
        opted_in_at=later(one.opted_in_at, other.opted_in_at),
        vouched_at=later(one.vouched_at, other.vouched_at),
    )

"""May we send? The answer for one contact and one template category, with its reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from consent.model import Category, Clock, ConsentState, Switch
from consent.standing import NEVER_ASKED, Standing, join, later


class Reason(StrEnum):
    """Why a verdict is what it is; stable, for programs."""

    OPTED_IN = "opted_in"
    NO_OPT_IN_NEEDED = "no_opt_in_needed"
    OPTED_OUT = "opted_out"
    NAME_CHANGED = "name_changed"
    NATIVE_OPT_OUT = "native_opt_out"
    HELD = "held"
    NO_OPT_IN = "no_opt_in"


EXPLAINED: Mapping[Reason, str] = {
    Reason.OPTED_IN: "they agreed, and have not asked to stop since",
    Reason.NO_OPT_IN_NEEDED: "never asked to stop, and this category needs no opt-in here",
    Reason.OPTED_OUT: "they asked to stop",
    Reason.NAME_CHANGED: "this number or id changed hands; whoever has it now agreed to nothing",
    Reason.NATIVE_OPT_OUT: "they stopped marketing in WhatsApp; only they can resume it there",
    Reason.HELD: "they may have asked to stop; marketing waits until a person has looked",
    Reason.NO_OPT_IN: "marketing needs an opt-in, and there is none",
}


@dataclass(frozen=True, slots=True)
class Policy:
    """What one app decided for itself.

    `stop_closes`: the switch a typed STOP closes, `all` or `marketing`. `needs_opt_in`: the
    categories for which "never asked" means no.
    """

    stop_closes: Switch = Switch.ALL
    needs_opt_in: frozenset[Category] = frozenset({Category.MARKETING})


@dataclass(frozen=True, slots=True)
class Known:
    """All we know of a contact, over every name it has.

    `standings` by switch; a missing one was never asked. `held_at`: when the latest message that
    may have been a request to stop, and that no person has looked at, was sent. `left_at`: when the
    asked-for name was left by its contact for another.
    """

    standings: Mapping[Switch, Standing]
    held_at: datetime | None = None
    left_at: datetime | None = None

    def on(self, switch: Switch) -> Standing:
        """Return the standing on a switch."""
        return self.standings.get(switch, NEVER_ASKED)

    @property
    def open_hold_at(self) -> datetime | None:
        """When the open hold began; a later certain act of the contact, either way, closes it."""
        return None if self.held_at is None or self.closes(self.held_at) else self.held_at

    def closes(self, held_at: datetime) -> bool:
        """Tell whether a certain act on marketing, either way, came after a hold of this time."""
        own = join(self.on(Switch.ALL), self.on(Switch.MARKETING))
        last = later(own.opted_out_at, own.opted_in_at)
        return last is not None and last > held_at


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to "may we send?".

    `since` is when the deciding act was said, `switch` and `clock` name it; None where nothing was.
    """

    may_send: bool
    reason: Reason
    since: datetime | None = None
    switch: tuple[Switch, ...] = ()
    clock: Clock | None = None


def verdict(category: Category, known: Known, policy: Policy) -> Verdict:
    """Say whether a template of this category may be sent; without any doubt, or no."""
    switches: tuple[Switch, ...] = (Switch.ALL, category.switch)
    own = join(known.on(Switch.ALL), known.on(category.switch))
    if known.left_at is not None:
        own = join(own, Standing(opted_out_at=known.left_at))
    if own.state is ConsentState.OPTED_OUT:
        renamed = own.opted_out_at == known.left_at
        reason = Reason.NAME_CHANGED if renamed else Reason.OPTED_OUT
        return Verdict(False, reason, own.since, switches, Clock.OPTED_OUT)
    if category is Category.MARKETING:
        native = known.on(Switch.NATIVE_MARKETING)
        if native.state is ConsentState.OPTED_OUT:
            switches = (Switch.NATIVE_MARKETING,)
            return Verdict(False, Reason.NATIVE_OPT_OUT, native.since, switches, Clock.OPTED_OUT)
        if known.open_hold_at is not None:
            return Verdict(False, Reason.HELD, known.open_hold_at)
    if own.state is ConsentState.OPTED_IN:
        return Verdict(True, Reason.OPTED_IN, own.since, switches, own.decided_by)
    if category in policy.needs_opt_in:
        return Verdict(False, Reason.NO_OPT_IN)
    return Verdict(True, Reason.NO_OPT_IN_NEEDED)

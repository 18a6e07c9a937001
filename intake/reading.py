"""From what a delivery says to what is recorded: keys, sealed rows, and the acts in the words.

Nothing here waits: the data keys are in memory and the rest is arithmetic. What must be read under
a lock (where the contact stood before) is decided later, in `intake.decide`.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from consent.model import Surface, Switch
from db.sealing import Use, place
from db.statements import LinkRow, QuarantineRow
from intake.acts import Act, Action, Intake, Item
from intake.app import App
from intake.country import country_of
from keywords.decision import NOTHING, Decision, Intent, Tier
from keywords.matcher import Matcher
from keywords.own import OWN
from webhook.delivery import (
    Delivery,
    InboundMessage,
    NameChange,
    Names,
    Preference,
    StoppedAtMeta,
    Unread,
    Words,
)

# Stamps further ahead of our clock than this are taken as now, and flagged.
AHEAD_SECONDS = 300
# A row stands where its stamp says, so that it is known when it comes again; one that is further
# ahead than Meta sends again stands in one fixed month, or there would be partitions for every year
# that a broken clock can name.
_ROW_AHEAD_SECONDS = 40 * 86400
FAR_AHEAD = int(datetime(2099, 1, 1, tzinfo=UTC).timestamp())

_encode = msgspec.json.Encoder().encode


class Kept(msgspec.Struct, omit_defaults=True):
    """What `message.sealed` holds, as JSON: the item as delivered, and what stood around it."""

    item: msgspec.Raw
    wa_id: str | None = None
    bsuid: str | None = None
    field: str | None = None  # None: "messages"
    number_id: str | None = None


def keep(raw: bytes, names: Names, field: str, number_id: str | None = None) -> bytes:
    """Return what is sealed of an item; what is no text (half an emoji) in the number id is cut."""
    other = None if field == "messages" else field
    kept = Kept(msgspec.Raw(raw), names.wa_id, names.bsuid, other, number_id)
    try:
        return _encode(kept)
    except UnicodeEncodeError:
        kept.number_id = None
        return _encode(kept)


def read(
    app: App, matcher: Matcher, delivery: Delivery, body: bytes, received_at: datetime
) -> Intake:
    """Return the rows and acts of a delivery; raises NoDataKeyError while its key is not loaded."""
    number = app.number(Use.MESSAGE)  # before any work is done: is the key of today here?
    latest = int(received_at.timestamp()) + _ROW_AHEAD_SECONDS
    reading = _Reading(app, matcher, body, received_at, latest, number)
    taken = Intake(received_at, body, [reading.message(one) for one in delivery.messages])
    # Nearly every delivery is one message and a link we know: what is not there costs nothing.
    if delivery.preferences:
        taken.items += [reading.preference(said) for said in delivery.preferences]
    if delivery.stopped_at_meta:
        taken.items += [reading.stopped_at_meta(said) for said in delivery.stopped_at_meta]
    if delivery.name_changes:
        taken.items += [reading.name_change(said) for said in delivery.name_changes]
    for pair in delivery.links:
        if pair not in app.links_stored:
            taken.pairs = (*taken.pairs, pair)
            taken.links += reading.links(*pair)
    if delivery.unread:
        taken.unread = [set_aside(app, unread) for unread in delivery.unread]
    return taken


def set_aside(app: App, unread: Unread) -> QuarantineRow:
    """Return the quarantine row of an item we could not read, its bytes sealed."""
    key = app.keys.item(unread.body)
    sealed = app.seal_aside(key, unread.body)
    return QuarantineRow(key, unread.code, unread.reason, sealed)


@dataclass(slots=True)
class _Reading:
    """One delivery being read."""

    app: App
    matcher: Matcher
    body: bytes
    received_at: datetime
    latest: int  # a row whose stamp is after this stands in the fixed month
    number: int  # of the data key that rows are sealed with
    _digest: str = ""

    def message(self, message: InboundMessage) -> Item:
        acts: tuple[Act, ...] = ()
        if message.words:
            words, decision = self._decide(message)
            if decision.intent is not Intent.NONE:
                acts = self._acts_of(message, words, decision)
        key = self.app.keys.wamid(message.message_id)
        kept = keep(message.raw, message.names, message.field, message.number_id)
        return self._item(key, message.said_at, message.kind, message.names, kept, acts)

    def _understood(self, text: str, surface: Surface, country: str | None) -> Decision:
        languages = self.app.languages
        return self.matcher.decide(text, surface=surface, languages=languages, country=country)

    def _decide(self, message: InboundMessage) -> tuple[Words, Decision]:
        """Return the words that weigh most: a stop before a start, a sure one before a likely."""
        country = country_of(message.names.wa_id, message.names.bsuid or message.names.parent_bsuid)
        best, found = message.words[0], NOTHING
        for words in message.words:
            decision = self._understood(words.text, words.surface, country)
            bare = self.app.brand.without(words.text) if self.app.brand is not None else None
            if bare is not None:  # "STOP Acme" is STOP; a name that is a word of ours stays one
                without = self._understood(bare, words.surface, country)
                decision = max(decision, without, key=_weight)
            if self.app.own_words is not None:
                own = self.app.own_words.decide(words.text, words.surface)
                # What the packs say stands where it weighs as much, and a stop above all.
                if _weight(own) > _weight(decision):
                    decision = own
            if decision is not NOTHING and _WEIGHT[decision.intent, decision.tier] > _weight(found):
                best, found = words, decision
        return best, found

    def _acts_of(
        self, message: InboundMessage, words: Words, decision: Decision
    ) -> tuple[Act, ...]:
        action, switch = self._action_of(decision)
        if action is None:
            return ()
        facts: dict[str, Any] = {
            "tier": decision.tier.value,
            "language": decision.language,
            "term": term_id(decision),
            "pack": {"version": self.matcher.version, "digest": self.matcher.digest},
            "field": message.field,
        }
        if action is Action.HOLD_OPENED:
            facts["asked"] = self._closed_by(decision).value
        if self.app.own_words is not None and decision.language == OWN:
            facts["keyword"] = self.app.own_words.id_of(decision)
        proof = {
            "words": words.text,
            "span": list(decision.span),
            "term": decision.term,
            "number_id": message.number_id,
        }
        said = _Said(message.names, message.said_at, message.raw, words.surface)
        return (self._act(action, said, switch=switch, facts=facts, proof=proof),)

    def _action_of(self, decision: Decision) -> tuple[Action | None, Switch | None]:
        if decision.intent is Intent.OPT_OUT:
            if decision.tier is Tier.LIKELY:
                return Action.HOLD_OPENED, None
            return Action.OPT_OUT, self._closed_by(decision)
        if decision.intent is Intent.OPT_IN and decision.tier is Tier.CERTAIN:
            return Action.OPT_IN, decision.switch or Switch.ALL
        return None, None

    def _closed_by(self, decision: Decision) -> Switch:
        """Return the switch that this opt-out closes, or would if it were certain."""
        asked = decision.switch or Switch.ALL
        return self.app.policy.stop_closes if asked is Switch.ALL else asked

    def preference(self, said: Preference) -> Item:
        key = self.app.keys.message(
            "preference",
            said.number_id,
            primary(said.names),
            said.value,
            said.signup_id,
            said.said_at,
        )
        act = self._act(
            Action.OPT_OUT if said.value == "stop" else Action.OPT_IN,
            _Said(said.names, said.said_at, said.raw, Surface.PREFERENCE),
            # A signup link is an opt-in to us; stop and resume move the switch in WhatsApp only.
            switch=Switch.MARKETING if said.value == "signup" else Switch.NATIVE_MARKETING,
            facts={"value": said.value, "field": "user_preferences"},
            proof={"number_id": said.number_id, "signup_id": said.signup_id},
        )
        kept = keep(said.raw, said.names, "user_preferences", said.number_id)
        return self._item(key, said.said_at, "preference", said.names, kept, (act,))

    def stopped_at_meta(self, said: StoppedAtMeta) -> Item:
        key = self.app.keys.message("send_error", said.message_id, primary(said.names))
        act = self._act(
            Action.OPT_OUT,
            _Said(said.names, said.said_at, said.raw, Surface.SEND_ERROR),
            switch=Switch.NATIVE_MARKETING,
            facts={"error": 131050, "field": said.field},
            proof={"number_id": said.number_id},
        )
        kept = keep(said.raw, said.names, said.field, said.number_id)
        return self._item(key, said.said_at, "send_error", said.names, kept, (act,))

    def name_change(self, said: NameChange) -> Item:
        keys = self.app.keys
        pairs = tuple(
            (keys.name(old), keys.name(new))
            for old in names_in(said.old)
            for new in names_in(said.new)
            if old != new
        )
        act = self._act(
            Action.NAME_CHANGED,
            _Said(said.new, said.said_at, said.raw, Surface.SYSTEM),
            actor="whatsapp",
            left=said.old,
            changes=pairs,
        )
        names = (*names_in(said.old), "to", *names_in(said.new))
        key = keys.message("name_change", *names, said.said_at)
        kept = keep(said.raw, said.new, "messages")
        acts = (act,) if pairs else ()
        return self._item(key, said.said_at, "name_change", said.new, kept, acts)

    def _body_digest(self) -> str:
        """Return the SHA-256 of the delivery, in hex; reckoned once, and for acts only."""
        self._digest = self._digest or hashlib.sha256(self.body).hexdigest()
        return self._digest

    def links(self, one: str, other: str) -> Iterator[LinkRow]:
        """Yield the link of two names, and of one to the other forms of the other's phone."""
        keys = self.app.keys
        key, other_key = sorted((keys.name(one), keys.name(other)))
        since = int(self.received_at.timestamp())
        yield LinkRow(key, other_key, "same", since, None)
        for name, its_other in ((one, other), (other, one)):
            for form in keys.forms(its_other):
                yield LinkRow(keys.name(name), form, "form", since, None)

    def _item(
        self,
        key: bytes,
        said_at: int,
        kind: str,
        names: Names,
        kept: bytes,
        acts: tuple[Act, ...],
    ) -> Item:
        app = self.app
        return Item(
            message_key=key,
            said_at=said_at if said_at <= self.latest else FAR_AHEAD,
            contact_key=app.keys.name(primary(names)),
            kind=kind,
            sealed=app.sealer.seal(self.number, kept, place("message", "sealed", app.app_id, key)),
            acts=acts,
        )

    def _act(
        self,
        action: Action,
        said: "_Said",
        *,
        switch: Switch | None = None,
        facts: Mapping[str, Any] | None = None,
        proof: Mapping[str, Any] | None = None,
        actor: str = "contact",
        left: Names | None = None,
        changes: tuple[tuple[bytes, bytes], ...] = (),
    ) -> Act:
        at, clamped = clamp(said.at, self.received_at)
        item = said.raw.decode("utf-8", "surrogateescape")
        return Act(
            action=action,
            contact_key=self.app.keys.name(primary(said.names)),
            names=named(said.names),
            said_at=at,
            surface=said.surface,
            actor=actor,
            switch=switch,
            clamped=clamped,
            facts=facts or {},
            proof={**(proof or {}), "item": item, "delivery": self._body_digest()},
            left_key=self.app.keys.name(primary(left)) if left is not None else None,
            left_names=named(left) if left is not None else {},
            changes=changes,
        )


@dataclass(frozen=True, slots=True)
class _Said:
    """Who said it, when (Unix seconds), in which bytes, and where."""

    names: Names
    at: int
    raw: bytes
    surface: Surface


_WEIGHT = {
    (Intent.NONE, Tier.NONE): 0,
    (Intent.HELP, Tier.LIKELY): 1,
    (Intent.HELP, Tier.CERTAIN): 2,
    (Intent.OPT_IN, Tier.LIKELY): 3,
    (Intent.OPT_IN, Tier.CERTAIN): 4,
    (Intent.OPT_OUT, Tier.LIKELY): 5,
    (Intent.OPT_OUT, Tier.CERTAIN): 6,
}


def _weight(decision: Decision) -> int:
    return _WEIGHT[decision.intent, decision.tier]


def clamp(said_at: int, now: datetime) -> tuple[datetime, bool]:
    """Return when it was said (UTC), not later than our clock, and whether that was changed."""
    if said_at > now.timestamp() + AHEAD_SECONDS:
        return now.replace(microsecond=0), True
    return datetime.fromtimestamp(said_at, UTC), False


def primary(names: Names) -> str:
    """Return the name that acts are recorded under: the BSUID, which belongs to one person only."""
    return names.bsuid or names.parent_bsuid or names.wa_id or ""


def names_in(names: Names) -> tuple[str, ...]:
    """Return every name that identifies the contact."""
    return tuple(name for name in (names.wa_id, names.bsuid, names.parent_bsuid) if name)


def named(names: Names) -> dict[str, str]:
    """Return the names as they are sealed for the contact."""
    return {slot: value for slot, value in msgspec.structs.asdict(names).items() if value}


def term_id(decision: Decision) -> str:
    """Return what an entry calls a term by: no word, but the pack's own term gives the same id."""
    return hashlib.sha256(f"{decision.language}|{decision.term}".encode()).hexdigest()[:16]

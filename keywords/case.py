"""One text to decide on: its marks, who wrote it, and what it can be read as."""

import unicodedata
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field

from consent.model import Switch
from keywords.decision import Intent, Tier
from keywords.lexicon import ASKED, ENDED, PAUSED, Grammar, Lexicon, Mark
from keywords.normalize import Normalized
from keywords.pack import NANP, Term

TIERS = (Tier.NONE, Tier.LIKELY, Tier.CERTAIN)  # a level is a place in it
_QUESTION_MARKS = frozenset("?؟？⁇⁈❓❔;՞፧")
_HARD_STOPS = frozenset(".!\n\r।。！…۔•|")
_INSIDE_WORDS = frozenset("-'’_*~/")


@dataclass(frozen=True, slots=True)
class Audience:
    """What is known of the people who write: languages the app serves, country of the contact."""

    languages: frozenset[str] = frozenset()
    country: str = ""

    @classmethod
    def of(cls, languages: Collection[str], country: str | None) -> "Audience":
        """Return it with languages cut to their first part and calling code +1 as one country."""
        code = (country or "").upper()
        return cls(
            languages=frozenset(tag.replace("_", "-").split("-")[0].lower() for tag in languages),
            country="US" if code in NANP else code,
        )

    def speaks(self, grammar: Grammar) -> bool | None:
        """Tell whether they speak the language; None if nothing is known of them."""
        if not self.languages and not self.country:
            return None
        return grammar.language in self.languages or self.country in grammar.countries


@dataclass(frozen=True, slots=True)
class Found:
    """A mark in the text: `text[start:end]` without the spaces around it."""

    start: int
    end: int
    mark: Mark


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to understand the text: 2 is certain, 1 likely."""

    intent: Intent
    level: int
    switch: Switch | None
    say: str
    language: str
    start: int
    end: int


@dataclass(slots=True)
class Case:
    """One text with its marks, and who wrote it."""

    lexicon: Lexicon
    normal: Normalized
    audience: Audience
    found: list[Found]
    at: dict[int, list[Found]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for one in self.found:
            self.at[one.start].append(one)
        for many in self.at.values():
            many.sort(key=lambda f: -f.end)


def strength(case: Case, term: Term) -> int:
    """Return what the term counts for with these people: 2 certain, 1 likely, 0 nothing."""
    if case.audience.country in term.certain_in:
        return 2
    level = TIERS.index(term.tier)
    if not term.local:
        return level
    speaks = case.audience.speaks(case.lexicon.grammars[term.language])
    return 0 if speaks is False else level if speaks else min(level, 1)


def pause_between(normal: Normalized, before: int, after: int) -> str:
    """Return what stands between two words: a question mark, an end, a comma, or nothing."""
    last = len(normal.text) - 1
    raw = normal.between(before, min(after, last)) if before > 0 else ""
    if not raw or raw.isspace() or raw == ".":
        return ""  # a full stop without a space after it is a name: example.com
    if not _QUESTION_MARKS.isdisjoint(raw):
        return ASKED
    if not _HARD_STOPS.isdisjoint(raw):
        return ENDED
    return (
        PAUSED
        if any(unicodedata.category(c)[0] == "P" and c not in _INSIDE_WORDS for c in raw)
        else ""
    )

"""One text to decide on: its marks, who wrote it, and what it can be read as."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from consent.model import Switch
from keywords.decision import Intent, Tier
from keywords.grammar import Grammar
from keywords.guards import ASKED, ENDED, PAUSED, SAID
from keywords.lexicon import Lexicon, Mark
from keywords.normalize import HARD_STOPS, QUESTION_MARKS, Normalized
from keywords.pack import NANP, Term
from keywords.tags import tag_of

DENIED = -1  # the level of a phrase that the words around it deny
TIERS = (Tier.NONE, Tier.LIKELY, Tier.CERTAIN)  # a level is a place in it
_COLONS = frozenset(":：∶՝")
_INSIDE_WORDS = frozenset("-'’_*~/՛՜၌၍၎၏")
# All that can make a pause; beyond the first two planes there is no punctuation.
_PAUSING = (
    frozenset(sign for sign in map(chr, range(0x20000)) if unicodedata.category(sign)[0] == "P")
    .union(QUESTION_MARKS, HARD_STOPS)
    .difference(_INSIDE_WORDS)
)
_LONGEST_ENDING = 14  # letters after a stem; beyond it is another word
_GAP = re.compile(" +")


@dataclass(frozen=True, slots=True)
class Audience:
    """What is known of the people who write: languages the app serves, country of the contact."""

    languages: frozenset[str] = frozenset()
    country: str = ""

    @classmethod
    def of(cls, languages: Collection[str], country: str | None) -> "Audience":
        """Return it with languages by the names of packs and calling code +1 as one country."""
        code = (country or "").upper()
        return cls(
            languages=frozenset(map(tag_of, languages)),
            country="US" if code in NANP else code,
        )

    @property
    def known(self) -> bool:
        """Whether anything is known of them."""
        return bool(self.languages or self.country)

    def speaks(self, grammar: Grammar) -> bool | None:
        """Tell whether they speak the language; None if nothing is known of them."""
        if not self.known:
            return None
        return grammar.language in self.languages or self.country in grammar.countries

    def grammars(self, lexicon: Lexicon) -> list[Grammar]:
        """Return the languages the app serves; where it did not say, those of the country."""
        every = lexicon.grammars.values()
        served = [g for g in every if g.language in self.languages]
        return served or [g for g in every if self.country in g.countries]

    def bits(self, lexicon: Lexicon) -> int:
        """Return the languages they are known to speak, as bits."""
        spoken = (bit for tag, bit in lexicon.bits.items() if self.speaks(lexicon.grammars[tag]))
        return sum(spoken)


# Named tuples, for there are many in a text and a frozen dataclass takes thrice as long to make.
class Found(NamedTuple):
    """A mark in the text: `text[start:end]` without the spaces around it."""

    start: int
    end: int
    mark: Mark


class Reading(NamedTuple):
    """One way to understand the text: 2 is certain, 1 likely, 0 nothing, DENIED the contrary."""

    intent: Intent
    level: int
    switch: Switch | None
    say: str
    language: str
    start: int
    end: int


class Case:
    """One text with its marks, and who wrote it; what every language asks of it, worked out once.

    `at` has the marks that begin at a place, the longest first; `pauses`, by where the next word
    begins, has what stands before it and where that begins, in the order of the text.
    """

    __slots__ = ("_inside", "at", "audience", "found", "lexicon", "normal", "pauses")

    def __init__(
        self,
        lexicon: Lexicon,
        normal: Normalized,
        audience: Audience,
        hits: Iterable[tuple[int, int]],
    ) -> None:
        """Make it of the hits of the automaton: the place of the last character, the mark."""
        self.lexicon = lexicon
        self.normal = normal
        self.audience = audience
        self.found = _found(lexicon, normal.text, hits)
        self.at: dict[int, list[Found]] = {}
        for one in self.found:
            there = self.at.setdefault(one.start, [])
            there.append(one)
            if len(there) > 1:
                there.sort(key=_shorter)
        self.pauses = _pauses_of(normal)
        text = normal.text
        self._inside = any(text[start - 1] != " " for start in self.at)

    def word_end(self, at: int) -> int:
        """Return where the word that begins here ends: at a space, or where a mark begins."""
        text = self.normal.text
        if not self._inside:
            return text.index(" ", at)
        end = at + 1
        while text[end] != " " and end not in self.at:
            end += 1
        return end


def _found(lexicon: Lexicon, text: str, hits: Iterable[tuple[int, int]]) -> list[Found]:
    found = []
    for last, number in hits:
        if number >= lexicon.first_odd:
            continue
        mark = lexicon.mark(number)
        if mark.stem:
            end = text.index(" ", last + 1)
            if end - last <= _LONGEST_ENDING:
                found.append(Found(last + 1 - mark.length, end, mark))
            continue
        end = last + 1 - mark.pad
        found.append(Found(end - mark.length, end, mark))
    return found


def _shorter(found: Found) -> tuple[int, int, bool]:
    return -found.end, -found.mark.length, found.mark.stem  # a word before its stem


def strength(lexicon: Lexicon, audience: Audience, term: Term) -> int:
    """Return what the term counts for with these people: 2 certain, 1 likely, 0 nothing."""
    if audience.country in term.certain_in:
        return 2
    level = TIERS.index(term.tier)
    if not term.local:
        return level
    speaks = audience.speaks(lexicon.grammars[term.language])
    return 0 if speaks is False else level if speaks else min(level, 1)


def _pauses_of(normal: Normalized) -> Mapping[int, tuple[str, int]]:
    pauses: dict[int, tuple[str, int]] = {}
    if _PAUSING.isdisjoint(normal.raw):
        return pauses
    for gap in _GAP.finditer(normal.text):
        begin, end = gap.span()
        pause = pause_between(normal, begin - 1, end)
        if pause:
            pauses[end] = pause, begin
    return pauses


def pause_between(normal: Normalized, before: int, after: int) -> str:
    """Return what stands between two words: a question mark, an end, a comma, or nothing."""
    last = len(normal.text) - 1
    raw = normal.between(before, min(after, last)) if before > 0 else ""
    if not raw or raw.isspace() or raw == ".":
        return ""  # a full stop without a space after it is a name: example.com
    if not QUESTION_MARKS.isdisjoint(raw):
        return ASKED
    if not HARD_STOPS.isdisjoint(raw):
        return ENDED
    if not _COLONS.isdisjoint(raw):
        return SAID
    return "" if _PAUSING.isdisjoint(raw) else PAUSED

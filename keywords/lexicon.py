"""The packs made ready to match: what every string of every language means.

With a hundred languages there are more than a hundred thousand strings, so what is known of each is
kept in numbers; a `Mark` says it in one object, made when the string is first met.
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from keywords.grammar import Grammar, letter
from keywords.pack import COMMON, Term
from keywords.strings import Strings
from keywords.typos import Typos

_LEADS = ("lead_in", "ask", "answer")
_DENIES = ("answer", "not", "refuse")
_MOST_MARKS = 10_000  # kept as objects
_NOBODY, _SEVERAL = 0xFFFF, 0xFFFE


@dataclass(frozen=True, slots=True, eq=False)
class Mark:
    """All that one string means. `pad` is 1 if it has spaces around it.

    Languages are bits: `courtesy` has a bit for each language in which it is courtesy. `letters`
    has its letter for each language, by index.
    """

    number: int
    length: int  # of the string without spaces
    pad: int
    stem: bool  # any ending may follow, up to the next space
    terms: tuple[Term, ...]
    letters: Mapping[int, str]
    courtesy: int
    leads: int  # to a term: "I want to", "how do I", "no"
    asks: int  # "how do I", "can you"
    answers: int  # as "no" does
    denies: int  # as "no" and "not" do

    @property
    def fits(self) -> bool:
        """Whether it can be part of a message that is nothing but a term and courtesy."""
        return bool(self.terms or self.courtesy or self.leads)


class Owners:
    """Which languages have a string, and the place of its set of roles in each."""

    def __init__(self, places: Sequence[Mapping[int, int]]) -> None:
        """Make it of a place by language index, for each string in the order of their numbers."""
        self._owner = array("H")
        self._place = array("L")
        self._several: list[tuple[tuple[int, int], ...]] = []
        for each in places:
            owner, place = next(iter(each.items()), (_NOBODY, 0))
            if len(each) > 1:
                owner, place = _SEVERAL, len(self._several)
                self._several.append(tuple(each.items()))
            self._owner.append(owner)
            self._place.append(place)

    def of(self, number: int) -> tuple[tuple[int, int], ...]:
        """Return language index and place for each language that has this string."""
        owner = self._owner[number]
        if owner == _SEVERAL:
            return self._several[self._place[number]]
        return () if owner == _NOBODY else ((owner, self._place[number]),)


class Known:
    """The words a word may be mended into: all that some pack knows."""

    def __init__(self, strings: Strings, first_odd: int) -> None:
        self._strings = strings
        self._words = range(first_odd)

    def __contains__(self, word: object) -> bool:
        if not isinstance(word, str) or len(word) < 2 or " " in word:
            return False
        find, words = self._strings.find, self._words
        return find(f" {word} ") in words or find(word) in words


@dataclass(slots=True)
class Lexicon:
    """Everything the packs say, ready to match; `keywords.making` makes one.

    Strings are numbered so that the loud ones come last, from `first_loud` on: without one of
    them a text asks for nothing. From `first_term` on they are terms, from `first_odd` on they
    only betray an odd spelling.
    """

    version: str
    terms: Sequence[Term]
    grammars: Mapping[str, Grammar]
    strings: Strings
    owners: Owners
    terms_of: Mapping[int, tuple[Term, ...]]
    stems: frozenset[int]
    first_loud: int
    first_term: int
    first_odd: int
    payloads: Mapping[str, Term]
    labels: Mapping[str, Term]
    typos: Typos
    polite: frozenset[str]  # words that are courtesy somewhere
    sure: frozenset[str]  # words that are a request whoever says them
    bits: Mapping[str, int] = field(init=False)  # of each language
    known: Known = field(init=False)
    _in_order: Sequence[Grammar] = field(init=False)
    _marks: dict[int, Mark] = field(init=False, default_factory=dict)
    _masks: dict[tuple[str, ...], list[int]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._in_order = list(self.grammars.values())
        self.bits = {grammar.language: 1 << grammar.index for grammar in self._in_order}
        self.known = Known(self.strings, self.first_odd)

    @property
    def every(self) -> int:
        """All languages, as bits."""
        return (1 << len(self._in_order)) - 1

    def hits(self, folded: str) -> list[tuple[int, int]]:
        """Return the marks in a folded text: the place of the last letter, and the number."""
        return self.strings.hits(folded)

    def text(self, number: int) -> str:
        """Return the string of this number, without the spaces around it."""
        return self.strings[number].strip(" ")

    def mark(self, number: int) -> Mark:
        """Return what the string of this number means."""
        known = self._marks.get(number)
        if known is None:
            known = self._made(number)
            if len(self._marks) >= _MOST_MARKS:
                self._marks.clear()  # words of everyday come back at once
            self._marks[number] = known
        return known

    def words_with(self, grammar: Grammar, roles: int) -> Iterator[str]:
        """Yield the single words of a language that have one of these roles, as bits; no stems."""
        for number in range(self.first_odd):
            for index, place in self.owners.of(number):
                if index == grammar.index and grammar.sets[place] & roles:
                    word = self.text(number)
                    if " " not in word and number not in self.stems:
                        yield word

    def _made(self, number: int) -> Mark:
        key = self.strings[number]
        courtesy = self._where(number, ("courtesy",))
        if courtesy & self.bits.get("en", 0):
            courtesy = self.every  # English "please" is said in all
        return Mark(
            number=number,
            length=len(key.strip(" ")),
            pad=int(key.startswith(" ")),
            stem=number in self.stems,
            terms=self.terms_of.get(number, ()),
            letters={index: letter(place) for index, place in self.owners.of(number)},
            courtesy=courtesy,
            leads=self._where(number, _LEADS),
            asks=self._where(number, ("ask",)),
            answers=self._where(number, ("answer",)),
            denies=self._where(number, _DENIES),
        )

    def _where(self, number: int, roles: tuple[str, ...]) -> int:
        """Return the languages, as bits, in which a word has one of these roles.

        A word of the common pack has its roles in every language.
        """
        if roles not in self._masks:
            self._masks[roles] = [grammar.mask(roles) for grammar in self._in_order]
        languages = 0
        for index, place in self.owners.of(number):
            if self._in_order[index].sets[place] & self._masks[roles][index]:
                languages |= 1 << index
        return self.every if languages & self.bits.get(COMMON, 0) else languages

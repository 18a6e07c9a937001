"""The packs made ready to match: an automaton over all words of all languages.

With a hundred languages there are tens of thousands of words, so what is known of each is kept in
numbers; a `Mark` says it in one object, made when the word is first met. Words of scripts without
spaces have an automaton of their own: their thousands of first letters would stand in the way of
every letter of all other texts.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import ahocorasick

from keywords.decision import Intent, Tier
from keywords.grammar import Grammar
from keywords.guards import GUARDS
from keywords.normalize import UNSPACED, oddities
from keywords.pack import COMMON, STEM, Kind, Pack, Term
from keywords.typos import Typos

_LEADS = ("lead_in", "ask", "answer")
_DENIES = ("answer", "not", "refuse")


@dataclass(frozen=True, slots=True, eq=False)
class Mark:
    """All that one string of the automaton means. `pad` is 1 if the string has spaces around it.

    Languages are bits: `courtesy` has a bit for each language in which it is courtesy.
    """

    number: int
    length: int  # of the string without spaces
    pad: int
    stem: bool  # any ending may follow, up to the next space
    terms: tuple[Term, ...]
    courtesy: int
    leads: int  # to a term: "I want to", "how do I", "no"
    asks: int  # "how do I", "can you"
    answers: int  # as "no" does
    denies: int  # as "no" and "not" do

    @property
    def fits(self) -> bool:
        """Whether it can be part of a message that is nothing but a term and courtesy."""
        return bool(self.terms or self.courtesy or self.leads)


class Known:
    """The words a word may be mended into: all that some pack knows."""

    def __init__(
        self, spaced: ahocorasick.Automaton, unspaced: ahocorasick.Automaton, first_odd: int
    ) -> None:
        self._spaced, self._unspaced = spaced.get, unspaced.get
        self._first_odd = first_odd

    def __contains__(self, word: object) -> bool:
        if not isinstance(word, str) or len(word) < 2 or " " in word:
            return False
        odd = self._first_odd
        return bool(self._spaced(f" {word} ", odd) < odd or self._unspaced(word, odd) < odd)


class Lexicon:
    """Everything the packs say, ready to match."""

    def __init__(self, packs: list[Pack]) -> None:
        self.version = next((pack.version for pack in packs if pack.language == COMMON), "")
        self.terms = [term for pack in packs for term in pack.terms]
        self.payloads = _by_text(self.terms, Kind.PAYLOAD)
        self.labels = _by_text(self.terms, Kind.BUTTON)
        self.typos = Typos(packs)
        self.bits = {pack.language: 1 << i for i, pack in enumerate(packs)}
        self.every = (1 << len(packs)) - 1
        keys = _Keys(packs)
        self.grammars = {
            pack.language: Grammar(pack, bits, roles)
            for pack, bits, roles in zip(packs, keys.bits, keys.roles, strict=True)
        }
        self._stems = keys.stems
        self.first_odd = len(keys.numbers)
        self.terms_of = keys.terms
        self._texts = [*keys.numbers, *self._oddities()]
        self.size = len(self._texts)
        self.odd = range(self.first_odd, self.size)
        spaced, unspaced = _automata(self._texts)
        self._scan, self._scan_unspaced = spaced.iter, unspaced.iter
        self.known = Known(spaced, unspaced, self.first_odd)
        self.polite = frozenset(self._courtesy())
        self._marks: dict[int, Mark] = {}

    def hits(self, folded: str) -> list[tuple[int, int]]:
        """Return the marks in a folded text: the place of the last letter, and the number."""
        found = list(self._scan(folded))
        if not folded.isascii() and UNSPACED.search(folded):
            found += self._scan_unspaced(folded)
        return found

    def _oddities(self) -> list[str]:
        """Return the strings that betray an odd spelling; a word is never one of them."""
        words = {
            term.text
            for term in self.terms
            if term.tier is Tier.CERTAIN
            and term.intent is Intent.OPT_OUT
            and 4 <= len(term.text) <= 20
            and term.text.isalpha()
        }
        return sorted(oddities(words))

    def _courtesy(self) -> Iterator[str]:
        for grammar in self.grammars.values():
            polite = grammar.mask(("courtesy",))
            yield from (self.text(n) for n, roles in grammar.roles.items() if roles & polite)

    def text(self, number: int) -> str:
        """Return the string of this number, without the spaces around it."""
        return self._texts[number].strip(" ")

    def mark(self, number: int) -> Mark:
        """Return what the string of this number means."""
        known = self._marks.get(number)
        if known is None:
            known = self._marks[number] = self._made(number)
        return known

    def _made(self, number: int) -> Mark:
        leads = self.languages_where(number, _LEADS)
        return Mark(
            number=number,
            length=len(self.text(number)),
            pad=int(self._texts[number].startswith(" ")),
            stem=number in self._stems,
            terms=self.terms_of.get(number, ()),
            courtesy=self._polite(number),
            leads=leads,
            asks=leads and self.languages_where(number, ("ask",)),
            answers=leads and self.languages_where(number, ("answer",)),
            denies=self.languages_where(number, _DENIES),
        )

    def _polite(self, number: int) -> int:
        """Return the languages in which a word is courtesy; English "please" is in all."""
        found = self.languages_where(number, ("courtesy",))
        return self.every if found & self.bits.get("en", 0) else found

    def languages_where(self, number: int, roles: Iterable[str]) -> int:
        """Return the languages, as bits, in which a word has one of these roles.

        A word of the common pack has its roles in every language.
        """
        languages = 0
        for grammar in self.grammars.values():
            if grammar.roles.get(number, 0) & grammar.mask(roles):
                languages |= self.bits[grammar.language]
        return self.every if languages & self.bits.get(COMMON, 0) else languages


class _Keys:
    """The strings of all packs with their numbers, and what each is in each language."""

    def __init__(self, packs: list[Pack]) -> None:
        self.numbers: dict[str, int] = {}
        self.stems: set[int] = set()
        self.terms: dict[int, tuple[Term, ...]] = {}
        self.bits: list[Mapping[str, int]] = []
        self.roles: list[dict[int, int]] = []
        common = next((pack for pack in packs if pack.language == COMMON), None)
        for pack in packs:
            shared = common.words if common else {}
            names = sorted({*GUARDS, *pack.words, *shared})
            bits = {role: 1 << i for i, role in enumerate(names)}
            roles: dict[int, int] = {}
            for words in (pack.words, shared):
                for role, said in words.items():
                    for word in said:
                        number = self._number(word, pad=_parted(word, pack) or words is shared)
                        roles[number] = roles.get(number, 0) | bits[role]
            self.bits.append(bits)
            self.roles.append(roles)
            self._add_terms(pack)

    def _add_terms(self, pack: Pack) -> None:
        for term in pack.terms:
            if term.kind not in (Kind.BUTTON, Kind.PAYLOAD):
                sign = len(term.text) == 1 and not term.text.isalnum()
                number = self._number(term.text, pad=_parted(term.text, pack) and not sign)
                known = self.terms.get(number, ())
                # What the common pack says of a word holds in every language.
                if not any(one.language == COMMON and one.intent is term.intent for one in known):
                    self.terms[number] = (*known, term)

    def _number(self, word: str, *, pad: bool) -> int:
        text = word.removesuffix(STEM)
        stem = text != word
        key = text if not pad else f" {text}" if stem else f" {text} "
        number = self.numbers.setdefault(key, len(self.numbers))
        if stem:
            self.stems.add(number)
        return number


def _automata(texts: list[str]) -> tuple[ahocorasick.Automaton, ahocorasick.Automaton]:
    """Return the automaton of the words between spaces, and that of scripts without spaces."""
    both = (
        ahocorasick.Automaton(ahocorasick.STORE_INTS),
        ahocorasick.Automaton(ahocorasick.STORE_INTS),
    )
    for number, text in enumerate(texts):
        automaton = both[bool(UNSPACED.match(text))]
        if text not in automaton:  # an oddity may be a word; then it is that
            automaton.add_word(text, number)
    for automaton in both:
        if len(automaton) == 0:
            automaton.add_word("\ufdd1", len(texts))  # nobody's letter: an empty one can't search
        automaton.make_automaton()
    return both


def _parted(word: str, pack: Pack) -> bool:
    """Tell whether a word stands between spaces; Latin ones in other scripts are folded so."""
    return pack.spaces or word.isascii()


def _by_text(terms: Iterable[Term], kind: Kind) -> dict[str, Term]:
    found: dict[str, Term] = {}
    for term in terms:
        if term.kind is kind:
            found.setdefault(term.text, term)
    return found

"""The packs made ready to match: what every string of every language means.

With a hundred languages there are tens of thousands of strings, so what is known of each is kept in
numbers; a `Mark` says it in one object, made when the string is first met.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from keywords.decision import Intent, Tier
from keywords.grammar import Grammar
from keywords.guards import GUARDS
from keywords.normalize import oddities
from keywords.pack import COMMON, STEM, Kind, Pack, Term
from keywords.strings import Strings
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

    def __init__(self, strings: Strings, first_odd: int) -> None:
        self._strings = strings
        self._words = range(first_odd)

    def __contains__(self, word: object) -> bool:
        if not isinstance(word, str) or len(word) < 2 or " " in word:
            return False
        find, words = self._strings.find, self._words
        return find(f" {word} ") in words or find(word) in words


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
        read = _Reader(packs)
        self.grammars = {
            pack.language: Grammar(pack, bits, roles)
            for pack, bits, roles in zip(packs, read.bits, read.roles, strict=True)
        }
        self.terms_of, self._stems, self.strings = read.terms, read.stems, read.strings
        self.first_odd = len(self.strings)
        for odd in self._oddities():
            self.strings.add(odd)  # one that is a word stays that
        self.strings.finish()
        self.size = len(self.strings)
        self.known = Known(self.strings, self.first_odd)
        self.polite = frozenset(self._courtesy())
        self._marks: dict[int, Mark] = {}
        self._masks_of: dict[tuple[str, ...], list[tuple[int, Mapping[int, int], int]]] = {}

    def _oddities(self) -> list[str]:
        """Return the strings that betray an odd spelling."""
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
            known = self._marks[number] = self._made(number)
        return known

    def _made(self, number: int) -> Mark:
        key = self.strings[number]
        return Mark(
            number=number,
            length=len(key.strip(" ")),
            pad=int(key.startswith(" ")),
            stem=number in self._stems,
            terms=self.terms_of.get(number, ()),
            courtesy=self._polite(number),
            leads=self._where(number, _LEADS),
            asks=self._where(number, ("ask",)),
            answers=self._where(number, ("answer",)),
            denies=self._where(number, _DENIES),
        )

    def _polite(self, number: int) -> int:
        """Return the languages in which a word is courtesy; English "please" is in all."""
        found = self._where(number, ("courtesy",))
        return self.every if found & self.bits.get("en", 0) else found

    def _where(self, number: int, roles: tuple[str, ...]) -> int:
        """Return the languages, as bits, in which a word has one of these roles.

        A word of the common pack has its roles in every language.
        """
        languages = 0
        for bit, known, mask in self._masks(roles):
            if known.get(number, 0) & mask:
                languages |= bit
        return self.every if languages & self.bits.get(COMMON, 0) else languages

    def _masks(self, roles: tuple[str, ...]) -> list[tuple[int, Mapping[int, int], int]]:
        """Return for each language its bit, the roles of its words, and the bits of these roles."""
        if roles not in self._masks_of:
            self._masks_of[roles] = [
                (self.bits[language], grammar.roles, grammar.mask(roles))
                for language, grammar in self.grammars.items()
            ]
        return self._masks_of[roles]


class _Reader:
    """Numbers the strings of all packs, and tells what each is in each language."""

    def __init__(self, packs: list[Pack]) -> None:
        self.strings = Strings()
        self.stems: set[int] = set()
        self.terms: dict[int, tuple[Term, ...]] = {}
        self.bits: list[Mapping[str, int]] = []
        self.roles: list[dict[int, int]] = []
        self._alike: dict[int, int] = {}  # sets of roles are few: keep each once
        common = next((pack for pack in packs if pack.language == COMMON), None)
        for pack in packs:
            self._add_words(pack, common.words if common else {})
            self._add_terms(pack)

    def _add_words(self, pack: Pack, shared: Mapping[str, tuple[str, ...]]) -> None:
        names = sorted({*GUARDS, *pack.words, *shared})
        bits = {role: 1 << i for i, role in enumerate(names)}
        roles: dict[int, int] = {}
        for words in (pack.words, shared):
            for role, said in words.items():
                for word in said:
                    number = self._number(word, pad=_parted(word, pack) or words is shared)
                    found = roles.get(number, 0) | bits[role]
                    roles[number] = self._alike.setdefault(found, found)
        self.bits.append(bits)
        self.roles.append(roles)

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
        number = self.strings.add(text if not pad else f" {text}" if stem else f" {text} ")
        if stem:
            self.stems.add(number)
        return number


def _parted(word: str, pack: Pack) -> bool:
    """Tell whether a word stands between spaces; Latin ones in other scripts are folded so."""
    return pack.spaces or word.isascii()


def _by_text(terms: Iterable[Term], kind: Kind) -> dict[str, Term]:
    found: dict[str, Term] = {}
    for term in terms:
        if term.kind is kind:
            found.setdefault(term.text, term)
    return found

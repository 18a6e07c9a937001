"""Tells in a microsecond or two whether the marks of a text can come to anything.

Nearly all messages ask for nothing. So before a text is read, its marks are looked up here: without
a loud one (a term, or a word that some phrase starts from) there is nothing to read.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from keywords.grammar import Grammar
from keywords.lexicon import Lexicon
from keywords.pack import COMMON

_BESIDE = ("courtesy", "lead_in", "ask", "answer")


class _Use(NamedTuple):
    """What a word does in phrases; languages are bits."""

    starts: int  # where a search for a phrase starts from it
    follows: int  # where it is another word that such a phrase needs
    enough: int  # where it is all that some phrase needs
    used: int  # where some phrase needs it; for a word of the common pack nowhere else
    common: bool


class Sieve:
    """What each mark of a lexicon can start, by its number."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._grammars = list(lexicon.grammars.values())
        self._common = lexicon.bits.get(COMMON, 0)
        self._first_odd = lexicon.first_odd
        self._terms = lexicon.terms_of
        self._uses = dict(_uses(lexicon))
        self._phrased = dict(_phrased(lexicon))
        self._beside = _words_beside(lexicon)
        starting = (number for number, use in self._uses.items() if use.starts)
        odd = range(lexicon.first_odd, lexicon.size)
        self.loud = frozenset((*starting, *self._terms, *odd))

    def bare(self, numbers: list[int]) -> int:
        """Return how many words a message of terms and courtesy may have; 0 if no term is there."""
        if self._terms.keys().isdisjoint(numbers):
            return 0
        beside = self._beside
        return sum(beside[number] for number in numbers)

    def grammars(self, numbers: list[int]) -> list[Grammar]:
        """Return the languages whose phrases may be there."""
        once = dict.fromkeys(numbers)  # a word said a hundred times is one word here
        uses = self._uses
        starts = follows = enough = one = two = common = 0
        for number in once:
            use = uses.get(number)
            if use is not None:
                starts |= use.starts
                follows |= use.follows
                enough |= use.enough
                two |= one & use.used
                one |= use.used
                common += use.common
        # All phrases but a few need two words, and one of them is the language's own.
        maybe = starts & follows & (one if common else two)
        if common > 1:
            maybe |= starts & self._common
        found = [g for g in self._of(maybe | enough) if g.allows(once)]
        if not self._phrased.keys().isdisjoint(once):
            for number in once:
                for grammar in self._phrased.get(number, ()):
                    if grammar not in found:
                        found.append(grammar)
        return found

    def _of(self, languages: int) -> Iterator[Grammar]:
        while languages:
            lowest = languages & -languages
            yield self._grammars[lowest.bit_length() - 1]
            languages ^= lowest

    def is_odd(self, numbers: list[int]) -> bool:
        """Tell whether some word is written oddly."""
        return bool(numbers) and max(numbers) >= self._first_odd


def _uses(lexicon: Lexicon) -> Iterator[tuple[int, _Use]]:
    starts: dict[int, int] = {}
    follows: dict[int, int] = {}
    enough: dict[int, int] = {}
    used: dict[int, int] = {}
    shared = lexicon.grammars[COMMON].roles if COMMON in lexicon.grammars else {}
    for language, grammar in lexicon.grammars.items():
        bit = lexicon.bits[language]
        for number, roles in grammar.roles.items():
            if roles & grammar.used:
                own = bit if language == COMMON or number not in shared else 0
                used[number] = used.get(number, 0) | own
            if roles & grammar.anchors:
                starts[number] = starts.get(number, 0) | bit
            if roles & grammar.others:
                follows[number] = follows.get(number, 0) | bit
            if roles & grammar.enough:
                enough[number] = enough.get(number, 0) | bit
    same: dict[_Use, _Use] = {}  # most are alike: keep each once
    for number in used:
        use = _Use(
            starts.get(number, 0),
            follows.get(number, 0),
            enough.get(number, 0),
            used[number],
            number in shared,
        )
        yield number, same.setdefault(use, use)


def _phrased(lexicon: Lexicon) -> Iterator[tuple[int, list[Grammar]]]:
    """Yield the marks with terms that also count inside a longer message, and whose they are."""
    for number, terms in lexicon.terms_of.items():
        languages = [term.language for term in terms if term.anywhere]
        if languages:
            yield number, [lexicon.grammars[language] for language in languages]


def _words_beside(lexicon: Lexicon) -> bytes:
    """Return by number how many words a mark accounts for in a message of terms and courtesy."""
    found = bytearray(lexicon.size)
    for grammar in lexicon.grammars.values():
        polite = grammar.mask(_BESIDE)
        _count(lexicon, found, (n for n, roles in grammar.roles.items() if roles & polite))
    _count(lexicon, found, lexicon.terms_of)
    return bytes(found)


def _count(lexicon: Lexicon, found: bytearray, numbers: Iterable[int]) -> None:
    for number in numbers:
        found[number] = min(len(lexicon.text(number).split()), 255)

"""Tells in a microsecond or two whether the marks of a text can come to anything.

Nearly all messages ask for nothing. So before a text is read, its marks are looked up here: without
a loud one (a term, or a word that some phrase starts from) there is nothing to read.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from keywords.grammar import MENTIONED, Grammar, stopping_roles
from keywords.lexicon import Lexicon
from keywords.pack import COMMON

_MOST = 12  # languages: words like "unsubscribe" are borrowed by many
_BESIDE = ("courtesy", "lead_in", "ask", "answer")


class _Use(NamedTuple):
    """What a word does in phrases; languages are bits."""

    starts: int = 0  # where a search for a phrase starts from it
    follows: int = 0  # where it is another word that such a phrase needs
    enough: int = 0  # where it is all that some phrase needs
    used: int = 0  # where some phrase needs it; for a word of the common pack nowhere else
    common: bool = False
    thing: int = 0  # where it is what a request is about
    stopping: int = 0  # where it is a word of stopping


class Sieve:
    """What each mark of a lexicon can start, by its number."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._grammars = list(lexicon.grammars.values())
        self._common = lexicon.bits.get(COMMON, 0)
        self._first_loud, self._first_term = lexicon.first_loud, lexicon.first_term
        self._first_odd = lexicon.first_odd
        self._owners = lexicon.owners
        self._terms = lexicon.terms_of
        self._phrased = dict(_phrased(lexicon))
        self._use_of = array("H")
        places: dict[_Use, int] = {_Use(): 0}  # most are alike: each is kept once
        for use in _uses(lexicon):
            self._use_of.append(places.setdefault(use, len(places)))
        self._uses = list(places)
        self._beside = bytes(_words_beside(lexicon))

    def is_quiet(self, numbers: list[int]) -> bool:
        """Tell whether a text with these marks, at least one, asks for nothing."""
        return max(numbers) < self._first_loud

    def is_odd(self, numbers: list[int]) -> bool:
        """Tell whether some word is written oddly."""
        return bool(numbers) and max(numbers) >= self._first_odd

    def bare(self, numbers: list[int]) -> int:
        """Return how many words a message of terms and courtesy may have; 0 if no term is there."""
        if max(numbers, default=0) < self._first_term or self._terms.keys().isdisjoint(numbers):
            return 0
        beside = self._beside
        return sum(beside[number] for number in numbers)

    def grammars(self, numbers: list[int], spoken: int = 0) -> list[Grammar]:
        """Return the languages whose phrases may be there; who knows most of the words first.

        `spoken` are the languages of the audience, as bits: they are never left out.
        """
        once = dict.fromkeys(numbers)  # a word said a hundred times is one word here
        uses, use_of = self._uses, self._use_of
        starts = follows = enough = one = two = common = 0
        used: list[int] = []
        for number in once:
            place = use_of[number]
            if place:
                use = uses[place]
                used.append(number)
                starts |= use.starts
                follows |= use.follows
                enough |= use.enough
                two |= one & use.used
                one |= use.used
                common += use.common
        # All phrases but a few need two words, and one of them is the language's own.
        maybe = starts & follows & (one if common else two)
        if common > 1:  # "stop die sms": small words tell the language
            maybe |= starts & follows & self._languages_of(once)
        found = self._allowing(maybe | enough, used, once, spoken) if maybe | enough else []
        if max(once, default=0) >= self._first_term:
            for number in once:
                found += (g for g in self._phrased.get(number, ()) if g not in found)
        return found

    def knowing(self, numbers: list[int], grammars: Iterable[Grammar]) -> list[Grammar]:
        """Return these languages, who knows most of the words first."""
        words = self._words_known(dict.fromkeys(numbers))
        return sorted(grammars, key=lambda grammar: -words[grammar.index])

    def mentions(self, numbers: list[int]) -> tuple[int, int]:
        """Return the languages that use one of these words, and those with words of both kinds.

        The kinds are what a request is about, and stopping: `keywords.mentioned`.
        """
        used = things = stopping = 0
        for number in numbers:
            place = self._use_of[number]
            if place:
                use = self._uses[place]
                used |= use.used | use.starts | use.follows
                things |= use.thing
                stopping |= use.stopping
        return used, things & stopping

    def _languages_of(self, numbers: Iterable[int]) -> int:
        """Return the languages that know most of these words, words of all languages apart."""
        words: Counter[int] = Counter()
        for number in numbers:
            owners = self._owners.of(number)
            if len(owners) < len(self._grammars):
                words.update(index for index, _ in owners)
        most = max(words.values(), default=0)
        return sum((1 << i for i, count in words.items() if count == most), self._common)

    def _words_known(self, numbers: Iterable[int]) -> Counter[int]:
        """Return how many of these words each language knows, by its index."""
        words: Counter[int] = Counter()
        for number in numbers:
            words.update(index for index, _ in self._owners.of(number))
        return words

    def _allowing(
        self, languages: int, used: list[int], numbers: Iterable[int], spoken: int
    ) -> list[Grammar]:
        """Return those of these languages in which the used words are all that a phrase needs."""
        roles: dict[int, int] = {}
        grammars, owners = self._grammars, self._owners.of
        for number in used:
            for index, place in owners(number):
                if languages >> index & 1:
                    roles[index] = roles.get(index, 0) | grammars[index].sets[place]
        found = [index for index, having in roles.items() if grammars[index].allows(having)]
        if len(found) > 1:
            words = self._words_known(numbers)
            found.sort(key=lambda index: (-(spoken >> index & 1), -words[index]))
        return [grammars[index] for index in found[:_MOST]]


def _uses(lexicon: Lexicon) -> Iterator[_Use]:
    grammars = list(lexicon.grammars.values())
    common = lexicon.grammars[COMMON].index if COMMON in lexicon.grammars else -1
    things = [grammar.mask(MENTIONED) for grammar in grammars]
    stops = [grammar.mask(stopping_roles(grammar)) for grammar in grammars]
    for number in range(len(lexicon.strings)):
        starts = follows = enough = used = thing = stopping = 0
        owners = lexicon.owners.of(number)
        shared = any(index == common for index, _ in owners)
        for index, place in owners:
            grammar, bit = grammars[index], 1 << index
            roles = grammar.sets[place]
            starts |= bit if roles & grammar.anchors else 0
            follows |= bit if roles & grammar.others else 0
            enough |= bit if roles & grammar.enough else 0
            thing |= bit if roles & things[index] else 0
            stopping |= bit if roles & stops[index] else 0
            if roles & grammar.used and (index == common or not shared):
                used |= bit
        is_used = bool(used or starts or follows or enough)
        yield _Use(starts, follows, enough, used, shared and is_used, thing, stopping)


def _phrased(lexicon: Lexicon) -> Iterator[tuple[int, list[Grammar]]]:
    """Yield the marks with terms that also count inside a longer message, and whose they are."""
    for number, terms in lexicon.terms_of.items():
        languages = [term.language for term in terms if term.anywhere]
        if languages:
            yield number, [lexicon.grammars[language] for language in languages]


def _words_beside(lexicon: Lexicon) -> Iterator[int]:
    """Yield by number how many words a mark accounts for in a message of terms and courtesy."""
    grammars = list(lexicon.grammars.values())
    polite = [grammar.mask(_BESIDE) for grammar in grammars]
    for number in range(len(lexicon.strings)):
        owners = lexicon.owners.of(number)
        beside = any(grammars[i].sets[place] & polite[i] for i, place in owners)
        if beside or number in lexicon.terms_of:
            yield min(len(lexicon.text(number).split()), 255)
        else:
            yield 0

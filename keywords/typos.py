"""Words of one letter wrong: which unmistakable word was meant."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator

from keywords.decision import Intent, Tier
from keywords.pack import Kind, Pack, Term

SHORTEST = 5  # letters; an error in a shorter word may make any other


class Typos:
    """The certain words that one error does not hide.

    Only unmistakable words of five letters and more: an error in "cancel" may be another word.
    """

    def __init__(self, packs: Iterable[Pack]) -> None:
        self._meant: dict[str, list[Term]] = defaultdict(list)
        self._others: set[str] = set()
        # One error leaves the first two letters as they are, or the last two.
        self._heads: set[tuple[int, str]] = set()
        self._tails: set[tuple[int, str]] = set()
        for pack in packs:
            self._others |= pack.not_typos
            # Where a sign is a word, one other sign makes another word.
            for term in pack.terms if pack.spaces else ():
                if _unmistakable(term):
                    self._add(term)

    def _add(self, term: Term) -> None:
        text = term.text
        for shorter in {text, *less_one(text)}:
            self._meant[shorter].append(term)
        for size in (len(text) - 1, len(text), len(text) + 1):
            self._heads.add((size, text[:2]))
            self._tails.add((size, text[-2:]))

    def meant(self, word: str) -> Term | None:
        """Return the term this word is, but for one letter wrong, missing, extra or swapped."""
        size = len(word)
        if (size, word[:2]) not in self._heads and (size, word[-2:]) not in self._tails:
            return None
        if word in self._others:
            return None
        for shorter in (word, *less_one(word)):
            for term in self._meant.get(shorter, ()):
                if near(word, term.text):
                    return term
        return None


def _unmistakable(term: Term) -> bool:
    sure = term.tier is Tier.CERTAIN and term.intent is Intent.OPT_OUT and not term.local
    # An abbreviation is often an error already.
    sure = sure and term.kind is Kind.WORD
    return sure and len(term.text) >= SHORTEST and is_word(term.text)


def is_word(text: str) -> bool:
    """Tell whether it is letters only; vowel signs of the Indic scripts are marks, not letters."""
    return all(unicodedata.category(letter)[0] in "LM" for letter in text)


def less_one(word: str) -> Iterator[str]:
    """Yield the word without its first letter, without its second, and so on."""
    return (word[:i] + word[i + 1 :] for i in range(len(word)))


def near(one: str, two: str) -> bool:
    """Tell whether two words differ by one letter wrong, missing, extra, or two swapped."""
    if abs(len(one) - len(two)) > 1:
        return False
    start = 0
    while start < min(len(one), len(two)) and one[start] == two[start]:
        start += 1
    rest, other = one[start:], two[start:]
    if len(one) != len(two):
        return rest[1:] == other or rest == other[1:]
    swapped = rest[:2] == other[:2][::-1] and rest[2:] == other[2:]
    return rest[1:] == other[1:] or swapped

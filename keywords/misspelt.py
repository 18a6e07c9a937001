"""Words of phrases with one letter wrong: "stop sendng me mesages".

Only in the languages that the audience speaks, and only for words that no pack knows: so few texts
are looked at, and what is found in them is at most likely. Where one letter makes "remove me" of
"don't remove me", as in the languages that deny inside the verb, verbs are left alone.
"""

import re
from collections.abc import Iterable

from keywords.grammar import Grammar
from keywords.guards import GUARDS, THINGS
from keywords.lexicon import Lexicon
from keywords.normalize import Normalized, respelt
from keywords.typos import SHORTEST, is_word, less_one, near

_WORD = re.compile(r"\S+")
_MOST_WORDS = 30


class _Words:
    """The words of one language that phrases need."""

    def __init__(self, words: Iterable[str]) -> None:
        self.meant: dict[str, tuple[str, ...]] = {}
        # One error leaves the first half as it is, or the last.
        self._ends: set[tuple[int, str, bool]] = set()
        for word in words:
            if len(word) < SHORTEST or not is_word(word):
                continue
            for shorter in {word, *less_one(word)}:
                self.meant[shorter] = (*self.meant.get(shorter, ()), word)
            for size in (len(word) - 1, len(word), len(word) + 1):
                half = (size - 1) // 2
                self._ends.add((size, word[:half], True))
                self._ends.add((size, word[-half:], False))

    def may_be(self, word: str) -> bool:
        """Tell whether a word begins or ends as one of them, and is as long."""
        size = len(word)
        if size < SHORTEST:
            return False
        half, ends = (size - 1) // 2, self._ends
        return (size, word[:half], True) in ends or (size, word[-half:], False) in ends


class Misspelt:
    """The words of phrases, by what one error makes of them; made for each language once."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._words_of: dict[str, _Words] = {}

    def may_be_in(self, folded: str, grammar: Grammar) -> bool:
        """Tell in a microsecond or two whether a word of a folded text may be one of them."""
        words = folded.split()
        return len(words) <= _MOST_WORDS and any(map(self._of(grammar).may_be, words))

    def mended(self, normal: Normalized, grammar: Grammar) -> Normalized | None:
        """Return the text with words of phrases put right, None if there are none to put right."""
        better: dict[tuple[int, int], str] = {}
        for word in _WORD.finditer(normal.text):
            meant = self._meant(word[0], grammar)
            if meant is not None:
                better[word.span()] = meant
        return respelt(normal, better) if better else None

    def _meant(self, word: str, grammar: Grammar) -> str | None:
        words = self._of(grammar)
        if not words.may_be(word) or not is_word(word) or word in self._lexicon.known:
            return None
        for shorter in (word, *less_one(word)):
            for candidate in words.meant.get(shorter, ()):
                if near(word, candidate):
                    return candidate
        return None

    def _of(self, grammar: Grammar) -> _Words:
        if grammar.language not in self._words_of:
            roles = grammar.mask(_mendable(grammar))
            self._words_of[grammar.language] = _Words(self._lexicon.words_with(grammar, roles))
        return self._words_of[grammar.language]


def _mendable(grammar: Grammar) -> set[str]:
    """Return the roles whose words are put right."""
    if any(role.startswith("dont_") for role in grammar.bits):
        return set(THINGS)
    verbs = grammar.bits.keys() - GUARDS - {"dont", "want"}
    return {role for role in verbs if grammar.mask((role,)) & grammar.used} | {"stop", *THINGS}

"""Words of phrases with one letter wrong: "stop sendng me mesages".

Only in the languages that the audience speaks, and only for words that no pack knows: so few texts
are looked at, and what is found in them is at most likely. Where one letter makes "remove me" of
"don't remove me", as in the languages that deny inside the verb, verbs are left alone.
"""

import re
from collections.abc import Mapping

from keywords.grammar import Grammar
from keywords.guards import GUARDS, THINGS
from keywords.lexicon import Lexicon
from keywords.normalize import Normalized, respelt
from keywords.typos import SHORTEST, is_word, less_one, near

_WORD = re.compile(r"\S+")
_MOST_WORDS = 30


class Misspelt:
    """The words of phrases, by what one error makes of them; made for each language once."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._meant: dict[str, Mapping[str, tuple[str, ...]]] = {}

    def mended(self, normal: Normalized, grammar: Grammar) -> Normalized | None:
        """Return the text with words of phrases put right, None if there are none to put right."""
        better: dict[tuple[int, int], str] = {}
        for place, word in enumerate(_WORD.finditer(normal.text)):
            if place == _MOST_WORDS:
                return None
            meant = self._word(word[0], grammar)
            if meant is not None:
                better[word.span()] = meant
        return respelt(normal, better) if better else None

    def _word(self, word: str, grammar: Grammar) -> str | None:
        if len(word) < SHORTEST or not is_word(word) or word in self._lexicon.known:
            return None
        meant = self._meant_in(grammar)
        for shorter in (word, *less_one(word)):
            for candidate in meant.get(shorter, ()):
                if near(word, candidate):
                    return candidate
        return None

    def _meant_in(self, grammar: Grammar) -> Mapping[str, tuple[str, ...]]:
        if grammar.language not in self._meant:
            found: dict[str, tuple[str, ...]] = {}
            for word in self._lexicon.words_with(grammar, grammar.mask(_mendable(grammar))):
                if len(word) >= SHORTEST and is_word(word):
                    for shorter in {word, *less_one(word)}:
                        found[shorter] = (*found.get(shorter, ()), word)
            self._meant[grammar.language] = found
        return self._meant[grammar.language]


def _mendable(grammar: Grammar) -> set[str]:
    """Return the roles whose words are put right."""
    if any(role.startswith("dont_") for role in grammar.bits):
        return set(THINGS)
    verbs = grammar.bits.keys() - GUARDS - {"dont", "want"}
    return {role for role in verbs if grammar.mask((role,)) & grammar.used} | {"stop", *THINGS}

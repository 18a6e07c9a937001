"""All strings we look for, by number, and the automata that find them in one pass over a text.

More than a hundred thousand of them: so no Python object is kept for any, and the automata are
their index. pyahocorasick tries the letters that may follow one after the other. That is quick for
an alphabet and slow for the thousands of signs of Chinese, so words of scripts without spaces have
an automaton of their own, over hexadecimal digits: at most sixteen of them can follow.
"""

import re
from array import array
from collections import Counter
from collections.abc import Sequence

import ahocorasick

from keywords.normalize import UNSPACED

_NOBODYS = "\ufdd1"  # a letter that no folded text has
_DIGITS = 4  # of a letter
_BEYOND = re.compile("[\U00010000-\U0010ffff]")  # letters that would take eight


class Strings:
    """Numbered strings, all different, that texts can be searched for."""

    def __init__(self, strings: Sequence[str]) -> None:
        self._all = bytearray()  # UTF-8, one after the other
        self._ends = array("L")
        for string in strings:
            self._all += string.encode()
            self._ends.append(len(self._all))
        self._spaced = ahocorasick.Automaton(ahocorasick.STORE_INTS)
        self._unspaced = ahocorasick.Automaton(ahocorasick.STORE_INTS)
        for number in _frequent_first(strings):
            string = strings[number]
            if UNSPACED.match(string):
                self._unspaced.add_word(_digits(string), number)
            else:
                self._spaced.add_word(string, number)
        for automaton in (self._spaced, self._unspaced):
            if len(automaton) == 0:
                automaton.add_word(_NOBODYS, len(strings))  # an empty one can't search
            automaton.make_automaton()

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, number: int) -> str:
        start = self._ends[number - 1] if number else 0
        return self._all[start : self._ends[number]].decode()

    def find(self, string: str) -> int:
        """Return the number of this string, -1 if it has none."""
        if UNSPACED.match(string):
            return int(self._unspaced.get(_digits(string), -1))
        return int(self._spaced.get(string, -1))

    def hits(self, folded: str) -> list[tuple[int, int]]:
        """Return what is found in a folded text: the place of the last letter, and the number."""
        found = list(self._spaced.iter(folded))
        if not folded.isascii() and UNSPACED.search(folded):
            for last, number in self._unspaced.iter(_digits(folded)):
                place, digit = divmod(last, _DIGITS)
                if digit == _DIGITS - 1:  # else it begins and ends inside letters
                    found.append((place, number))
        return found


def _digits(text: str) -> str:
    """Return the text as hexadecimal digits, four for each letter."""
    return _BEYOND.sub(_NOBODYS, text).encode("utf-16-be").hex()


def _frequent_first(strings: Sequence[str]) -> list[int]:
    """Return the numbers in the order to add them: a node tries its letters in the order added."""
    count = Counter(letter for string in strings for letter in string)
    rank = {letter: place for place, (letter, _) in enumerate(count.most_common())}
    return sorted(range(len(strings)), key=lambda n: [rank[letter] for letter in strings[n]])

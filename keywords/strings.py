"""All strings we look for, by number, and the automata that find them in one pass over a text.

Tens of thousands of them: so no Python object is kept for any, and the automata are their index.
Words of scripts without spaces have an automaton of their own: their thousands of first letters
would stand in the way of every letter of all other texts.
"""

from array import array

import ahocorasick

from keywords.normalize import UNSPACED

_NOBODYS = "\ufdd1"  # a letter that no folded text has: an empty automaton can't search


class Strings:
    """Numbered strings; after `finish` none can be added, and texts can be searched."""

    def __init__(self) -> None:
        self._spaced = ahocorasick.Automaton(ahocorasick.STORE_INTS)
        self._unspaced = ahocorasick.Automaton(ahocorasick.STORE_INTS)
        self._all = bytearray()  # UTF-8, one after the other
        self._ends = array("L")

    def __len__(self) -> int:
        return len(self._ends)

    def add(self, string: str) -> int:
        """Return the number of this string, a new one if it has none."""
        automaton = self._unspaced if UNSPACED.match(string) else self._spaced
        number = int(automaton.get(string, -1))
        if number < 0:
            number = len(self._ends)
            automaton.add_word(string, number)
            self._all += string.encode()
            self._ends.append(len(self._all))
        return number

    def find(self, string: str) -> int:
        """Return the number of this string, -1 if it has none."""
        automaton = self._unspaced if UNSPACED.match(string) else self._spaced
        return int(automaton.get(string, -1))

    def __getitem__(self, number: int) -> str:
        start = self._ends[number - 1] if number else 0
        return self._all[start : self._ends[number]].decode()

    def finish(self) -> None:
        """Make the automata ready to search."""
        for automaton in (self._spaced, self._unspaced):
            if len(automaton) == 0:
                automaton.add_word(_NOBODYS, len(self._ends))
            automaton.make_automaton()

    def hits(self, folded: str) -> list[tuple[int, int]]:
        """Return what is found in a folded text: the place of the last letter, and the number."""
        found = list(self._spaced.iter(folded))
        if not folded.isascii() and UNSPACED.search(folded):
            found += self._unspaced.iter(folded)
        return found

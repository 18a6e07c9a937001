"""A text that is nothing but one term, as most requests are: looked up, not read."""

from collections.abc import Iterator
from typing import NamedTuple

from keywords.case import HARD_STOPS, QUESTION_MARKS, Audience, Case, Reading, strength
from keywords.decision import Intent
from keywords.lexicon import Lexicon
from keywords.normalize import Normalized, normalize
from keywords.pack import Term
from keywords.whole import bare_reading

_ENDS = HARD_STOPS | QUESTION_MARKS


class _Known(NamedTuple):
    terms: tuple[Term, ...]
    settled: bool  # no phrase of any language is in it, so there is nothing else to read
    splits: frozenset[str]  # signs that make more of the text than this term


class Bare:
    """The terms that can be the whole message, by their text as it is matched."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._known = dict(self._entries())

    def readings(
        self, text: str, folded: str, audience: Audience
    ) -> tuple[Normalized, list[Reading]] | None:
        """Return what a text that is one term means; None if it takes a closer look."""
        key = folded.strip(" ")
        known = self._known.get(key)
        if known is None or not known.splits.isdisjoint(text):
            return None
        strong = [(t, strength(self._lexicon, audience, t)) for t in known.terms]
        if not any(level == 2 and t.intent is Intent.OPT_OUT for t, level in strong) and not (
            known.settled and any(level > (t.intent is Intent.OPT_IN) for t, level in strong)
        ):
            return None
        normal = normalize(text, ())
        start = normal.text.index(key)
        return normal, [
            bare_reading(t, level, start, start + len(key))
            for t, level in strong
            if level > (t.intent is Intent.OPT_IN)  # a likely opt-in is none
        ]

    def _entries(self) -> Iterator[tuple[str, _Known]]:
        lexicon, sieve = self._lexicon, self._lexicon.sieve
        for key in {mark.text for mark in lexicon.marks if mark.terms}:
            folded = f" {key} "
            hits = list(lexicon.automaton.iter(folded))
            numbers = [number for _, number in hits]
            normal = Normalized(folded, range(-1, len(key) + 1), key)
            case = Case(lexicon, normal, Audience(), hits)
            first = next((f for f in case.at.get(1, ()) if f.mark.fits), None)
            if first is None or first.end != len(folded) - 1 or not first.mark.terms:
                continue
            if normalize(key, lexicon.known).text != folded:
                continue  # read as another word once mended
            # In one word no sign can be; between two words it would part them.
            splits = _ENDS if " " in key else QUESTION_MARKS
            settled = not sieve.grammars(numbers)
            yield key, _Known(first.mark.terms, settled, splits)

"""A text that is nothing but one term, as most requests are: looked up, not read."""

from typing import NamedTuple

from keywords.case import Audience, Case, Reading, strength
from keywords.decision import Intent
from keywords.lexicon import Lexicon
from keywords.normalize import HARD_STOPS, QUESTION_MARKS, Normalized, normalize
from keywords.pack import Term
from keywords.sieve import Sieve
from keywords.whole import bare_reading

_ENDS = HARD_STOPS | QUESTION_MARKS


class _Known(NamedTuple):
    terms: tuple[Term, ...]
    settled: bool  # no phrase of any language is in it, so there is nothing else to read
    splits: frozenset[str]  # signs that make more of the text than this term


class Bare:
    """The terms that can be the whole message, by their text as it is matched."""

    def __init__(self, lexicon: Lexicon, sieve: Sieve) -> None:
        self._lexicon = lexicon
        self._sieve = sieve
        self._numbers = {lexicon.text(number): number for number in lexicon.terms_of}
        self._known: dict[str, _Known | None] = {}

    def readings(
        self, text: str, folded: str, audience: Audience
    ) -> tuple[Normalized, list[Reading]] | None:
        """Return what a text that is one term means; None if it takes a closer look."""
        key = folded.strip(" ")
        if key not in self._numbers:
            return None
        if key not in self._known:
            self._known[key] = self._looked_at(key)
        known = self._known[key]
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

    def _looked_at(self, key: str) -> _Known | None:
        """Return what is known of a term that is the whole text; None if it is read otherwise."""
        folded = f" {key} "
        hits = self._lexicon.hits(folded)
        normal = Normalized(folded, range(-1, len(key) + 1), key)
        case = Case(self._lexicon, normal, Audience(), hits)
        first = next((f for f in case.at.get(1, ()) if f.mark.fits), None)
        if first is None or first.end != len(folded) - 1 or not first.mark.terms:
            return None
        if normalize(key, self._lexicon.known, self._lexicon.sure).text != folded:
            return None  # read as another word once mended
        # In one word no sign can be; between two words it would part them.
        splits = _ENDS if " " in key else QUESTION_MARKS
        settled = not self._sieve.grammars([number for _, number in hits])
        return _Known(first.mark.terms, settled, splits)

"""The entry point: which request the words of one message make, and how sure we are."""

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from consent.model import Surface
from keywords import intent
from keywords.bare import Bare
from keywords.case import Audience, Case
from keywords.decision import NOTHING, Decision, Intent, Tier
from keywords.kept import load_lexicon
from keywords.lexicon import Lexicon
from keywords.normalize import Normalized, fold, normalize
from keywords.pack import PACKS, Term, matched
from keywords.sieve import Sieve
from keywords.typos import SHORTEST
from keywords.whole import bare_reading, whole

_TEXT = Surface.TEXT  # a global is found faster than a member of an enumeration
_SPOKEN = frozenset({Surface.TEXT, Surface.CAPTION, Surface.FORM})
_LABELS = frozenset({Surface.BUTTON, Surface.LIST_ROW})
_VALUES = frozenset({Surface.BUTTON_PAYLOAD, Surface.LIST_ROW_ID})
_LONG = 400  # characters: a longer text tells of something, whatever else it says
_SENTENCES = re.compile(r"[.!?\n।؟۔…|]\s*\S")
_ENDS = re.compile(r"[.!?\n؟۔।…|]+")
_TYPO_WORDS = 4
_TYPO_LETTERS = 40


class Matcher:
    """Decides what one text asks for, by the packs it was made from."""

    def __init__(self, lexicon: Lexicon, digest: str) -> None:
        self.lexicon = lexicon
        self.version = lexicon.version
        self.digest = digest
        self._hits = lexicon.strings.hits
        self.sieve = Sieve(lexicon)
        self._is_quiet = self.sieve.loud.isdisjoint
        self._bare = Bare(lexicon, self.sieve)

    def decide(
        self,
        text: str,
        *,
        surface: Surface = Surface.TEXT,
        languages: Collection[str] = (),
        country: str | None = None,
    ) -> Decision:
        """Return what the text asks for; never raises, whatever the string.

        `languages` are those the app serves (BCP 47), `country` the contact's (ISO alpha-2, "US"
        for all of calling code 1). A word that means other things elsewhere acts only where one
        of them fits; with neither given it is at most likely.
        """
        if surface is not _TEXT and surface not in _SPOKEN:
            if surface not in _LABELS and surface not in _VALUES:
                return NOTHING
            # "Cancel" on a button is the app's own word: no country makes it certain.
            return self._chosen(text, surface, _audience(tuple(languages), None))
        if len(text) > _LONG:
            return self._long(text, _audience(tuple(languages), country))
        folded = fold(text)
        hits = self._hits(folded)
        numbers = [number for _, number in hits]
        if not numbers or self._is_quiet(numbers):
            return self._quiet(text, folded)
        audience = _audience(tuple(languages), country)
        bare = self._bare.readings(text, folded, audience)
        if bare is not None:
            normal, readings = bare
            return intent.choose(readings, normal, self.lexicon, audience)
        decision = self._considered(text, folded, hits, audience, phrased=True)
        if decision is NOTHING and len(folded) <= _TYPO_LETTERS:
            return self._mistyped(text, folded)
        return decision

    def _quiet(self, text: str, folded: str) -> Decision:
        """Return what a text without any word of ours asks for: at most it is one, mistyped."""
        if len(folded) > _TYPO_LETTERS or folded.count(" ") > _TYPO_WORDS + 2:
            return NOTHING
        return self._mistyped(text, folded)

    def _considered(
        self,
        text: str,
        folded: str,
        hits: list[tuple[int, int]],
        audience: Audience,
        *,
        phrased: bool,
    ) -> Decision:
        """Return what a text asks for: as a bare term and, if `phrased`, by its phrases."""
        sieve, known = self.sieve, self.lexicon.known
        numbers = [number for _, number in hits]
        normal: Normalized | None = None
        if sieve.is_odd(numbers) or "  " in text or "\n" in text:
            normal = normalize(text, known)  # words may have been mended, so look again
            folded = normal.text
            hits = self._hits(folded)
            numbers = [number for _, number in hits]
        alone = self._may_be_bare(folded, numbers) or self._has_bare_sentence(text, numbers)
        grammars = None if alone else sieve.grammars(numbers)
        if not alone and not grammars:
            return NOTHING
        normal = normal or normalize(text, known)
        if normal.text != folded:
            hits = self._hits(normal.text)
        case = Case(self.lexicon, normal, audience, hits)
        readings = whole(case) if alone else []
        if phrased and not intent.says_stop(readings):
            grammars = sieve.grammars(numbers) if grammars is None else grammars
            readings += intent.spoken(case, grammars)
        return intent.choose(readings, normal, self.lexicon, audience)

    def _may_be_bare(self, folded: str, numbers: list[int]) -> bool:
        """Tell whether a text has as many words as its terms and courtesy have; signs are none."""
        bare = self.sieve.bare(numbers)
        return bare > 0 and bare >= _words(folded)

    def _has_bare_sentence(self, text: str, numbers: list[int]) -> bool:
        """Tell whether one of several sentences may be a term and courtesy."""
        if not self.sieve.bare(numbers) or not _SENTENCES.search(text):
            return False
        for sentence in _ENDS.split(text):
            folded = fold(sentence)
            found = [number for _, number in self._hits(folded)]
            if found and self._may_be_bare(folded, found):
                return True
        return False

    def _long(self, text: str, audience: Audience) -> Decision:
        """Return what a long text asks for: read in stretches, and never certain."""
        letters = 0
        seen: set[str] = set()  # what is pasted again and again is read once
        for start, stretch in _stretches(text):
            if stretch in seen:
                continue
            seen.add(stretch)
            folded = fold(stretch)
            letters += len(folded) - 2
            hits = self._hits(folded)
            numbers = [number for _, number in hits]
            if not numbers or self._is_quiet(numbers):
                continue
            grammars = self.sieve.grammars(numbers)
            if not grammars:
                continue
            normal = normalize(stretch, ())
            if normal.text != folded:
                hits = self._hits(normal.text)
            case = Case(self.lexicon, normal, audience, hits)
            readings = [r for r in intent.spoken(case, grammars) if r.level > 1]
            found = intent.choose(readings, normal, self.lexicon, audience)
            if found is not NOTHING:
                if not self._is_loud(text):
                    break  # a cut made a word of a piece of another
                span = (start + found.span[0], start + found.span[1])
                return replace(found, tier=Tier.LIKELY, span=span)
        if letters > _TYPO_LETTERS or self._is_loud(text):
            return NOTHING
        return self._quiet(text, fold(text))  # long by invisible characters only

    def _is_loud(self, text: str) -> bool:
        return any(number in self.sieve.loud for _, number in self._hits(fold(text)))

    def _chosen(self, text: str, surface: Surface, audience: Audience) -> Decision:
        """Return what a tapped button or list row asks for: nothing on its label is a guess.

        "Start" on a button starts a chat, so only labels and values made for it opt in.
        """
        exact = matched(text)
        tables = [self.lexicon.labels]
        if surface in _VALUES:
            tables.insert(0, self.lexicon.payloads)
        for table in tables:
            term = table.get(exact)
            if term is not None:
                return _decision_of(term, text)
        spoken = surface not in _VALUES
        folded = fold(text)
        hits = self._hits(folded)
        decision = self._considered(text, folded, hits, audience, phrased=spoken)
        sure = decision.tier is Tier.CERTAIN and decision.intent is not Intent.OPT_IN
        return decision if sure else NOTHING

    def _mistyped(self, text: str, folded: str) -> Decision:
        """Return the request of a message that is one unmistakable word with one error in it."""
        if "?" in text:
            return NOTHING
        polite, alone = self.lexicon.polite, ""
        for word in folded.split():
            if word not in polite:
                if alone:
                    return NOTHING
                alone = word
        term = self.lexicon.typos.meant(alone) if len(alone) >= SHORTEST else None
        if term is None:
            return NOTHING
        normal = normalize(text, ())
        start = max(normal.text.find(alone), 0)
        level = 2 if len(term.text) >= 8 else 1
        reading = bare_reading(term, level, start, start + len(alone))
        return intent.choose([reading], normal, self.lexicon, Audience())


def _stretches(text: str) -> Iterator[tuple[int, str]]:
    """Yield pieces of a long text and where they begin, cut where a sentence or a word ends."""
    start = 0
    while start < len(text):
        piece = text[start : start + _LONG]
        if start + _LONG < len(text):
            cut = max(piece.rfind(sign) for sign in ".!?\n।؟") + 1
            piece = piece[: cut or piece.rfind(" ") + 1 or _LONG]
        yield start, piece
        start += len(piece)


def _words(folded: str) -> int:
    """Return how many words it has, emoji apart."""
    return sum(len(word) > 1 or word.isalnum() for word in folded.split())


def _decision_of(term: Term, text: str) -> Decision:
    return Decision(
        intent=term.intent,
        tier=term.tier,
        switch=term.switch,
        term=term.say,
        language=term.language,
        span=(0, len(text)),
    )


@lru_cache(maxsize=1024)
def _audience(languages: tuple[str, ...], country: str | None) -> Audience:
    return Audience.of(languages, country)


def load_matcher(folder: Path = PACKS) -> Matcher:
    """Return a matcher over the packs of a folder. Raises BadPack if one of them is no good."""
    lexicon, digest = load_lexicon(folder)
    return Matcher(lexicon, digest)

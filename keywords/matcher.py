"""The entry point: which request the words of one message make, and how sure we are."""

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from consent.model import Surface
from keywords import intent, mentioned
from keywords.bare import Bare
from keywords.case import Audience, Case
from keywords.decision import NOTHING, Decision, Intent, Tier
from keywords.grammar import Grammar
from keywords.kept import load_lexicon
from keywords.lexicon import Lexicon
from keywords.making import make_lexicon
from keywords.misspelt import Misspelt
from keywords.normalize import Normalized, fold, normalize
from keywords.pack import PACKS, Pack, Term, matched
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
# Of a long text: so many sentences are looked at closely, in so many languages.
_MOST_LOOKS = 4
_MOST_LANGUAGES = 2
_DENIED = Decision()  # phrases were found, and the words around them say that it asks for nothing
_AUDIENCES = 1024  # remembered
_TYPO_WORDS = 4
_TYPO_LETTERS = 40
_NEARLY_LETTERS = 120
_MOST_NEARLY = 3  # languages in which spelling is looked at


class Matcher:
    """Decides what one text asks for, by the packs it was made from."""

    def __init__(self, lexicon: Lexicon, sieve: Sieve, digest: str) -> None:
        self.lexicon = lexicon
        self.version = lexicon.version
        self.digest = digest
        self._hits = lexicon.strings.hits
        self.sieve = sieve
        self._bare = Bare(lexicon, self.sieve)
        self._misspellings = Misspelt(lexicon)
        self._spoken_by: dict[Audience, int] = {}
        self._served_by: dict[Audience, list[Grammar]] = {}

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
        if not numbers or self.sieve.is_quiet(numbers):
            return self._quiet(text, folded)
        audience = _audience(tuple(languages), country)
        if self.sieve.bare(numbers):
            bare = self._bare.readings(text, folded, audience)
            if bare is not None:
                normal, readings = bare
                return intent.choose(readings, normal, self.lexicon, audience)
        decision = self._considered(text, folded, hits, audience, phrased=True)
        if decision is NOTHING and len(folded) <= _TYPO_LETTERS:
            decision = self._mistyped(text, folded)
        if decision is NOTHING and audience.known and len(folded) <= _NEARLY_LETTERS:
            decision = self._nearly(text, folded, hits, audience)
        return NOTHING if decision is _DENIED else decision

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
        sieve = self.sieve
        numbers = [number for _, number in hits]
        normal: Normalized | None = None
        if sieve.is_odd(numbers) or "  " in text or "\n" in text:
            normal = self._mended(text)  # words may have been mended, so look again
            folded = normal.text
            hits = self._hits(folded)
            numbers = [number for _, number in hits]
        bare = sieve.bare(numbers)
        alone = bare > 0 and (bare >= _words(folded) or self._has_bare_sentence(text))
        spoken = self._spoken(audience)
        grammars = None if alone else sieve.grammars(numbers, spoken)
        if not alone and not grammars:
            return NOTHING
        # Nothing written oddly is looked for in other alphabets unless a sure word betrays itself.
        normal = normal or (self._mended(text) if text.isascii() else normalize(text, ()))
        if normal.text != folded:
            hits = self._hits(normal.text)
        case = Case(self.lexicon, normal, audience, hits)
        readings = whole(case) if alone else []
        if phrased and not intent.says_stop(readings):
            grammars = sieve.grammars(numbers, spoken) if grammars is None else grammars
            readings += intent.spoken(case, grammars)
        found = intent.choose(readings, normal, self.lexicon, audience)
        return _DENIED if readings and found is NOTHING else found

    def _spoken(self, audience: Audience) -> int:
        """Return the languages to look at first, as bits: of the audience, else English."""
        known = self._spoken_by.get(audience)
        if known is None:
            known = audience.bits(self.lexicon) or self.lexicon.bits.get("en", 0)
            if len(self._spoken_by) < _AUDIENCES:
                self._spoken_by[audience] = known
        return known

    def _served(self, audience: Audience) -> list[Grammar]:
        """Return the languages that the audience is known to write."""
        known = self._served_by.get(audience)
        if known is None:
            known = audience.grammars(self.lexicon)
            if len(self._served_by) < _AUDIENCES:
                self._served_by[audience] = known
        return known

    def _mended(self, text: str) -> Normalized:
        return normalize(text, self.lexicon.known, self.lexicon.sure)

    def _nearly(
        self, text: str, folded: str, hits: list[tuple[int, int]], audience: Audience
    ) -> Decision:
        """Return what a text nearly asks for, in the languages of the audience: at most likely."""
        numbers = [number for _, number in hits]
        used, both = self.sieve.mentions(numbers)
        served = [g for g in self._served(audience) if used >> g.index & 1]
        if len(served) > _MOST_NEARLY:
            served = self.sieve.knowing(numbers, served)[:_MOST_NEARLY]
        for grammar in served:
            if self._misspellings.may_be_in(folded, grammar):
                found = self._misspelt(text, grammar, audience)
                if found is not NOTHING:
                    return found
        served = [g for g in served if both >> g.index & 1]
        if served:
            return self._mentioned(text, folded, hits, served, audience)
        return NOTHING

    def _misspelt(self, text: str, grammar: Grammar, audience: Audience) -> Decision:
        """Return what a text asks for by phrases with a word misspelt."""
        normal = self._misspellings.mended(normalize(text, ()), grammar)
        if normal is None:
            return NOTHING
        hits = self._hits(normal.text)
        numbers = [number for _, number in hits]
        if grammar not in self.sieve.grammars(numbers, self._spoken(audience)):
            return NOTHING
        case = Case(self.lexicon, normal, audience, hits)
        readings = [
            reading._replace(level=reading.level - 1) for reading in intent.spoken(case, [grammar])
        ]
        return intent.choose(readings, normal, self.lexicon, audience)

    def _mentioned(
        self,
        text: str,
        folded: str,
        hits: list[tuple[int, int]],
        grammars: list[Grammar],
        audience: Audience,
    ) -> Decision:
        """Return a likely stop if words of stopping and of messages stand in one short text."""
        normal = normalize(text, ())
        if normal.text != folded:
            hits = self._hits(normal.text)
        case = Case(self.lexicon, normal, audience, hits)
        for grammar in grammars:
            readings = mentioned.mentioned(case, grammar)
            if readings:
                return intent.choose(readings, normal, self.lexicon, audience)
        return NOTHING

    def _has_bare_sentence(self, text: str) -> bool:
        """Tell whether one of several sentences may be a term and courtesy."""
        if not _SENTENCES.search(text):
            return False
        for sentence in _ENDS.split(text):
            folded = fold(sentence)
            bare = self.sieve.bare([number for _, number in self._hits(folded)])
            if bare > 0 and bare >= _words(folded):
                return True
        return False

    def _long(self, text: str, audience: Audience) -> Decision:
        """Return what a long text asks for: read sentence by sentence, and never certain."""
        letters = looks = 0
        for start, sentence in _sentences(text):
            folded = fold(sentence)
            letters += len(folded) - 2
            grammars = self._grammars_in(folded, audience) if looks < _MOST_LOOKS else []
            if not grammars:
                continue
            looks += 1
            found = self._phrase_in(sentence, grammars, audience)
            if found is not NOTHING:
                if not self._is_loud(text):
                    return NOTHING  # a cut made a word of a piece of another
                span = (start + found.span[0], start + found.span[1])
                return replace(found, tier=Tier.LIKELY, span=span)
        if letters > _TYPO_LETTERS or self._is_loud(text):
            return NOTHING
        return self._quiet(text, fold(text))  # long by invisible characters only

    def _grammars_in(self, folded: str, audience: Audience) -> list[Grammar]:
        numbers = [number for _, number in self._hits(folded)]
        if not numbers or self.sieve.is_quiet(numbers):
            return []
        return self.sieve.grammars(numbers, self._spoken(audience))

    def _phrase_in(self, sentence: str, grammars: list[Grammar], audience: Audience) -> Decision:
        """Return what the certain phrases of a sentence of a long text ask for."""
        normal = normalize(sentence, ())
        case = Case(self.lexicon, normal, audience, self._hits(normal.text))
        readings = intent.spoken(case, grammars, most=_MOST_LANGUAGES)
        sure = [reading for reading in readings if reading.level > 1]
        return intent.choose(sure, normal, self.lexicon, audience)

    def _is_loud(self, text: str) -> bool:
        numbers = [number for _, number in self._hits(fold(text))]
        return bool(numbers) and not self.sieve.is_quiet(numbers)

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


def _sentences(text: str) -> Iterator[tuple[int, str]]:
    """Yield the sentences of a text and where they begin, with the signs that end them.

    One that does not end is cut between two words.
    """
    start = 0
    while start < len(text):
        end = _ENDS.search(text, start, start + _LONG)
        if end is not None:
            stop = end.end()
        elif start + _LONG < len(text):
            stop = text.rfind(" ", start, start + _LONG) + 1 or start + _LONG
        else:
            stop = len(text)
        yield start, text[start:stop]
        start = stop


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


@lru_cache(maxsize=_AUDIENCES)
def _audience(languages: tuple[str, ...], country: str | None) -> Audience:
    return Audience.of(languages, country)


def load_matcher(folder: Path = PACKS) -> Matcher:
    """Return a matcher over the packs of a folder. Raises BadPack if one of them is no good."""
    lexicon, sieve, digest = load_lexicon(folder)
    return Matcher(lexicon, sieve, digest)


def make_matcher(packs: list[Pack], digest: str = "") -> Matcher:
    """Return a matcher over these packs. Raises BadPack for a phrase that can't work."""
    lexicon = make_lexicon(packs)
    return Matcher(lexicon, Sieve(lexicon), digest)

"""A phrase inside a text, and what the guards leave of it there."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from consent.model import Switch
from keywords.case import DENIED, TIERS, Case, Found, Reading, strength
from keywords.decision import Intent
from keywords.grammar import Grammar
from keywords.guards import DENYING, FOREIGN_COURTESY, NEAR, OTHER, Guards, doubts

_CLEARLY = 4  # letters; a shorter word of courtesy is anything in another language
_MATCHES = 8  # of one pattern in one text; more of the same says no more
_QUOTES = frozenset("\"'“”„«»‘’‹›「」`")


@dataclass(slots=True)
class Sentence:
    """A text as one language reads it: a letter for each word or pause, and where it stands."""

    letters: str
    spans: list[tuple[int, int]]
    # Doubts and switch by the words around a phrase: a text of a thousand "stop" has few of them.
    weighed: dict[tuple[str, int, int], tuple[int, Switch]] = field(default_factory=dict)

    def between(self, first: int, last: int) -> tuple[int, int]:
        """Return where the words from the first to before the last stand in the matched text."""
        return self.spans[first][0], self.spans[last - 1][1]


def sentence_of(case: Case, grammar: Grammar) -> Sentence:
    """Return the text as this language reads it, the longest known words first."""
    text, pauses = case.normal.text, case.pauses
    letters: list[str] = []
    spans: list[tuple[int, int]] = []
    at, close = 1, len(text) - 1
    while at < close:
        if text[at] == " ":
            at += 1
            continue
        if at in pauses:
            pause, begin = pauses[at]
            letters.append(pause)
            spans.append((begin, at))
        letter, end = _word(case, grammar, at)
        if letter:
            letters.append(letter)
            spans.append((at, end))
        at = end
    if len(text) in pauses:
        pause, begin = pauses[len(text)]
        letters.append(pause)
        spans.append((begin, close))
    return Sentence("".join(letters), spans)


def _word(case: Case, grammar: Grammar, at: int) -> tuple[str, int]:
    """Return the letter of the word that begins here, and where it ends; signs have no letter."""
    polite = 0
    for found in case.at.get(at, ()):
        letter = found.mark.letters.get(grammar.index)
        if letter:
            return letter, found.end
        if found.mark.courtesy and found.mark.length >= _CLEARLY and not polite:
            polite = found.end  # the longest is the first
    if polite:
        return FOREIGN_COURTESY, polite
    if unicodedata.category(case.normal.text[at]) == "So":
        return "", at + 1
    return OTHER, case.word_end(at)


class Match(NamedTuple):
    """A phrase found in a sentence: the words from `first` to before `last`, before the guards."""

    first: int
    last: int
    level: int  # 2 is certain, 1 likely
    switch: Switch | None  # None: its nouns tell
    say: str


def matches(case: Case, grammar: Grammar, sentence: Sentence) -> Iterator[Match]:
    """Yield the phrases of this language in the text, whatever stands around them."""
    for pattern in grammar.possible(sentence.letters):
        level = TIERS.index(pattern.phrase.tier)
        strict = False
        for match in islice(pattern.regex.finditer(sentence.letters), _MATCHES):
            yield Match(match.start(), match.end(), level, None, pattern.phrase.say)
            strict = True
        # A word we don't know between its words takes a certain phrase one step down.
        if not strict and level > 1 and OTHER in sentence.letters:
            for match in islice(pattern.loose.finditer(sentence.letters), _MATCHES):
                yield Match(match.start(), match.end(), level - 1, None, pattern.phrase.say)
    for found in case.found:
        for term in found.mark.terms:
            if term.anywhere and term.language == grammar.language:
                first, last = _words_of(sentence, found)
                level = strength(case.lexicon, case.audience, term)
                yield Match(first, last, level, term.switch, term.say)


def phrases(case: Case, grammar: Grammar, sentence: Sentence) -> Iterator[Reading]:
    """Yield the phrases of this language in the text, each as strong as the guards leave it."""
    for match in matches(case, grammar, sentence):
        steps, named = _weighed(grammar.guards, sentence, match.first, match.last)
        start, end = sentence.between(match.first, match.last)
        level = max(match.level - steps - is_quoted(case, start, end), 0)
        level = DENIED if steps >= DENYING else level
        switch, language = match.switch or named, grammar.language
        yield Reading(Intent.OPT_OUT, level, switch, match.say, language, start, end)


def _words_of(sentence: Sentence, found: Found) -> tuple[int, int]:
    """Return which words of the sentence a mark covers."""
    first = next((i for i, (_, end) in enumerate(sentence.spans) if end > found.start), 0)
    last = first
    while last < len(sentence.spans) and sentence.spans[last][0] < found.end:
        last += 1
    return first, last


def _weighed(guards: Guards, sentence: Sentence, first: int, last: int) -> tuple[int, Switch]:
    """Return the steps that the words around a phrase take off it, and the switch they name."""
    begin = max(first - NEAR, 0)
    around = sentence.letters[begin : last + NEAR + 1]  # one more: the pause after the last word
    key = around, first - begin, last - begin
    known = sentence.weighed.get(key)
    if known is None:
        steps = sum(doubt.steps for doubt in doubts(guards, *key))
        known = steps, _switch_named(guards, *key)
        sentence.weighed[key] = known
    return known


def _switch_named(guards: Guards, letters: str, first: int, last: int) -> Switch:
    """Return what the words of a phrase, and the things named right beside it, are about."""
    while first > 0 and letters[first - 1] in guards.named:
        first -= 1
    far = min(last + NEAR, len(letters))
    while last < far and letters[last] in guards.named:
        last += 1
    return Switch.ALL if guards.promotions.isdisjoint(letters[first:last]) else Switch.MARKETING


def is_quoted(case: Case, start: int, end: int) -> bool:
    """Tell whether the phrase stands in quotation marks."""
    normal = case.normal
    if _QUOTES.isdisjoint(normal.raw):
        return False
    start, end = normal.span(start, end)
    around = normal.raw[max(start - 1, 0) : start], normal.raw[end : end + 1]
    return all(sign and sign in _QUOTES for sign in around)

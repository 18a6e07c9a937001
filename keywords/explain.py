"""Why a text is decided as it is: its words, the phrases in it, and the guards that spoke."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from consent.model import Surface
from keywords.case import TIERS, Audience, Case, strength
from keywords.decision import Decision, Tier
from keywords.grammar import Grammar
from keywords.guards import ASKED, ENDED, FOREIGN_COURTESY, OTHER, PAUSED, SAID, Doubt, doubts
from keywords.matcher import Matcher
from keywords.normalize import normalize
from keywords.phrases import is_quoted, matches, sentence_of
from keywords.tags import tag_of
from keywords.whole import whole

_LONGEST = 400  # characters that are explained; a longer text is read in such stretches
_SIGNS = {
    ASKED: "a question ends",
    ENDED: "a sentence ends",
    PAUSED: "a pause",
    SAID: "a colon",
    OTHER: "not in the pack",
    FOREIGN_COURTESY: "courtesy of another language",
}


@dataclass(frozen=True, slots=True)
class Word:
    """A word or pause as one language reads it: where it stands, and its roles there."""

    text: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A term or phrase in the text: what it counts for by itself, and what speaks against it."""

    say: str
    language: str
    written: str
    source: str
    tier: Tier
    left: Tier  # what the guards leave of it
    against: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision with all that led to it; `words` by language."""

    normal: str
    words: dict[str, tuple[Word, ...]]
    terms: tuple[Found, ...]
    phrases: tuple[Found, ...]
    decision: Decision


def explain(
    matcher: Matcher,
    text: str,
    *,
    surface: Surface = Surface.TEXT,
    languages: Collection[str] = (),
    country: str | None = None,
) -> Explanation:
    """Return how the text is read, and what comes of it; the decision is that of `decide`."""
    lexicon = matcher.lexicon
    decision = matcher.decide(text, surface=surface, languages=languages, country=country)
    normal = normalize(text[:_LONGEST], lexicon.known, lexicon.sure)
    hits = lexicon.hits(normal.text)
    case = Case(lexicon, normal, Audience.of(languages, country), hits)
    named = set(map(tag_of, languages)) & lexicon.grammars.keys()
    spoken = case.audience.bits(lexicon)
    possible = matcher.sieve.grammars([number for _, number in hits], spoken)
    phrases = tuple(found for grammar in possible for found in _phrases(case, grammar))
    read = {*named, decision.language, *(found.language for found in phrases)}
    return Explanation(
        normal=normal.text.strip(),
        words={tag: tuple(_words(case, lexicon.grammars[tag])) for tag in sorted(read - {""})},
        terms=tuple(_terms(case)),
        phrases=phrases,
        decision=decision,
    )


def _words(case: Case, grammar: Grammar) -> Iterator[Word]:
    sentence = sentence_of(case, grammar)
    for letter, (start, end) in zip(sentence.letters, sentence.spans, strict=True):
        sign = _SIGNS.get(letter)
        roles = (sign,) if sign else tuple(grammar.roles_named(letter))
        yield Word(case.normal.text[start:end].strip(), roles)


def _terms(case: Case) -> Iterator[Found]:
    alone = whole(case)
    for found in case.found:
        for term in found.mark.terms:
            level = strength(case.lexicon, case.audience, term)
            against = [] if level >= TIERS.index(term.tier) else [_elsewhere(case)]
            if not term.anywhere and not any(r.start <= found.start < r.end for r in alone):
                against.append("other words stand beside it: alone it would count")
                level = 0
            start, end = case.normal.span(found.start, found.end)
            yield Found(
                say=term.say,
                language=term.language,
                written=case.normal.raw[start:end],
                source=term.source,
                tier=term.tier,
                left=TIERS[level],
                against=tuple(against),
            )


def _elsewhere(case: Case) -> str:
    if case.audience.known:
        return "it means something else where they are"
    return "nobody knows who writes"


def _phrases(case: Case, grammar: Grammar) -> Iterator[Found]:
    sentence = sentence_of(case, grammar)
    for match in matches(case, grammar, sentence):
        against = doubts(grammar.guards, sentence.letters, match.first, match.last)
        start, end = sentence.between(match.first, match.last)
        if is_quoted(case, start, end):
            against.append(Doubt.QUOTED)
        left = max(match.level - sum(doubt.steps for doubt in against), 0)
        begin, finish = case.normal.span(start, end)
        yield Found(
            say=match.say,
            language=grammar.language,
            written=case.normal.raw[begin:finish],
            source="",
            tier=TIERS[match.level],
            left=TIERS[left],
            against=tuple(doubt.says for doubt in against),
        )

"""A phrase inside a text, and the guards that say what it is worth there.

A negation or an instruction that is merely reported makes it nothing; each doubt (a question, a
subject we don't know, another object) takes it one step down, from certain to likely to nothing.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from consent.model import Switch
from keywords.case import TIERS, Case, Found, Reading, strength
from keywords.decision import Intent
from keywords.grammar import ASKED, BREAKS, ENDED, FOREIGN_COURTESY, OTHER, SAID, Grammar, Guards

_NEAR = 12  # words before and after a phrase that can change what it says
_MATCHES = 8  # of one pattern in one text; more of the same says no more
_QUOTES = frozenset("\"'“”„«»‘’‹›「」`")
_SENTENCE_END = re.compile(f"[{re.escape(ENDED + ASKED)}]")
Match = tuple[int, int, int]  # first word, word after the last, what the phrase counts for


@dataclass(slots=True)
class Sentence:
    """A text as one language reads it: a letter for each word or pause, and where it stands."""

    letters: str
    spans: list[tuple[int, int]]
    # Doubts and switch by the words around a phrase: a text of a thousand "stop" has few of them.
    weighed: dict[tuple[str, int, int], tuple[int, Switch]] = field(default_factory=dict)


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
        letter = grammar.letter(found.mark.number)
        if letter:
            return letter, found.end
        if found.mark.courtesy and not polite:
            polite = found.end  # the longest is the first
    if polite:
        return FOREIGN_COURTESY, polite
    if unicodedata.category(case.normal.text[at]) == "So":
        return "", at + 1
    return OTHER, case.word_end(at)


def phrases(case: Case, grammar: Grammar, sentence: Sentence) -> Iterator[Reading]:
    """Yield the phrases of this language in the text, each as strong as the guards leave it."""
    letters = sentence.letters
    for pattern in grammar.possible(letters):
        for match in islice(pattern.regex.finditer(letters), _MATCHES):
            where = (match.start(), match.end(), TIERS.index(pattern.phrase.tier))
            yield _reading(case, grammar, sentence, where, None, pattern.phrase.say)
    for found in case.found:
        for term in found.mark.terms:
            if term.anywhere and term.language == grammar.language:
                first, last = _words_of(sentence, found)
                level = strength(case.lexicon, case.audience, term)
                yield _reading(case, grammar, sentence, (first, last, level), term.switch, term.say)


def _words_of(sentence: Sentence, found: Found) -> tuple[int, int]:
    """Return which words of the sentence a mark covers."""
    first = next((i for i, (_, end) in enumerate(sentence.spans) if end > found.start), 0)
    last = first
    while last < len(sentence.spans) and sentence.spans[last][0] < found.end:
        last += 1
    return first, last


def _reading(
    case: Case, grammar: Grammar, sentence: Sentence, match: Match, switch: Switch | None, say: str
) -> Reading:
    """Return what a phrase counts for here; without a switch of its own, its nouns tell."""
    first, last, level = match
    steps, named = _weighed(grammar.guards, sentence, first, last)
    start, end = sentence.spans[first][0], sentence.spans[last - 1][1]
    level = max(level - steps - _quoted(case, start, end), 0)
    return Reading(Intent.OPT_OUT, level, switch or named, say, grammar.language, start, end)


def _weighed(guards: Guards, sentence: Sentence, first: int, last: int) -> tuple[int, Switch]:
    """Return the steps that the words around a phrase take off it, and the switch they name."""
    begin = max(first - _NEAR, 0)
    around = sentence.letters[begin : last + _NEAR + 1]  # one more: the pause after the last word
    key = around, first - begin, last - begin
    known = sentence.weighed.get(key)
    if known is None:
        known = doubts(guards, *key), _switch_named(guards, *key)
        sentence.weighed[key] = known
    return known


def _switch_named(guards: Guards, letters: str, first: int, last: int) -> Switch:
    """Return what the words of a phrase, and the things named right beside it, are about."""
    while first > 0 and letters[first - 1] in guards.named:
        first -= 1
    far = min(last + _NEAR, len(letters))
    while last < far and letters[last] in guards.named:
        last += 1
    return Switch.ALL if guards.promotions.isdisjoint(letters[first:last]) else Switch.MARKETING


def doubts(guards: Guards, letters: str, first: int, last: int) -> int:
    """Return how many steps the guards take off a phrase at these words; two leave nothing."""
    begin, finish, far = first, last, min(last + _NEAR, len(letters))
    while begin > 0 and letters[begin - 1] not in guards.breaks:
        begin -= 1
    while finish < far and letters[finish] not in guards.breaks:
        finish += 1
    before, after, inside = letters[begin:first], letters[last:finish], letters[first:last]
    asked = letters[finish : finish + 1] == ASKED
    polite = before[-1:] in guards.courtesy
    if letters[begin - 1 : begin] == SAID and _is_reported(guards, letters[: begin - 1]):
        return 2
    steps = 0 if polite else _doubt_before(guards, before, inside)
    if steps >= 2:
        return steps
    steps += _doubt_after(guards, after, inside, beyond=letters[finish:far])
    if asked and guards.ask.isdisjoint(before + inside + after):
        steps += 1
    return steps


def _is_reported(guards: Guards, before: str) -> bool:
    """Tell whether the words before a colon say that somebody else said what follows."""
    start = max(before.rfind(sign) for sign in BREAKS) + 1
    return not guards.reported.isdisjoint(before[start:])


def _doubt_before(guards: Guards, before: str, inside: str) -> int:
    """Return the steps for what stands before a phrase.

    A negation or an instruction that is merely reported takes two; "no" before a
    negation is an answer.
    """
    if not before:
        return 0
    negations = guards.negations
    if inside[0] in negations:
        negations -= guards.answer
    words = set(before)
    if not negations.isdisjoint(words):
        at = max(before.rfind(letter) for letter in negations)
        between = before[at + 1 :].strip(guards.stop)
        return 2 if guards.clear.issuperset(between) else 1
    opening = before.lstrip(guards.opening)
    if opening and opening[0] in guards.reply:
        return 2
    steps = 0 if guards.clear.issuperset(words) else 1
    for doubtful in guards.doubtful:
        steps += not doubtful.isdisjoint(words)
    return steps


def _doubt_after(guards: Guards, after: str, inside: str, *, beyond: str) -> int:
    """Return the steps for what stands after a phrase: a negation, a limit, another object."""
    if after and after[0] in guards.negations_after:
        return 2  # the verb comes last in some languages
    words = set(after)
    if not guards.limit.isdisjoint(words):
        return 1
    if beyond and not guards.limit.isdisjoint(_SENTENCE_END.split(beyond, maxsplit=1)[0][:4]):
        return 1
    return not guards.clear.issuperset(words) and guards.me.isdisjoint(inside + after[:1])


def _quoted(case: Case, start: int, end: int) -> bool:
    """Tell whether the phrase stands in quotation marks."""
    normal = case.normal
    if _QUOTES.isdisjoint(normal.raw):
        return False
    start, end = normal.span(start, end)
    around = normal.raw[max(start - 1, 0) : start], normal.raw[end : end + 1]
    return all(sign and sign in _QUOTES for sign in around)

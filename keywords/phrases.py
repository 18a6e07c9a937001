"""A phrase inside a text, and the guards that say what it is worth there.

A negation or an instruction that is merely reported makes it nothing; each doubt (a question, a
subject we don't know, another object) takes it one step down, from certain to likely to nothing.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from consent.model import Switch
from keywords.case import TIERS, Case, Found, Reading, pause_between, strength
from keywords.decision import Intent
from keywords.lexicon import ASKED, BREAKS, ENDED, OTHER, THINGS, Grammar

_NEAR = 12  # words before and after a phrase that can change what it says
_MATCHES = 8  # of one pattern in one text; more of the same says no more
_QUOTES = frozenset("\"'“”„«»‘’‹›「」`")
Match = tuple[int, int, int]  # first word, word after the last, what the phrase counts for
Guards = Mapping[str, frozenset[str]]


@dataclass(slots=True)
class Sentence:
    """A text as one language reads it: a letter for each word or pause, and where it stands."""

    letters: str
    spans: list[tuple[int, int]]


def sentence_of(case: Case, grammar: Grammar) -> Sentence:
    """Return the text as this language reads it, the longest known words first."""
    text = case.normal.text
    letters: list[str] = []
    spans: list[tuple[int, int]] = []
    at, last = 1, 0
    while at < len(text) - 1:
        if text[at] == " ":
            at += 1
            continue
        pause = pause_between(case.normal, last, at) if last and at > last + 1 else ""
        if pause:
            letters.append(pause)
            spans.append((last + 1, at))
        letter, end = _word(case, grammar, at)
        if letter:
            letters.append(letter)
            spans.append((at, end))
        at, last = end, end - 1
    pause = pause_between(case.normal, last, len(text) - 1)
    if pause:
        letters.append(pause)
        spans.append((last + 1, len(text) - 1))
    return Sentence("".join(letters), spans)


def _word(case: Case, grammar: Grammar, at: int) -> tuple[str, int]:
    """Return the letter of the word that begins here, and where it ends; signs have no letter."""
    polite = 0
    for found in case.at.get(at, ()):
        roles = found.mark.roles_in(grammar.language)
        if roles:
            return grammar.letter(roles, courtesy=False), found.end
        if found.mark.courtesy:
            polite = max(polite, found.end)
    if polite:
        return grammar.letter(0, courtesy=True), polite
    text = case.normal.text
    if unicodedata.category(text[at]) == "So":
        return "", at + 1
    end = at + 1
    while text[end] != " " and end not in case.at:
        end += 1
    return OTHER, end


def phrases(case: Case, grammar: Grammar, sentence: Sentence) -> Iterator[Reading]:
    """Yield the phrases of this language in the text, each as strong as the guards leave it."""
    here = {ord(letter) for letter in sentence.letters}
    roles = 0
    for mask, letter in grammar.letters.items():
        roles |= mask if ord(letter) in here else 0
    for pattern in grammar.possible(roles):
        for match in islice(pattern.regex.finditer(sentence.letters), _MATCHES):
            level = TIERS.index(pattern.phrase.tier)
            where = (match.start(), match.end(), level)
            yield _reading(case, grammar, sentence, where, None, pattern.phrase.say)
    for found in case.found:
        for term in found.mark.terms:
            if term.anywhere and term.language == grammar.language:
                first, last = _words_of(sentence, found)
                level = strength(case, term)
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
    guards, letters = grammar.guards, sentence.letters
    if switch is None:
        before = _ahead(guards, letters[max(first - _NEAR, 0) : first])
        around = before + letters[first:last] + _behind(guards, letters[last : last + _NEAR])
        switch = Switch.MARKETING if _any(around, guards["promotions"]) else Switch.ALL
    level -= doubts(case, grammar, sentence, first, last)
    return Reading(
        intent=Intent.OPT_OUT,
        level=max(level, 0),
        switch=switch,
        say=say,
        language=grammar.language,
        start=sentence.spans[first][0],
        end=sentence.spans[last - 1][1],
    )


def _behind(guards: Guards, letters: str) -> str:
    """Return the things named right at the beginning of these words."""
    end = next((i for i, letter in enumerate(letters) if not _named(guards, letter)), len(letters))
    return letters[:end]


def _ahead(guards: Guards, letters: str) -> str:
    """Return the things named right at the end of these words."""
    return _behind(guards, letters[::-1])


def _named(guards: Guards, letter: str) -> bool:
    return any(letter in guards[role] for role in ("messages", "promotions", "filler"))


def doubts(case: Case, grammar: Grammar, sentence: Sentence, first: int, last: int) -> int:
    """Return how many steps the guards take off a phrase at these words; two leave nothing."""
    guards, letters = grammar.guards, sentence.letters
    breaks = guards["join"].union(BREAKS)
    begin, far = max(first - _NEAR, 0), min(last + _NEAR, len(letters))
    begin = max((i + 1 for i in range(begin, first) if letters[i] in breaks), default=begin)
    finish = next((i for i in range(last, far) if letters[i] in breaks), far)
    before, after, inside = letters[begin:first], letters[last:finish], letters[first:last]
    asked = finish < len(letters) and letters[finish] == ASKED
    polite = bool(before) and before[-1] in guards["courtesy"]
    steps = 0 if polite else _doubt_before(guards, before, inside)
    steps += _doubt_after(guards, after, inside, beyond=letters[finish:far])
    if asked and not _any(before + inside + after, guards["ask"]):
        steps += 1
    return steps + _quoted(case, sentence, first, last)


_CLEAR = (
    "courtesy",
    "filler",
    "lead_in",
    "ask",
    "me",
    "answer",
    "more",
    "stop",
    "receive",
    *THINGS,
)


def _any(letters: str, among: frozenset[str]) -> bool:
    return not among.isdisjoint(letters)


def _unclear(guards: Guards, letters: str) -> bool:
    """Tell whether words stand here that are more than courtesy and small words."""
    return any(not any(letter in guards[role] for role in _CLEAR) for letter in letters)


def _doubt_before(guards: Guards, before: str, inside: str) -> int:
    """Return the steps for what stands before a phrase.

    A negation or an instruction that is merely reported takes two; "no" before a
    negation is an answer.
    """
    negations = guards["not"] | guards["refuse"]
    if inside[0] in negations:
        negations -= guards["answer"]
    at = max((before.rfind(letter) for letter in negations), default=-1)
    if at >= 0:
        between = before[at + 1 :].strip("".join(guards["stop"]))
        return 1 if _unclear(guards, between) else 2
    opening = before.lstrip("".join(guards["courtesy"] | guards["filler"]))
    if opening and opening[0] in guards["reply"]:
        return 2
    doubtful = ("question", "others", "limit", "reply")
    return _unclear(guards, before) + sum(_any(before, guards[role]) for role in doubtful)


def _doubt_after(guards: Guards, after: str, inside: str, *, beyond: str) -> int:
    """Return the steps for what stands after a phrase: a negation, a limit, another object."""
    if after and after[0] in guards["not"] - guards["answer"]:
        return 2  # the verb comes last in some languages
    rest = re.split(f"[{re.escape(ENDED + ASKED)}]", beyond, maxsplit=1)[0]
    if _any(after, guards["limit"]) or _any(rest[:4], guards["limit"]):
        return 1
    return _unclear(guards, after) and not _any(inside + after[:1], guards["me"])


def _quoted(case: Case, sentence: Sentence, first: int, last: int) -> bool:
    """Tell whether the phrase stands in quotation marks."""
    normal = case.normal
    start, end = normal.span(sentence.spans[first][0], sentence.spans[last - 1][1])
    around = normal.raw[max(start - 1, 0) : start], normal.raw[end : end + 1]
    return all(sign and sign in _QUOTES for sign in around)

"""What the marks of one text mean: pure rules over the words found, no words of its own.

A text asks to stop if it is nothing but such a word once courtesy is taken off, or if it holds a phrase
that can hardly mean another thing. Guards then lower what a phrase counts for: a negation or an
instruction that is merely reported makes it nothing, and each doubt (a question, a subject we don't
know, another object) takes it one step down, from certain to likely to nothing.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from consent.model import Switch
from keywords.decision import NOTHING, Decision, Intent, Tier
from keywords.lexicon import (
    ASKED,
    BREAKS,
    ENDED,
    OTHER,
    PAUSED,
    THINGS,
    Grammar,
    Lexicon,
    Mark,
)
from keywords.normalize import Normalized
from keywords.pack import NANP, Term

_TIERS = (Tier.NONE, Tier.LIKELY, Tier.CERTAIN)
_NEAR = 12  # words before and after a phrase that can change what it says
_MATCHES = 8  # of one pattern in one text; more of the same says no more
_QUESTION_MARKS = frozenset("?؟？⁇⁈❓❔;՞፧")
_HARD_STOPS = frozenset(".!\n\r।。！…۔•|")
Match = tuple[int, int, int]  # first word, word after the last, what the phrase counts for
Guards = Mapping[str, frozenset[str]]
_QUOTES = frozenset("\"'“”„«»‘’‹›「」`")


@dataclass(frozen=True, slots=True)
class Audience:
    """What is known of the people who write: languages the app serves, country of the contact."""

    languages: frozenset[str] = frozenset()
    country: str = ""

    @classmethod
    def of(cls, languages: Collection[str], country: str | None) -> "Audience":
        """Return it with languages cut to their first part and calling code +1 as one country."""
        code = (country or "").upper()
        return cls(
            languages=frozenset(tag.replace("_", "-").split("-")[0].lower() for tag in languages),
            country="US" if code in NANP else code,
        )

    def speaks(self, grammar: Grammar) -> bool | None:
        """Tell whether they speak the language; None if nothing is known of them."""
        if not self.languages and not self.country:
            return None
        return grammar.language in self.languages or self.country in grammar.countries


@dataclass(frozen=True, slots=True)
class Found:
    """A mark in the text: `text[start:end]` without the spaces around it."""

    start: int
    end: int
    mark: Mark


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to understand the text: 2 is certain, 1 likely."""

    intent: Intent
    level: int
    switch: Switch | None
    say: str
    language: str
    start: int
    end: int


@dataclass(slots=True)
class Sentence:
    """A text as one language reads it: a letter for each word or pause, and where it stands."""

    letters: str
    spans: list[tuple[int, int]]


@dataclass(slots=True)
class Case:
    """One text with its marks, and who wrote it."""

    lexicon: Lexicon
    normal: Normalized
    audience: Audience
    found: list[Found]
    at: dict[int, list[Found]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for one in self.found:
            self.at[one.start].append(one)
        for many in self.at.values():
            many.sort(key=lambda f: -f.end)


def read(case: Case, *, alone: bool, grammars: Iterable[Grammar]) -> list[Reading]:
    """Return the readings of the text: as a bare term, and by the phrases of these languages."""
    readings = whole(case) if alone else []
    if any(r.level == 2 and r.intent is Intent.OPT_OUT for r in readings):
        return readings
    best: list[Reading] = []
    fewest = len(case.normal.text)
    for grammar in grammars:
        sentence = _sentence(case, grammar)
        unknown = sentence.letters.count(OTHER)
        if unknown > fewest:
            continue
        found = list(_phrases(case, grammar, sentence))
        if found:
            # A language that knows more of the words has the say, also when it says no.
            best = found if unknown < fewest else best + found
            fewest = unknown
    return readings + best


def choose(case: Case, readings: Iterable[Reading]) -> Decision:
    """Return the decision the readings come to: a request to stop, however weak, forbids an opt-in."""
    readings = [reading for reading in readings if reading.level > 0]
    if not readings:
        return NOTHING
    stops = [r for r in readings if r.intent is Intent.OPT_OUT]
    starts = [r for r in readings if r.intent is Intent.OPT_IN]
    best = max(stops or starts or readings, key=lambda r: (r.level, _speaks(case, r), r.end - r.start))
    level = 1 if stops and starts else best.level
    return Decision(
        intent=best.intent,
        tier=_TIERS[level],
        switch=best.switch,
        term=best.say,
        language=best.language,
        span=case.normal.span(best.start, best.end),
    )


def _speaks(case: Case, reading: Reading) -> bool:
    return bool(case.audience.speaks(case.lexicon.grammars[reading.language]))


# The whole message, or the whole of one sentence of it


def whole(case: Case) -> list[Reading]:
    """Return what the text asks for if it is nothing but terms and courtesy."""
    return list(_whole(case))


def _whole(case: Case) -> Iterator[Reading]:
    """Yield what the text asks for if it is nothing but terms and courtesy.

    A sentence that is nothing but an unmistakable term, beside others that are not, is likely.
    """
    sentences = list(_sentences_of(case))
    covers = [_cover(case, start, end) for start, end, _ in sentences]
    if not any(cover for cover in covers):
        return
    complete = all(cover is not None for cover in covers)
    for cover, (_, _, asked) in zip(covers, sentences, strict=True):
        for reading in cover or ():
            level = reading.level
            if asked and (level < 2 or not _invited(case, reading)):
                level -= 1
            if not complete:
                if reading.intent is not Intent.OPT_OUT:
                    continue
                level = min(level - 1, 1)
            elif reading.intent is Intent.OPT_IN and (asked or level < 2):
                continue
            yield _at_level(reading, level)


def _at_level(reading: Reading, level: int) -> Reading:
    if level == reading.level:
        return reading
    return Reading(
        intent=reading.intent,
        level=level,
        switch=reading.switch,
        say=reading.say,
        language=reading.language,
        start=reading.start,
        end=reading.end,
    )


def _invited(case: Case, reading: Reading) -> bool:
    """Tell whether the question is a request: "how do I", "can you" before it."""
    asks = case.lexicon.mask(("ask",))
    return any(
        found.end <= reading.start and found.mark.roles_in(reading.language) & asks
        for found in case.found
    )


def _sentences_of(case: Case) -> Iterator[tuple[int, int, bool]]:
    """Yield start and end of each sentence in the matched text, and whether it is a question."""
    text = case.normal.text
    start = at = 1
    while at < len(text):
        if text[at] != " ":
            at += 1
            continue
        end = at
        while at < len(text) and text[at] == " ":
            at += 1
        pause = _pause(case.normal, end - 1, at)
        if (pause in (ENDED, ASKED) or at >= len(text)) and text[start:end].strip():
            yield start, end, pause == ASKED
            start = at


def _pause(normal: Normalized, before: int, after: int) -> str:
    """Return what stands between two words: a question mark, an end, a comma, or nothing."""
    last = len(normal.text) - 1
    raw = normal.between(before, min(after, last)) if before > 0 else ""
    if not raw or raw.isspace():
        return ""
    if not _QUESTION_MARKS.isdisjoint(raw):
        return ASKED
    if not _HARD_STOPS.isdisjoint(raw):
        return ENDED
    return PAUSED if any(unicodedata.category(c)[0] == "P" and c not in "-'’_*~/" for c in raw) else ""


def _cover(case: Case, start: int, end: int) -> list[Reading] | None:
    """Return the terms of this stretch if it holds nothing else but courtesy, else None."""
    text = case.normal.text
    readings: list[Reading] = []
    led_by: list[Found] = []
    terms_of: list[tuple[Found, tuple[Term, ...]]] = []
    at = start
    while at < end:
        if text[at] == " ":
            at += 1
            continue
        step = next((f for f in case.at.get(at, ()) if _fits(case, f)), None)
        if step is None:
            if unicodedata.category(text[at]) != "So":
                return None
            at += 1
            continue
        if step.mark.terms:
            terms_of.append((step, step.mark.terms))
        elif not step.mark.courtesy:
            if terms_of or not _leads(case, step):
                return None  # "stop I want to …" goes on, "no quiero …" refuses
            led_by.append(step)
        at = step.end
    for found, terms in terms_of:
        for term in terms:
            reading = _of_term(case, found, term, led_by)
            if reading.level > 0:
                readings.append(reading)
    return None if terms_of and not readings else readings


def _fits(case: Case, found: Found) -> bool:
    """Tell whether a mark may stand in a message that is nothing but a term and courtesy."""
    if found.mark.terms or found.mark.courtesy:
        return True
    lead = case.lexicon.mask(("lead_in", "ask", "answer"))
    return bool(found.mark.common & lead) or any(r & lead for r in found.mark.roles.values())


def _leads(case: Case, found: Found) -> bool:
    """Tell whether it leads to the term: an answer does only with a pause after it ("no, stop")."""
    text = case.normal.text
    if not any(r & case.lexicon.mask(("answer",)) for r in found.mark.roles.values()):
        return True
    after = found.end + len(text[found.end :]) - len(text[found.end :].lstrip())
    return bool(_pause(case.normal, found.end - 1, after))


def _of_term(case: Case, found: Found, term: Term, led_by: list[Found]) -> Reading:
    level = strength(case, term)
    if led_by:
        lead = case.lexicon.mask(("lead_in", "ask", "answer"))
        own = all(f.mark.roles_in(term.language) & lead for f in led_by)
        if not own or term.intent is Intent.OPT_IN:
            level = 0  # an opt-in is the word alone; a lead-in of another language is not one
    return Reading(
        intent=term.intent,
        level=level,
        switch=term.switch,
        say=term.say,
        language=term.language,
        start=found.start,
        end=found.end,
    )


def strength(case: Case, term: Term) -> int:
    """Return what the term counts for when these people write it: 2 certain, 1 likely, 0 nothing."""
    if case.audience.country in term.certain_in:
        return 2
    level = _TIERS.index(term.tier)
    if not term.local:
        return level
    speaks = case.audience.speaks(case.lexicon.grammars[term.language])
    return 0 if speaks is False else level if speaks else min(level, 1)


# A phrase inside a message


def _sentence(case: Case, grammar: Grammar) -> Sentence:
    """Return the text as this language reads it, the longest known words first."""
    text = case.normal.text
    letters: list[str] = []
    spans: list[tuple[int, int]] = []
    at, last = 1, 0
    while at < len(text) - 1:
        if text[at] == " ":
            at += 1
            continue
        pause = _pause(case.normal, last, at) if last and at > last + 1 else ""
        if pause:
            letters.append(pause)
            spans.append((last + 1, at))
        letter, end = _word(case, grammar, at)
        if letter:
            letters.append(letter)
            spans.append((at, end))
        at, last = end, end - 1
    pause = _pause(case.normal, last, len(text) - 1)
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


def _phrases(case: Case, grammar: Grammar, sentence: Sentence) -> Iterator[Reading]:
    """Yield the phrases of this language in the text, each as strong as the guards leave it."""
    here = {ord(letter) for letter in sentence.letters}
    roles = 0
    for mask, letter in grammar.letters.items():
        roles |= mask if ord(letter) in here else 0
    for pattern in grammar.possible(roles):
        for match in islice(pattern.regex.finditer(sentence.letters), _MATCHES):
            level = _TIERS.index(pattern.phrase.tier)
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
    steps += _doubt_after(guards, after, inside)
    if asked and not _any(before + after, guards["ask"]):
        steps += 1
    return steps + _quoted(case, sentence, first, last)


_CLEAR = ("courtesy", "filler", "lead_in", "ask", "me", "answer", "more", *THINGS)


def _any(letters: str, among: frozenset[str]) -> bool:
    return not among.isdisjoint(letters)


def _unclear(guards: Guards, letters: str) -> bool:
    """Tell whether words stand here that are more than courtesy and small words."""
    return any(not any(letter in guards[role] for role in _CLEAR) for letter in letters)


def _doubt_before(guards: Guards, before: str, inside: str) -> int:
    """Return the steps for what stands before a phrase.

    A negation or an instruction that is merely reported takes two; "no" before a negation is an answer.
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
    doubtful = ("question", "limit", "reply")
    return _unclear(guards, before) + sum(_any(before, guards[role]) for role in doubtful)


def _doubt_after(guards: Guards, after: str, inside: str) -> int:
    """Return the steps for what stands after a phrase: a negation, a limit, another object."""
    if after and after[0] in guards["not"] - guards["answer"]:
        return 2  # the verb comes last in some languages
    if _any(after, guards["limit"]):
        return 1
    return _unclear(guards, after) and not _any(inside + after[:1], guards["me"])


def _quoted(case: Case, sentence: Sentence, first: int, last: int) -> bool:
    """Tell whether the phrase stands in quotation marks."""
    normal = case.normal
    start, end = normal.span(sentence.spans[first][0], sentence.spans[last - 1][1])
    around = normal.raw[max(start - 1, 0) : start], normal.raw[end : end + 1]
    return all(sign and sign in _QUOTES for sign in around)

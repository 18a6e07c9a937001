"""A text that is nothing but terms and courtesy: "please stop, thank you"."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from keywords.case import Case, Found, Reading, strength
from keywords.decision import Intent
from keywords.guards import ASKED, ENDED
from keywords.lexicon import Mark
from keywords.pack import COMMON, Term


def whole(case: Case) -> list[Reading]:
    """Return what the text asks for if it is nothing but terms and courtesy.

    A sentence that is nothing but an unmistakable term, beside others that are not, is likely.
    """
    sentences = list(_sentences_of(case))
    covers = [_cover(case, start, end, asked=asked) for start, end, asked in sentences]
    if not any(covers):
        return []
    complete = None not in covers
    readings: list[Reading] = []
    for cover, (_, _, asked) in zip(covers, sentences, strict=True):
        if not cover:
            continue
        invited = _invitations(case, cover) if asked else {}
        for reading in cover:
            level = reading.level
            if asked and (level < 2 or reading.start < invited[reading.language]):
                level -= 1
            if not complete:
                if reading.intent is not Intent.OPT_OUT:
                    continue
                level = min(level - 1, 1)
            elif reading.intent is Intent.OPT_IN and (asked or level < 2):
                continue
            readings.append(reading if level == reading.level else reading._replace(level=level))
    return readings


def _invitations(case: Case, readings: list[Reading]) -> dict[str, int]:
    """Return by language from where on a question is a request: after "how do I", "can you"."""
    never, bits = len(case.normal.text), case.lexicon.bits
    return {
        language: min((f.end for f in case.found if f.mark.asks & bits[language]), default=never)
        for language in {reading.language for reading in readings}
    }


def _sentences_of(case: Case) -> Iterator[tuple[int, int, bool]]:
    """Yield start and end of each sentence in the matched text, and whether it is a question."""
    start = 1
    for at, (pause, end) in case.pauses.items():
        if pause in (ENDED, ASKED):
            yield start, end, pause == ASKED
            start = at
    end = len(case.normal.text.rstrip())
    if start < end:
        yield start, end, False


def _cover(case: Case, start: int, end: int, *, asked: bool) -> list[Reading] | None:
    """Return the terms of this stretch if it holds nothing else but courtesy, else None."""
    steps = _steps(case, start, end)
    if steps is None:
        return None
    beside = _Beside(polite=case.lexicon.every)
    terms: list[Found] = []
    said: set[Mark] = set()
    for step in steps:
        if not _pauses(case, step):
            beside.denied |= step.mark.denies
        if step.mark.terms:
            # Said again it says no more, unless the second time is after "how do I".
            if asked or step.mark not in said:
                terms.append(step)
                said.add(step.mark)
        elif step.mark.courtesy:
            beside.polite &= step.mark.courtesy
        elif terms or (step.mark.answers and not _pauses(case, step)):
            return None  # "stop I want to …" goes on, "no quiero …" refuses
        else:
            beside.led_by.append(step)
    readings = [
        bare_reading(term, level, found.start, found.end)
        for found in terms
        for term in found.mark.terms
        if beside.allows(case, term) and (level := strength(case.lexicon, case.audience, term)) > 0
    ]
    return None if terms and not readings else readings


def _steps(case: Case, start: int, end: int) -> list[Found] | None:
    """Return the marks that fill this stretch, the longest first; None if a word is left over."""
    text = case.normal.text
    steps: list[Found] = []
    at = start
    while at < end:
        step = next((f for f in case.at.get(at, ()) if f.mark.fits), None)
        if step is not None:
            steps.append(step)
            at = step.end
        elif text[at] == " " or unicodedata.category(text[at]) == "So":
            at += 1
        else:
            return None
    return steps


@dataclass(slots=True)
class _Beside:
    """What stands beside the terms of a stretch; languages are bits."""

    polite: int  # in which all courtesy is of the language
    denied: int = 0  # in which a word says no
    led_by: list[Found] = field(default_factory=list)

    def allows(self, case: Case, term: Term) -> bool:
        """Tell whether a term counts in this company."""
        lexicon = case.lexicon
        own = lexicon.bits[term.language]
        if term.intent is Intent.OPT_IN and (self.led_by or self.denied):
            return False  # an opt-in is the word alone
        # "nu" is "now" in one language and "not" in another; STOP is denied by those they speak.
        if self.denied & (own if term.language != COMMON else case.audience.bits(lexicon)):
            return False
        # A lead-in of another language is none. People are polite to STOP in any language, but
        # a word with other meanings needs courtesy of its own.
        led = all(found.mark.leads & own for found in self.led_by)
        return led and (not term.local or bool(self.polite & own))


def _pauses(case: Case, found: Found) -> bool:
    """Tell whether there is a pause or an end after it: "no, stop"."""
    text, after = case.normal.text, found.end
    while after < len(text) and text[after] == " ":
        after += 1
    return after in case.pauses


def bare_reading(term: Term, level: int, start: int, end: int) -> Reading:
    """Return the reading of a term that stands for itself."""
    return Reading(term.intent, level, term.switch, term.say, term.language, start, end)

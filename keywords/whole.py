"""A text that is nothing but terms and courtesy: "please stop, thank you"."""

import unicodedata
from collections.abc import Iterator

from keywords.case import Case, Found, Reading, strength
from keywords.decision import Intent
from keywords.guards import ASKED, ENDED
from keywords.lexicon import Mark
from keywords.pack import Term


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
    text = case.normal.text
    led_by: list[Found] = []
    polite = case.lexicon.every  # the languages whose courtesy this is
    terms: list[Found] = []
    said: set[Mark] = set()
    at = start
    while at < end:
        if text[at] == " ":
            at += 1
            continue
        step = next((f for f in case.at.get(at, ()) if f.mark.fits), None)
        if step is None:
            if unicodedata.category(text[at]) != "So":
                return None
            at += 1
            continue
        mark = step.mark
        if mark.terms:
            # Said again it says no more, unless the second time is after "how do I".
            if asked or mark not in said:
                terms.append(step)
                said.add(mark)
        elif mark.courtesy:
            polite &= mark.courtesy
        else:
            if terms or not _leads(case, step):
                return None  # "stop I want to …" goes on, "no quiero …" refuses
            led_by.append(step)
        at = step.end
    readings = [
        reading
        for found in terms
        for term in found.mark.terms
        # People are polite to STOP in any language; a word with other meanings needs its own.
        if (not term.local or polite & case.lexicon.bits[term.language])
        and (reading := _of_term(case, found, term, led_by)) is not None
    ]
    return None if terms and not readings else readings


def _leads(case: Case, found: Found) -> bool:
    """Tell whether it leads to the term: an answer does only with a pause after it ("no, stop")."""
    if not found.mark.answers:
        return True
    text, after = case.normal.text, found.end
    while after < len(text) and text[after] == " ":
        after += 1
    return after in case.pauses


def _of_term(case: Case, found: Found, term: Term, led_by: list[Found]) -> Reading | None:
    """Return the reading of a term alone, or None if it counts for nothing here."""
    if led_by:
        # An opt-in is the word alone; a lead-in of another language is not one.
        own = all(f.mark.leads & case.lexicon.bits[term.language] for f in led_by)
        if not own or term.intent is Intent.OPT_IN:
            return None
    level = strength(case.lexicon, case.audience, term)
    return bare_reading(term, level, found.start, found.end) if level > 0 else None


def bare_reading(term: Term, level: int, start: int, end: int) -> Reading:
    """Return the reading of a term that stands for itself."""
    return Reading(term.intent, level, term.switch, term.say, term.language, start, end)

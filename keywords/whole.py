"""A text that is nothing but terms and courtesy: "please stop, thank you"."""

import unicodedata
from collections.abc import Iterator
from dataclasses import replace

from keywords.case import Case, Found, Reading, pause_between, strength
from keywords.decision import Intent
from keywords.lexicon import ASKED, ENDED
from keywords.pack import Term


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
            yield replace(reading, level=level)


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
        pause = pause_between(case.normal, end - 1, at)
        if (pause in (ENDED, ASKED) or at >= len(text)) and text[start:end].strip():
            yield start, end, pause == ASKED
            start = at


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
    return bool(pause_between(case.normal, found.end - 1, after))


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

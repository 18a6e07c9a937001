"""What the marks of one text mean: pure rules over the words found, no words of its own."""

from collections.abc import Iterable

from keywords.case import TIERS, Case, Reading
from keywords.decision import NOTHING, Decision, Intent
from keywords.lexicon import OTHER, Grammar
from keywords.phrases import phrases, sentence_of
from keywords.whole import whole


def read(case: Case, *, alone: bool, grammars: Iterable[Grammar]) -> list[Reading]:
    """Return the readings of the text: as a bare term, and by the phrases of these languages."""
    readings = whole(case) if alone else []
    if any(r.level == 2 and r.intent is Intent.OPT_OUT for r in readings):
        return readings
    best: list[Reading] = []
    fewest = len(case.normal.text)
    for grammar in grammars:
        sentence = sentence_of(case, grammar)
        unknown = sentence.letters.count(OTHER)
        if unknown > fewest:
            continue
        found = list(phrases(case, grammar, sentence))
        if found:
            # A language that knows more of the words has the say, also when it says no.
            best = found if unknown < fewest else best + found
            fewest = unknown
    return readings + best


def choose(case: Case, readings: Iterable[Reading]) -> Decision:
    """Return the decision the readings come to.

    A request to stop, however weak, forbids an opt-in, and beside one it is never certain itself.
    """
    readings = [reading for reading in readings if reading.level > 0]
    if not readings:
        return NOTHING
    stops = [r for r in readings if r.intent is Intent.OPT_OUT]
    starts = [r for r in readings if r.intent is Intent.OPT_IN]
    others = [r for r in readings if r.intent is Intent.HELP]
    best = max(stops or others or starts, key=lambda r: _weight(case, r))
    level = 1 if stops and starts else best.level
    return Decision(
        intent=best.intent,
        tier=TIERS[level],
        switch=best.switch,
        term=best.say,
        language=best.language,
        span=case.normal.span(best.start, best.end),
    )


def _weight(case: Case, reading: Reading) -> tuple[int, bool, int]:
    speaks = bool(case.audience.speaks(case.lexicon.grammars[reading.language]))
    return reading.level, speaks, reading.end - reading.start

"""What the marks of one text mean: pure rules over the words found, no words of its own."""

from collections.abc import Iterable, Sequence

from keywords.case import DENIED, TIERS, Audience, Case, Reading
from keywords.decision import NOTHING, Decision, Intent
from keywords.grammar import Grammar
from keywords.guards import FOREIGN_COURTESY, OTHER
from keywords.lexicon import Lexicon
from keywords.normalize import Normalized
from keywords.phrases import phrases, sentence_of

_MOST_LANGUAGES = 8


def says_stop(readings: Iterable[Reading]) -> bool:
    """Tell whether one of them is a certain stop, beside which nothing else need be looked for."""
    return any(r.level == 2 and r.intent is Intent.OPT_OUT for r in readings)


def spoken(
    case: Case, grammars: Iterable[Grammar], *, most: int = _MOST_LANGUAGES
) -> list[Reading]:
    """Return the readings of the text by the phrases of the first of these languages.

    Words that many languages borrow ("unsubscribe") bring many; those of the audience come first.
    """
    best: list[Reading] = []
    fewest = len(case.normal.text)
    own = False  # whether the audience speaks the language of the best
    for grammar in sorted(grammars, key=lambda g: not case.audience.speaks(g))[:most]:
        if fewest == 0 and says_stop(best):
            break  # no other language can know more of the words
        sentence = sentence_of(case, grammar)
        unknown = sentence.letters.count(OTHER) + sentence.letters.count(FOREIGN_COURTESY)
        speaks = bool(case.audience.speaks(grammar))
        if unknown > fewest or (unknown == fewest and own and not speaks):
            continue
        found = list(phrases(case, grammar, sentence))
        if found:
            # A language that knows more of the words has the say, also when it says no.
            best = found if unknown < fewest else best + found
            fewest, own = unknown, speaks
    return _undenied(best)


def _undenied(readings: list[Reading]) -> list[Reading]:
    """Return the readings without those that another language denies.

    English words are in many packs, but only English knows "I don't want to" before them.
    """
    denials = [reading for reading in readings if reading.level == DENIED]
    return [r for r in readings if not any(_contradicts(denial, r) for denial in denials)]


def _contradicts(denial: Reading, reading: Reading) -> bool:
    overlap = denial.start < reading.end and reading.start < denial.end
    return overlap and denial.language != reading.language


def choose(
    readings: Sequence[Reading], normal: Normalized, lexicon: Lexicon, audience: Audience
) -> Decision:
    """Return the decision the readings come to.

    A request to stop, however weak, forbids an opt-in, and beside one it is never certain itself.
    """
    readings = [reading for reading in readings if reading.level > 0]
    if not readings:
        return NOTHING
    mixed = False
    best = readings[0]
    if len(readings) > 1:
        stops = [r for r in readings if r.intent is Intent.OPT_OUT]
        starts = [r for r in readings if r.intent is Intent.OPT_IN]
        mixed = bool(stops and starts)
        among = stops or [r for r in readings if r.intent is Intent.HELP] or starts
        best = max(among, key=lambda r: _weight(r, lexicon, audience))
    return Decision(
        intent=best.intent,
        tier=TIERS[1 if mixed else best.level],
        switch=best.switch,
        term=best.say,
        language=best.language,
        span=normal.span(best.start, best.end),
    )


def _weight(reading: Reading, lexicon: Lexicon, audience: Audience) -> tuple[int, bool, int]:
    speaks = bool(audience.speaks(lexicon.grammars[reading.language]))
    return reading.level, speaks, reading.end - reading.start

"""Words of stopping and of messages in a short text, joined by no phrase: "your ads bore me, stop".

At most likely: a person looks. Ordinary texts hold both less than once in three thousand.
"""

from consent.model import Switch
from keywords.case import Case, Reading
from keywords.decision import Intent
from keywords.grammar import MENTIONED, Grammar, stopping_roles
from keywords.normalize import QUESTION_MARKS
from keywords.phrases import sentence_of

_SAY = "a word of stopping and one of messages"


def mentioned(case: Case, grammar: Grammar) -> list[Reading]:
    """Return a likely stop if the text has words of both kinds in this language.

    A question, somebody else in it, or what somebody is told to reply: then it is about stopping.
    """
    if not QUESTION_MARKS.isdisjoint(case.normal.raw):
        return []
    about = grammar.mask(("question", "others", "reply", "limit"))
    things, promotions = grammar.mask(MENTIONED), grammar.mask(("promotions",))
    stopping = grammar.mask(stopping_roles(grammar))
    sentence = sentence_of(case, grammar)
    switch = Switch.ALL
    spans: dict[bool, tuple[int, int]] = {}  # of the first word of each kind
    for letter, span in zip(sentence.letters, sentence.spans, strict=True):
        roles = grammar.roles_of(letter)
        if roles & things:
            spans.setdefault(True, span)
            if roles & promotions:
                switch = Switch.MARKETING
        elif roles & about:
            return []
        elif roles & stopping:
            spans.setdefault(False, span)
    if len(spans) < 2:
        return []
    start, end = min(span[0] for span in spans.values()), max(span[1] for span in spans.values())
    return [Reading(Intent.OPT_OUT, 1, switch, _SAY, grammar.language, start, end)]

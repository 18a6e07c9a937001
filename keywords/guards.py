"""What stands around a phrase and takes from it: negations, doubts, another object.

A negation or an instruction that is merely reported makes a phrase nothing (two steps); each other
doubt takes it one step down, from certain to likely to nothing. A sentence is a string of letters
here, one for each word (`keywords.grammar`).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

OTHER = "x"  # the letter of a word that no pack knows
ASKED, ENDED, PAUSED, SAID = "?", ".", ",", ":"  # letters of what stands between words
BREAKS = f"{ASKED}{ENDED}{PAUSED}{SAID}"
FOREIGN_COURTESY = "\ue000"  # the letter of a word that is courtesy in another language

_SENTENCE_END = re.compile(f"[{re.escape(ENDED + ASKED)}]")
DENYING = 2  # steps: from here on a phrase says the contrary, or was said by somebody else
NEAR = 12  # words before and after a phrase that can change what it says

# What a request to stop may be about.
THINGS = ("messages", "promotions", "list", "number")
# Roles that guards ask about, in every language.
GUARDS = (
    "answer",
    "ask",
    "courtesy",
    "filler",
    "join",
    "lead_in",
    "limit",
    "me",
    "more",
    "not",
    "others",
    "question",
    "receive",
    "refuse",
    "reply",
    "stop",
    *THINGS,
)
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


class Doubt(Enum):
    """What takes a phrase down: how many steps, and in words."""

    REPORTED = 2, "somebody else said it"
    NEGATED = 2, "a negation stands before it"
    NEGATED_FAR = 1, "a negation stands before it, with other words between"
    INSTRUCTION = 2, "it is what somebody is told to reply"
    OTHER_BEFORE = 1, "words before it that it has nothing to do with"
    QUESTION_WORD = 1, "a word that asks or tells what was said stands before it"
    OTHERS = 1, "somebody else may be meant"
    LIMIT = 1, "only at times, until then, about one thing"
    REPLY = 1, "a word such as reply stands before it"
    NEGATED_AFTER = 2, "a negation stands after it"
    OTHERS_AFTER = 2, "somebody else is to get it"
    OTHER_AFTER = 1, "it goes on about something else"
    QUOTED = 1, "it stands in quotation marks"
    QUESTION = 1, "it is a question, but not how to stop"

    @property
    def steps(self) -> int:
        """How far it takes a phrase down."""
        return self.value[0]

    @property
    def says(self) -> str:
        """The same in words."""
        return self.value[1]


_BEGUN_ANEW = (Doubt.OTHER_BEFORE, Doubt.NEGATED_FAR)  # what "please" before a phrase settles


@dataclass(frozen=True, slots=True)
class Guards:
    """The letters of the words that guards ask about, put together as they are asked for."""

    ask: frozenset[str]
    polite: frozenset[str]  # courtesy of the language itself
    limit: frozenset[str]
    me: frozenset[str]
    promotions: frozenset[str]
    reply: frozenset[str]
    answer: frozenset[str]
    negations: frozenset[str]
    negations_after: frozenset[str]  # where "not" comes last
    reported: frozenset[str]  # before a colon: somebody else said it
    doubtful: tuple[tuple[Doubt, frozenset[str]], ...]  # before a phrase, each one step
    others: frozenset[str]
    small: frozenset[str]
    clear: frozenset[str]  # beside a phrase they change nothing
    named: frozenset[str]  # what a phrase is about, right beside it
    breaks: frozenset[str]  # what guards don't look beyond
    stop: str
    opening: str  # courtesy and small words

    @classmethod
    def of(cls, roles: Mapping[str, set[str]], *, used: frozenset[str], not_last: bool) -> "Guards":
        """Return them by the letters of each role.

        `used` are the letters of words that phrases are made of: a second request beside the first
        does not make it another. `not_last`: whether "not" follows what it denies.
        """
        letters = {role: frozenset(roles.get(role, ())) for role in GUARDS}
        return cls(
            **{r: letters[r] for r in ("ask", "limit", "me", "promotions", "reply")},
            polite=letters["courtesy"] - {FOREIGN_COURTESY},
            answer=letters["answer"],
            negations=letters["not"] | letters["refuse"],
            negations_after=letters["not"] - letters["answer"] if not_last else frozenset(),
            reported=letters["question"] | letters["others"] | letters["reply"],
            doubtful=(
                (Doubt.QUESTION_WORD, letters["question"]),
                (Doubt.OTHERS, letters["others"]),
                (Doubt.LIMIT, letters["limit"]),
                (Doubt.REPLY, letters["reply"]),
            ),
            others=letters["others"] - letters["me"],
            small=letters["filler"] - letters["others"],
            clear=frozenset().union(*(letters[r] for r in _CLEAR)) | used,
            named=letters["messages"] | letters["promotions"] | letters["filler"],
            breaks=letters["join"].union(BREAKS),
            stop="".join(sorted(letters["stop"])),
            opening="".join(sorted(letters["courtesy"] | letters["filler"])),
        )


def doubts(guards: Guards, letters: str, first: int, last: int) -> list[Doubt]:
    """Return what speaks against the phrase that these words are."""
    begin, finish, far = first, last, min(last + NEAR, len(letters))
    while begin > 0 and letters[begin - 1] not in guards.breaks:
        begin -= 1
    while finish < far and letters[finish] not in guards.breaks:
        finish += 1
    before, after, inside = letters[begin:first], letters[last:finish], letters[first:last]
    if begin and _is_reported(guards, letters[: begin - 1], letters[begin - 1]):
        return [Doubt.REPORTED]
    found = list(_before(guards, before, inside))
    if before[-1:] in guards.polite:  # "customer 55 here, please …"
        found = [doubt for doubt in found if doubt not in _BEGUN_ANEW]
    if sum(doubt.steps for doubt in found) >= DENYING:
        return found
    found += _after(guards, after, inside, beyond=letters[finish:far])
    asked = letters[finish : finish + 1] == ASKED
    if asked and guards.ask.isdisjoint(before + inside + after):
        found.append(Doubt.QUESTION)
    return found


def _is_reported(guards: Guards, before: str, pause: str) -> bool:
    """Tell whether the words before a colon, or right before a comma, say who said what follows."""
    if pause == PAUSED:
        return before[-1:] in guards.reported
    start = max(before.rfind(sign) for sign in BREAKS) + 1
    return pause == SAID and not guards.reported.isdisjoint(before[start:])


def _before(guards: Guards, before: str, inside: str) -> Iterator[Doubt]:
    """Yield the doubts for what stands before a phrase; "no" before a negation is an answer."""
    if not before:
        return
    negations = guards.negations
    if inside[0] in negations:
        negations -= guards.answer
    words = set(before)
    if not negations.isdisjoint(words):
        at = max(before.rfind(letter) for letter in negations)
        between = before[at + 1 :].strip(guards.stop)
        yield Doubt.NEGATED if guards.clear.issuperset(between) else Doubt.NEGATED_FAR
        return
    opening = before.lstrip(guards.opening)
    if opening and opening[0] in guards.reply:
        yield Doubt.INSTRUCTION
        return
    if not guards.clear.issuperset(words - guards.limit):
        yield Doubt.OTHER_BEFORE
    for doubt, letters in guards.doubtful:
        if not letters.isdisjoint(words):
            yield doubt


def _after(guards: Guards, after: str, inside: str, *, beyond: str) -> Iterator[Doubt]:
    """Yield the doubt for what stands after a phrase: a negation, a limit, another object."""
    words = set(after)
    next_one = _SENTENCE_END.split(beyond, maxsplit=1)[0][:4] if beyond else ""
    if after and after[0] in guards.negations_after:
        yield Doubt.NEGATED_AFTER
    elif _receiver(guards, after) in guards.others:
        yield Doubt.OTHERS_AFTER
    elif not guards.limit.isdisjoint(words) or not guards.limit.isdisjoint(next_one):
        yield Doubt.LIMIT
    elif not guards.clear.issuperset(words) and guards.me.isdisjoint(inside + after[:1]):
        yield Doubt.OTHER_AFTER


def _receiver(guards: Guards, after: str) -> str:
    """Return the first word after a phrase that is more than a small one: "to her"."""
    return next((letter for letter in after if letter not in guards.small), "")

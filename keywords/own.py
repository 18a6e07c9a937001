"""Words that an app chose to listen for, beside those of the packs."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import ahocorasick

from consent.model import Surface, Switch
from keywords.case import Audience, Case
from keywords.decision import NOTHING, Decision, Intent, Tier
from keywords.lexicon import Lexicon
from keywords.matcher import Matcher
from keywords.normalize import QUESTION_MARKS, Normalized, normalize, runs_on
from keywords.pack import matched

OWN = "own"  # what a decision by such a word calls its language
LONGEST = 100  # characters of a word
MOST = 500  # words of one app
_SPOKEN = frozenset({Surface.TEXT, Surface.CAPTION, Surface.FORM})
_CHOSEN = frozenset({Surface.BUTTON, Surface.BUTTON_PAYLOAD, Surface.LIST_ROW, Surface.LIST_ROW_ID})
_LONG = 3 * LONGEST  # characters: a longer text is more than a word and courtesy
_ANYBODY = Audience()
_LOWER = {Tier.CERTAIN: Tier.LIKELY, Tier.LIKELY: Tier.NONE}

# Answers of everyday to whatever was asked last; as an opt-in they would lift opt-outs unmeant.
_EVERYDAY = (
    "yes, yeah, yep, yup, ya, ok, okay, okey, kk, sure, fine, good, great, cool, right, agree, "
    "i agree, agreed, accept, i accept, confirm, confirmed, continue, go, go on, go ahead, next, "
    "more, back, done, hi, hello, no, nope, not now, later, start over, menu, "
    "sí, claro, vale, dale, bueno, acepto, sim, pode, aceito, oui, d'accord, j'accepte, ja, gut, "
    "genau, jo, да, ага, хорошо, так, da, ano, tak, dobra, evet, tamam, olur, iya, baik, oke, "
    "vâng, có, được, نعم, اه, أجل, تمام, موافق, حسنا, بله, باشه, जी, हाँ, हां, हा, ठीक, ठीक है, "
    "haan, han, theek hai, হ্যাঁ, ঠিক আছে, 是, 是的, 好, 好的, 可以, 嗯, 行, はい, うん, ええ, "
    "네, 예, 응, ใช่, ได้, ตกลง, 👍, 👌, ✅, ✔️, ☑️, 🙏, ❤️, 🆗, 👏, 🙂, 😊, 😂, ✌️, 💯"
)


class BadOwnWordError(ValueError):
    """A word can't be taken on; the message says why."""


@dataclass(frozen=True, slots=True)
class OwnTerm:
    """One word of an app, as it was given; `keyword_id` is what entries call it."""

    keyword_id: str
    say: str
    intent: Intent
    tier: Tier
    switch: Switch | None


class _Spot(NamedTuple):
    start: int
    end: int
    term: OwnTerm


class OwnWords:
    """The words of one app, ready to match."""

    def __init__(self, terms: Iterable[OwnTerm], lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._exact = {matched(term.say): term for term in terms}
        self._ids = {term.say: term.keyword_id for term in self._exact.values()}
        self._known = _Known(self._exact, lexicon)
        self._automaton = _automaton(self._exact)

    def decide(self, text: str, surface: Surface = Surface.TEXT) -> Decision:
        """Return what the text asks for; never raises, whatever the string.

        It counts if it is nothing but one of the words, with courtesy of any language beside it; on
        a button or list row, exactly the word. A question is a step less sure.
        """
        if surface in _CHOSEN:
            term = self._exact.get(matched(text)) if len(text) <= _LONG else None
            return NOTHING if term is None else _decision(term, term.tier, (0, len(text)))
        if surface not in _SPOKEN or len(text) > _LONG:
            return NOTHING
        normal = normalize(text, self._known)
        spot = self._alone(normal)
        if spot is None:
            return NOTHING
        term = spot.term
        tier = term.tier if QUESTION_MARKS.isdisjoint(text) else _LOWER[term.tier]
        if tier is Tier.NONE or (tier is Tier.LIKELY and term.intent is Intent.OPT_IN):
            return NOTHING
        return _decision(term, tier, normal.span(spot.start, spot.end))

    def id_of(self, decision: Decision) -> str:
        """Return the id of the word that decided."""
        return self._ids[decision.term]

    def _alone(self, normal: Normalized) -> _Spot | None:
        """Return where the one word stands if there is nothing beside it but courtesy."""
        spots = self._spots(normal.text)
        if not spots:
            return None
        text = normal.text
        case = Case(self._lexicon, normal, _ANYBODY, self._lexicon.hits(text))
        found: _Spot | None = None
        at = 1
        while at < len(text):
            spot = spots.get(at)
            if spot is not None:
                if found is not None and found.term is not spot.term:
                    return None
                found = found or spot
                at = spot.end
            elif text[at] == " ":
                at += 1
            else:
                after = _courtesy_end(case, at)
                if after is None:
                    return None
                at = after
        return found

    def _spots(self, text: str) -> dict[int, _Spot]:
        """Return the words in a folded text by where they begin, the longest at each place."""
        spots: dict[int, _Spot] = {}
        for last, (length, after, term) in self._automaton.iter(text):
            end = last + 1 - after
            spot = _Spot(end - length, end, term)
            known = spots.get(spot.start)
            if known is None or known.end < end:
                spots[spot.start] = spot
        return spots


def _courtesy_end(case: Case, at: int) -> int | None:
    """Return where the courtesy or emoji that begins here ends, or None if it is neither."""
    for found in case.at.get(at, ()):
        if found.mark.courtesy:
            return found.end
    return at + 1 if unicodedata.category(case.normal.text[at]) == "So" else None


class _Known:
    """What a word may be mended into: the parts of the app's own, and what the packs know."""

    def __init__(self, terms: Iterable[str], lexicon: Lexicon) -> None:
        self._own = frozenset(word for text in terms for word in text.split() if len(word) > 1)
        self._packs = lexicon.known

    def __contains__(self, word: object) -> bool:
        return word in self._own or word in self._packs


def _automaton(terms: Mapping[str, OwnTerm]) -> ahocorasick.Automaton:
    """Return what finds the words between spaces, or anywhere in scripts that have none."""
    automaton = ahocorasick.Automaton()
    for text, term in terms.items():
        before, after = ("" if runs_on(end) else " " for end in (text[0], text[-1]))
        automaton.add_word(f"{before}{text}{after}", (len(text), len(after), term))
    automaton.make_automaton()
    return automaton


def _decision(term: OwnTerm, tier: Tier, span: tuple[int, int]) -> Decision:
    return Decision(term.intent, tier, term.switch, term.say, OWN, span)


def check(say: str, *, intent: Intent, tier: Tier, matcher: Matcher) -> str:
    """Return the spelling a new word is matched in; raise BadOwnWordError if it can't be one."""
    if not 0 < len(say) <= LONGEST or any(unicodedata.category(c) in ("Cc", "Cs") for c in say):
        raise BadOwnWordError(f"a word is one line of 1 to {LONGEST} characters")
    text = matched(say)
    letters = sum(letter.isalnum() for letter in text)
    signs = any(unicodedata.category(letter) == "So" for letter in text)
    if letters < 2 and not signs:
        raise BadOwnWordError(f"{say!r} is too little: give at least two letters, or an emoji")
    if intent is Intent.OPT_IN:
        _check_opt_in(say, text, tier, matcher)
    _check_packs(say, intent, matcher)
    return text


def _check_opt_in(say: str, text: str, tier: Tier, matcher: Matcher) -> None:
    if tier is not Tier.CERTAIN:
        raise BadOwnWordError("an opt-in is certain or none: a guess never lifts an opt-out")
    everyday = text.replace(" ", "").isdigit() or text in matcher.lexicon.polite
    if everyday or text in _everyday():
        raise BadOwnWordError(
            f"{say!r} is said all day and in answer to anything, so it can't be an opt-in: take "
            f"words that say what is agreed to"
        )


def _everyday() -> frozenset[str]:
    return frozenset(matched(word) for word in _EVERYDAY.split(", "))


def _check_packs(say: str, intent: Intent, matcher: Matcher) -> None:
    """Refuse a word that the packs of any language read as another request."""
    everywhere = tuple(matcher.lexicon.grammars)
    for surface in (Surface.TEXT, Surface.BUTTON, Surface.BUTTON_PAYLOAD):
        found = matcher.decide(say, surface=surface, languages=everywhere)
        if found.intent in (Intent.OPT_OUT, Intent.OPT_IN) and found.intent is not intent:
            raise BadOwnWordError(
                f"{say!r} is an {found.intent.value} already, by {found.term!r} in the pack "
                f"{found.language}, and can't be an {intent.value} as well"
            )

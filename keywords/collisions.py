"""Spellings that mean one thing in one language and another in another: what a test looks for."""

from collections.abc import Iterable

from keywords.decision import Intent, Tier
from keywords.pack import Kind, Pack, Term

# Words that everybody says all day; nothing that asks for something may be one of them elsewhere.
_EVERYDAY = ("answer", "courtesy", "filler", "me", "more", "others", "question", "want")


def opposites(packs: Iterable[Pack]) -> list[str]:
    """Return a line for each spelling that asks to stop in one pack and to start in another."""
    first: dict[str, Term] = {}
    found: list[str] = []
    for term in (term for pack in packs for term in pack.terms):
        if term.intent is Intent.HELP:
            continue
        other = first.setdefault(term.text, term)
        if other.intent is not term.intent:
            one, two = f"{other.language} {other.say!r}", f"{term.language} {term.say!r}"
            found.append(f"{one} ({other.intent}) and {two} ({term.intent}) are spelled alike")
    return found


def everyday(packs: Iterable[Pack]) -> list[str]:
    """Return a line for each certain term that is an everyday word of another language.

    A term that acts only where its language is served or spoken does no harm elsewhere.
    """
    packs = list(packs)
    said: dict[str, tuple[Pack, str]] = {}
    for pack in packs:
        for role in _EVERYDAY:
            for word in pack.words.get(role, ()):
                said.setdefault(word, (pack, role))
    found: list[str] = []
    for term in (term for pack in packs for term in pack.terms if _acts_anywhere(term)):
        if term.text in said:
            other, role = said[term.text]
            here, there = term.language, other.language
            if here != there:
                found.append(f"{here} {term.say!r} ({term.intent}) is {role} in {there}")
    return found


def _acts_anywhere(term: Term) -> bool:
    spoken = term.kind not in (Kind.BUTTON, Kind.PAYLOAD) and term.intent is not Intent.HELP
    return spoken and term.tier is Tier.CERTAIN and not term.local

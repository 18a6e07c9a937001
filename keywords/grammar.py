"""How the words of one language combine: phrases over roles, and what guards ask about.

A word can have several roles ("text" is a thing and an act). A message becomes a string with one
letter for each word, a letter standing for a set of roles, and a phrase such as
`stop send? messages` becomes a regular expression over those letters. So a phrase costs nothing
until its words are there, and no list of sentences is needed.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from keywords.guards import BREAKS, FOREIGN_COURTESY, GUARDS, OTHER, THINGS, Guards
from keywords.pack import STEM, BadPack, Pack, Phrase

# The rarest first: a phrase is looked for only where its rarest word was found.
_ANCHORS = (
    "unsubscribe",
    "consent",
    "messages",
    "promotions",
    "list",
    "contact",
    "receive",
    "number",
    "remove",
    "stop",
    "send",
)
# Words that may stand between the words of a phrase without changing it.
_SKIPPED = ("filler", "courtesy", "me", "more")
# What is mentioned together in a text that no phrase joins; roles by how their names begin.
MENTIONED = ("messages", "promotions")
_STOPPING = (
    *("stop", "halt", "quit", "refrain", "cease", "unsubscribe", "remove"),
    *("dont_send", "dont_contact", "dont_write", "no_send", "unwanted", "glued"),
)
_MOST_SKIPPED = 5
_MOST_UNKNOWN = 3  # words before what a phrase is about, where some may be unknown
_SHORT = 3  # letters
_COMMON_COST = 1000
# No phrase is looked for because of these.
_EVERYWHERE = {*GUARDS, "dont", "want"}.difference(_ANCHORS)


class Pattern:
    """A phrase. `needs` is a set of roles for each word that must be there, the rarest first."""

    __slots__ = ("_letters", "_loose", "_regex", "needs", "phrase")

    def __init__(
        self, phrase: Phrase, needs: tuple[int, ...], letters: Mapping[str, set[str]]
    ) -> None:
        self.phrase = phrase
        self.needs = needs
        self._letters = letters
        self._regex: re.Pattern[str] | None = None
        self._loose: re.Pattern[str] | None = None

    @property
    def regex(self) -> re.Pattern[str]:
        """The phrase over the letters of its language, made when it is first looked for."""
        if self._regex is None:
            self._regex = _compiled(self.phrase.say, self._letters)
        return self._regex

    @property
    def loose(self) -> re.Pattern[str]:
        """The same with unknown words before what it is about."""
        if self._loose is None:
            self._loose = _compiled(self.phrase.say, self._letters, loose=True)
        return self._loose


class Grammar:
    """How the words of one language combine.

    `bits` has a bit for each role of the language; `sets` the sets of roles, as bits, that some
    word of it has. A word is known here by the place of its set.
    """

    def __init__(
        self, pack: Pack, index: int, bits: Mapping[str, int], sets: Sequence[int]
    ) -> None:
        self.index = index  # of the language among all
        self.language = pack.language
        self.countries = pack.countries
        self.bits = bits
        self.sets = sets
        self._phrases = pack.phrases
        for phrase in pack.phrases:
            self._check(phrase, pack)
        parts = [[w.split("|") for w in _needed(phrase.say)] for phrase in pack.phrases]
        short = {role: _short(pack, role) for role in bits}
        anchors = [_anchor(words, short) for words in parts]
        self.anchors = self.mask({role for roles in anchors for role in roles})
        self.others = self.mask(
            role
            for words, anchor in zip(parts, anchors, strict=True)
            for roles in words
            if roles is not anchor
            for role in roles
        )
        self.used = self.mask({role for words in parts for word in words for role in word})
        self._needs = [
            tuple(self.mask(word) for word in sorted(words, key=_rarity)) for words in parts
        ]
        self._wanted = _by_rarest(self._needs)
        self.enough = self._mask_of_single()

    def _check(self, phrase: Phrase, pack: Pack) -> None:
        for word in re.findall("[a-z_]+", phrase.say):
            if word not in pack.words and word not in GUARDS:
                raise BadPack(
                    f"{pack.language}.toml: phrase {phrase.say!r}: no words for {word!r}; "
                    f"add them under [words]"
                )
        words = [word.split("|") for word in _needed(phrase.say)]
        if all(_EVERYWHERE.issuperset(roles) for roles in words):
            raise BadPack(
                f"{pack.language}.toml: phrase {phrase.say!r}: only words that are everywhere; "
                f"add one that starts a search, such as {', '.join(_ANCHORS)}"
            )

    def mask(self, roles: Iterable[str]) -> int:
        """Return the bits of these roles; a role without words has none."""
        return sum(self.bits.get(role, 0) for role in set(roles))

    def _mask_of_single(self) -> int:
        """Return the roles that are all that some phrase needs."""
        found = 0
        for needs in self._needs:
            if len(set(needs)) == 1:
                found |= needs[0]
        return found

    # What follows is worked out when a phrase of the language is first looked for.
    @cached_property
    def _roles_of(self) -> Mapping[str, int]:
        return {letter(place): roles for place, roles in enumerate(self.sets)}

    @cached_property
    def _letters_of(self) -> Mapping[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for letter, roles in self._roles_of.items():
            for role, bit in self.bits.items():
                if roles & bit:
                    found[role].add(letter)
        found["courtesy"].add(FOREIGN_COURTESY)
        return found

    @cached_property
    def guards(self) -> Guards:
        """The letters of the words that guards ask about."""
        not_last = any(phrase.say.endswith(" not") for phrase in self._phrases)
        doubtful = self.mask(("question", "others", "limit", "reply", "not", "refuse"))
        used = frozenset(
            sign
            for sign, roles in self._roles_of.items()
            if roles & self.used and not roles & doubtful
        )
        return Guards.of(self._letters_of, used=used, not_last=not_last)

    @cached_property
    def _patterns(self) -> list[Pattern]:
        return [
            Pattern(phrase, needs, self._letters_of)
            for phrase, needs in zip(self._phrases, self._needs, strict=True)
        ]

    def roles_of(self, letter: str) -> int:
        """Return the roles a letter stands for, as bits."""
        return self._roles_of.get(letter, 0)

    def roles_named(self, letter: str) -> list[str]:
        """Return the names of the roles a letter stands for."""
        roles = self._roles_of.get(letter, 0)
        return [role for role, bit in self.bits.items() if roles & bit]

    def possible(self, letters: str) -> list[Pattern]:
        """Return the patterns whose words are all there, by the letters of a sentence."""
        roles = 0
        for letter in set(letters):
            roles |= self._roles_of.get(letter, 0)
        found = []
        for pattern in self._patterns:
            for need in pattern.needs:
                if not need & roles:
                    break
            else:
                found.append(pattern)
        return found

    def allows(self, roles: int) -> bool:
        """Tell whether words with these roles, as bits, are all that some phrase needs."""
        for rarest, others in self._wanted:
            if rarest & roles:
                for needs in others:
                    for need in needs:
                        if not need & roles:
                            break
                    else:
                        return True
        return False


def stopping_roles(grammar: Grammar) -> set[str]:
    """Return the roles of a pack whose words are about stopping, denied verbs among them."""
    return {role for role in grammar.bits if role.startswith(_STOPPING)}


def letter(place: int) -> str:
    """Return the letter of the words whose set of roles stands at this place of a grammar."""
    return chr(0xE001 + place)


def _needed(say: str) -> list[str]:
    """Return the words of a phrase that must be there."""
    return [word for word in say.split() if word not in "^$" and not word.endswith("?")]


def _anchor(words: list[list[str]], short: Mapping[str, int]) -> list[str]:
    """Return the roles of the word that a search for a phrase starts from: one seldom said."""
    return min(words, key=lambda roles: (sum(short[role] for role in roles), _rarity(roles)))


def _short(pack: Pack, role: str) -> int:
    """Return how many words of a role are so short that other languages have them too."""
    longest = _SHORT if pack.spaces else 1
    few = sum(len(word.removesuffix(STEM)) <= longest for word in pack.words.get(role, ()))
    return few + (_COMMON_COST if role in _EVERYWHERE else 0)


def _rarity(roles: list[str]) -> int:
    return min((i for i, anchor in enumerate(_ANCHORS) if anchor in roles), default=len(_ANCHORS))


def _by_rarest(
    patterns: Iterable[tuple[int, ...]],
) -> tuple[tuple[int, tuple[tuple[int, ...], ...]], ...]:
    """Return what patterns need besides their rarest word, by that word, each once.

    A pattern that has all that another one needs, and more, adds nothing to that other.
    """
    found: dict[int, dict[tuple[int, ...], None]] = defaultdict(dict)
    kept: list[tuple[int, ...]] = []
    for needs in sorted(set(patterns), key=len):
        if not any(all(any(n & w == n for n in needs) for w in less) for less in kept):
            kept.append(needs)
            found[needs[0]][tuple(dict.fromkeys(n for n in needs[1:] if n != needs[0]))] = None
    return tuple((rarest, tuple(others)) for rarest, others in found.items())


def _compiled(say: str, letters: Mapping[str, set[str]], *, loose: bool = False) -> re.Pattern[str]:
    """Return the expression for a phrase: its words in order, at most a few skipped between two.

    A loose one also skips unknown words before the thing it is about: "stop your ugly messages".
    """

    def any_of(roles: Iterable[str]) -> str:
        found = sorted({letter for role in roles for letter in letters.get(role, ())})
        return f"[{''.join(found)}]" if found else "(?!)"

    small = "".join(sorted({letter for role in _SKIPPED for letter in letters.get(role, ())}))
    skip = f"[{small}]{{0,{_MOST_SKIPPED}}}"
    words = say.split()
    parts: list[str] = []
    for word, then in zip(words, [*words[1:], ""], strict=True):
        roles = word.removesuffix("?").split("|")
        wide = loose and _may_describe(roles, then.removesuffix("?").split("|"))
        after = f"[{small}{OTHER}]{{0,{_MOST_UNKNOWN}}}" if wide else skip
        if word == "^":
            parts.append(f"(?:^|(?<=[{re.escape(BREAKS)}])|(?<={any_of(('join',))})){skip}")
        elif word == "$":
            parts.append(f"(?={skip}(?:$|[{re.escape(BREAKS)}]|{any_of(('join',))}))")
        elif word.endswith("?"):
            parts.append(f"(?:{any_of(roles)}{after})?")
        else:
            parts.append(any_of(roles) + after)
    expression = "".join(parts)
    return re.compile(expression.removesuffix(skip))


def _may_describe(roles: list[str], then: list[str]) -> bool:
    """Tell whether unknown words between these two can only describe the second.

    After a negation they may be the verb: "I didn't get your message".
    """
    denies = any(role.startswith(("not", "no_", "dont", "refuse", "none")) for role in roles)
    return not denies and not set(THINGS).isdisjoint(then)

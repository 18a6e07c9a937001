"""The packs made ready to match: one automaton over all words, and a grammar for each language.

A word can have several roles ("text" is a thing and an act). A message becomes a string with one
letter for each word, a letter standing for a set of roles, and a phrase such as
`stop send? messages` becomes a regular expression over those letters. So a phrase costs nothing
until its words are there, and no list of sentences is needed.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import ahocorasick

from keywords.decision import Intent, Tier
from keywords.normalize import oddities
from keywords.pack import COMMON, BadPack, Kind, Pack, Phrase, Term

OTHER = "x"  # the letter of a word that no pack knows
ASKED, ENDED, PAUSED = "?", ".", ","  # letters of what stands between words
BREAKS = f"{ASKED}{ENDED}{PAUSED}"

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
_MOST_SKIPPED = 5
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
FOREIGN_COURTESY = "\ue000"  # the letter of a word that is courtesy in another language


@dataclass(slots=True, eq=False)
class Mark:
    """All that one string of the automaton means. `pad` is 1 if the string has spaces around it."""

    text: str
    length: int  # of the text
    pad: int
    terms: tuple[Term, ...] = ()
    roles: dict[str, int] = field(default_factory=dict)  # by language, a bit for each role
    common: int = 0  # roles it has in every language
    courtesy: bool = False  # in some language
    odd: bool = False  # only betrays an odd spelling
    # What follows from the above, worked out once.
    letters: dict[str, str] = field(default_factory=dict)  # by language
    phrased: tuple[Term, ...] = ()  # terms that also count inside a longer message
    leads: bool = False  # to a term: "I want to", "how do I", "no", in some language
    answers: bool = False  # as "no" does, in some language
    fits: bool = False  # into a message that is nothing but a term and courtesy

    def roles_in(self, language: str) -> int:
        """Return its roles in this language, else those that hold in every language."""
        return self.roles.get(language, 0) | self.common


@dataclass(frozen=True, slots=True)
class Pattern:
    """A phrase, compiled. `needs` is a set of roles for each word that must be there."""

    phrase: Phrase
    needs: tuple[int, ...]
    regex: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Guards:
    """The letters of the words that guards ask about, put together as they are asked for."""

    ask: frozenset[str]
    courtesy: frozenset[str]
    limit: frozenset[str]
    me: frozenset[str]
    promotions: frozenset[str]
    reply: frozenset[str]
    answer: frozenset[str]
    negations: frozenset[str]
    negations_after: frozenset[str]  # where the verb comes last
    doubtful: tuple[frozenset[str], ...]  # before a phrase, each one step
    clear: frozenset[str]  # beside a phrase they change nothing
    named: frozenset[str]  # what a phrase is about, right beside it
    breaks: frozenset[str]  # what guards don't look beyond
    stop: str
    opening: str  # courtesy and small words

    @classmethod
    def of(cls, roles: Mapping[str, set[str]]) -> "Guards":
        """Return them by the letters of each role."""
        letters = {role: frozenset(roles.get(role, ())) for role in GUARDS}
        return cls(
            **{r: letters[r] for r in ("ask", "courtesy", "limit", "me", "promotions", "reply")},
            answer=letters["answer"],
            negations=letters["not"] | letters["refuse"],
            negations_after=letters["not"] - letters["answer"],
            doubtful=tuple(letters[r] for r in ("question", "others", "limit", "reply")),
            clear=frozenset().union(*(letters[r] for r in _CLEAR)),
            named=letters["messages"] | letters["promotions"] | letters["filler"],
            breaks=letters["join"].union(BREAKS),
            stop="".join(sorted(letters["stop"])),
            opening="".join(sorted(letters["courtesy"] | letters["filler"])),
        )


@dataclass(frozen=True, slots=True)
class Grammar:
    """How one language's words combine: letters of sets of roles, patterns, guards."""

    language: str
    countries: frozenset[str]
    roles: Mapping[str, int]  # by letter
    patterns: tuple[Pattern, ...]
    needs: tuple[tuple[int, tuple[tuple[int, ...], ...]], ...]  # of patterns, by rarest word
    guards: Guards

    def possible(self, letters: str) -> list[Pattern]:
        """Return the patterns whose words are all there, by the letters of a sentence."""
        roles = 0
        for letter in set(letters):
            roles |= self.roles.get(letter, 0)
        found = []
        for pattern in self.patterns:
            for need in pattern.needs:
                if not need & roles:
                    break
            else:
                found.append(pattern)
        return found

    def allows(self, roles: int) -> bool:
        """Tell whether the words of any pattern are all there."""
        for rarest, others in self.needs:
            if rarest & roles:
                for needs in others:
                    for need in needs:
                        if not need & roles:
                            break
                    else:
                        return True
        return False


class Lexicon:
    """Everything the packs say, ready to match."""

    def __init__(self, packs: list[Pack]) -> None:
        self.version = next((pack.version for pack in packs if pack.language == COMMON), "")
        self.terms = [term for pack in packs for term in pack.terms]
        self.bits = _bits(packs)
        self.payloads = _by_text(self.terms, Kind.PAYLOAD)
        self.labels = _by_text(self.terms, Kind.BUTTON)
        marks = self._marks(packs)
        self.grammars = {pack.language: self._grammar(pack, marks) for pack in packs}
        self.known = frozenset(
            mark.strip() for mark in marks if " " not in mark.strip() and len(mark.strip()) > 1
        )
        self._add_oddities(marks)
        self.lead = self.mask(("lead_in", "ask", "answer"))
        self.ask = self.mask(("ask",))
        for mark in marks.values():
            self._complete(mark)
        self.polite = frozenset(key.strip() for key, mark in marks.items() if mark.courtesy)
        self._typos = _typos(packs)
        self._heads, self._tails = _ends_of_typos(self._typos)
        self._other_words = frozenset(word for pack in packs for word in pack.not_typos)
        anchors = {p.language: self._anchors(p) for p in packs}
        loud = {key: self._is_loud(mark, anchors) for key, mark in marks.items()}
        keys = sorted(marks, key=lambda key: (loud[key], key))
        self.marks = [marks[key] for key in keys]
        self.first_loud = sum(1 for key in keys if not loud[key])
        self.sieve = Sieve(self, [anchors[mark_language] for mark_language in self.grammars])
        self.automaton = ahocorasick.Automaton(ahocorasick.STORE_INTS)
        for number, key in enumerate(keys):
            self.automaton.add_word(key, number)
        if keys:
            self.automaton.make_automaton()

    def mask(self, roles: Iterable[str]) -> int:
        """Return the bits of these roles; a role no pack uses has none."""
        return sum(self.bits.get(role, 0) for role in set(roles))

    def meant(self, word: str) -> Term | None:
        """Return the term this word is, but for one letter wrong, missing, extra or swapped."""
        # One error leaves the first two letters as they are, or the last two.
        size = len(word)
        if (size, word[:2]) not in self._heads and (size, word[-2:]) not in self._tails:
            return None
        if word in self._other_words:
            return None
        for shorter in (word, *less_one(word)):
            for term in self._typos.get(shorter, ()):
                if near(word, term.text):
                    return term
        return None

    def _marks(self, packs: list[Pack]) -> dict[str, Mark]:
        marks: dict[str, Mark] = {}
        for pack in packs:
            pad = 1 if pack.spaces else 0
            for role, words in pack.words.items():
                for word in words:
                    mark = _mark(marks, word, pad)
                    if pack.language == COMMON:
                        mark.common |= self.bits[role]
                    else:
                        roles = mark.roles.get(pack.language, 0)
                        mark.roles[pack.language] = roles | self.bits[role]
                    mark.courtesy |= role == "courtesy"
            for term in pack.terms:
                if term.kind not in (Kind.BUTTON, Kind.PAYLOAD):
                    sign = len(term.text) == 1 and not term.text.isalnum()
                    mark = _mark(marks, term.text, 0 if sign else pad)
                    mark.terms = (*mark.terms, term)
        return marks

    def _add_oddities(self, marks: dict[str, Mark]) -> None:
        words = [
            term.text
            for term in self.terms
            if term.tier is Tier.CERTAIN
            and term.intent is Intent.OPT_OUT
            and 4 <= len(term.text) <= 20
            and term.text.isalpha()
        ]
        for key in oddities(words):
            marks.setdefault(key, Mark(text=key, length=len(key), pad=0)).odd = True

    def _complete(self, mark: Mark) -> None:
        roles, answer = mark.roles.values(), self.mask(("answer",))
        mark.phrased = tuple(term for term in mark.terms if term.anywhere)
        mark.leads = bool(mark.common & self.lead) or any(own & self.lead for own in roles)
        mark.answers = any(own & answer for own in roles)
        mark.fits = bool(mark.terms) or mark.courtesy or mark.leads

    def _is_loud(self, mark: Mark, anchors: Mapping[str, int]) -> bool:
        """Tell whether a text without any such mark asks for nothing."""
        if mark.odd or mark.terms:
            return True
        if any(mark.common & roles for roles in anchors.values()):
            return True
        return any(roles & anchors[language] for language, roles in mark.roles.items())

    def _anchors(self, pack: Pack) -> int:
        found: set[str] = set()
        for phrase in pack.phrases:
            needed = [word.split("|") for word in _needed(phrase.say)]
            rare = [roles for anchor in _ANCHORS for roles in needed if anchor in roles]
            rare += [roles for roles in needed if not set(roles) & {*GUARDS, "dont", "want"}]
            if not rare:
                raise BadPack(
                    f"{pack.language}.toml: phrase {phrase.say!r}: only words that are everywhere; "
                    f"add one that starts a search, such as {', '.join(_ANCHORS)}"
                )
            found.update(rare[0])
        return self.mask(found)

    def _grammar(self, pack: Pack, marks: Mapping[str, Mark]) -> Grammar:
        spoken = [m for m in marks.values() if m.common or pack.language in m.roles]
        sets = {mark.roles_in(pack.language) for mark in spoken}
        letters = {roles: chr(0xE001 + i) for i, roles in enumerate(sorted(sets))}
        for mark in spoken:
            mark.letters[pack.language] = letters[mark.roles_in(pack.language)]
        of_role: dict[str, set[str]] = defaultdict(set)
        for roles, letter in letters.items():
            for role, bit in self.bits.items():
                if roles & bit:
                    of_role[role].add(letter)
        of_role["courtesy"].add(FOREIGN_COURTESY)
        patterns = []
        for phrase in pack.phrases:
            for word in re.findall("[a-z_]+", phrase.say):
                if word not in pack.words and word not in of_role:
                    raise BadPack(
                        f"{pack.language}.toml: phrase {phrase.say!r}: no words for {word!r}; "
                        f"add them under [words]"
                    )
            rarest_first = sorted(_needed(phrase.say), key=_rarity)
            needs = tuple(self.mask(w.split("|")) for w in rarest_first)
            patterns.append(Pattern(phrase, needs, _compiled(phrase.say, of_role)))
        return Grammar(
            language=pack.language,
            countries=pack.countries,
            roles={letter: roles for roles, letter in letters.items()},
            patterns=tuple(patterns),
            needs=_by_rarest(patterns),
            guards=Guards.of(of_role),
        )


class Sieve:
    """Tells in a microsecond whether marks can come to anything, by counting what is there."""

    def __init__(self, lexicon: Lexicon, anchors: list[int]) -> None:
        self._first_loud = lexicon.first_loud
        self._grammars = list(lexicon.grammars.values())
        # The roles of a mark in all languages are one number, a stretch of bits for each.
        self._width = len(lexicon.bits)
        self._roles = [self._side_by_side(mark) for mark in lexicon.marks]
        self._starts = [self._started(mark, anchors) for mark in lexicon.marks]
        beside = lexicon.mask(("courtesy", "lead_in", "ask", "answer"))
        self._beside = [_words_beside(mark, beside) for mark in lexicon.marks]
        self._odd = frozenset(n for n, mark in enumerate(lexicon.marks) if mark.odd)
        self._phrased = {
            number: [lexicon.grammars[term.language] for term in mark.phrased]
            for number, mark in enumerate(lexicon.marks)
            if mark.phrased
        }
        self._alone = frozenset(n for n, mark in enumerate(lexicon.marks) if mark.terms)

    def _side_by_side(self, mark: Mark) -> int:
        return sum(
            mark.roles_in(g.language) << i * self._width for i, g in enumerate(self._grammars)
        )

    def _started(self, mark: Mark, anchors: list[int]) -> tuple[int, ...]:
        """Return the languages in which a phrase may be looked for when this mark is found."""
        found = (i for i, g in enumerate(self._grammars) if mark.roles_in(g.language) & anchors[i])
        return tuple(found)

    def bare(self, numbers: list[int]) -> int:
        """Return how many words a message of terms and courtesy may have; 0 if no term is there."""
        if self._alone.isdisjoint(numbers):
            return 0
        return sum(self._beside[number] for number in numbers)

    def grammars(self, numbers: list[int]) -> list[Grammar]:
        """Return the languages whose phrases may be there."""
        once = dict.fromkeys(numbers)  # a word said a hundred times is one word here
        first_loud, starts = self._first_loud, self._starts
        loud = [number for number in once if number >= first_loud]
        found: list[Grammar] = []
        started = {language for number in loud for language in starts[number]}
        if started:
            roles, roles_of = 0, self._roles
            for number in once:
                roles |= roles_of[number]
            width = self._width
            every = (1 << width) - 1
            for language in sorted(started):
                grammar = self._grammars[language]
                if grammar.allows(roles >> language * width & every):
                    found.append(grammar)
        for number in loud:
            for grammar in self._phrased.get(number, ()):
                if grammar not in found:
                    found.append(grammar)
        return found

    def is_odd(self, numbers: list[int]) -> bool:
        """Tell whether some word is written oddly."""
        return not self._odd.isdisjoint(numbers)


def _words_beside(mark: Mark, roles: int) -> int:
    """Return how many words this mark accounts for in a message of terms and courtesy."""
    polite = mark.common & roles or any(own & roles for own in mark.roles.values())
    return len(mark.text.split()) if mark.terms or mark.courtesy or polite else 0


def _mark(marks: dict[str, Mark], text: str, pad: int) -> Mark:
    key = f" {text} " if pad else text
    return marks.setdefault(key, Mark(text=text, length=len(text), pad=pad))


def _bits(packs: Iterable[Pack]) -> dict[str, int]:
    roles = {role for pack in packs for role in pack.words} | set(GUARDS)
    return {role: 1 << i for i, role in enumerate(sorted(roles))}


def _by_text(terms: Iterable[Term], kind: Kind) -> dict[str, Term]:
    found: dict[str, Term] = {}
    for term in terms:
        if term.kind is kind:
            found.setdefault(term.text, term)
    return found


def _needed(say: str) -> list[str]:
    """Return the words of a phrase that must be there."""
    return [word for word in say.split() if word not in "^$" and not word.endswith("?")]


def _by_rarest(patterns: Iterable[Pattern]) -> tuple[tuple[int, tuple[tuple[int, ...], ...]], ...]:
    """Return what patterns need besides their rarest word, by that word, each once.

    A pattern that has all that another one needs, and more, adds nothing to that other.
    """
    found: dict[int, dict[tuple[int, ...], None]] = defaultdict(dict)
    kept: list[tuple[int, ...]] = []
    for needs in sorted({pattern.needs for pattern in patterns}, key=len):
        if not any(all(any(n & w == n for n in needs) for w in less) for less in kept):
            kept.append(needs)
            found[needs[0]][tuple(dict.fromkeys(n for n in needs[1:] if n != needs[0]))] = None
    return tuple((rarest, tuple(others)) for rarest, others in found.items())


def _rarity(word: str) -> int:
    roles = word.split("|")
    return min((i for i, anchor in enumerate(_ANCHORS) if anchor in roles), default=len(_ANCHORS))


def _compiled(say: str, of_role: Mapping[str, set[str]]) -> re.Pattern[str]:
    """Return the expression for a phrase: its words in order, at most a few skipped between two."""

    def any_of(roles: Iterable[str]) -> str:
        found = sorted({letter for role in roles for letter in of_role.get(role, ())})
        return f"[{''.join(found)}]" if found else "(?!)"

    skip = f"{any_of(_SKIPPED)}{{0,{_MOST_SKIPPED}}}"
    parts: list[str] = []
    for word in say.split():
        if word == "^":
            parts.append(f"(?:^|(?<=[{re.escape(BREAKS)}])|(?<={any_of(('join',))})){skip}")
        elif word == "$":
            parts.append(f"(?={skip}(?:$|[{re.escape(BREAKS)}]|{any_of(('join',))}))")
        elif word.endswith("?"):
            parts.append(f"(?:{any_of(word[:-1].split('|'))}{skip})?")
        else:
            parts.append(any_of(word.split("|")) + skip)
    expression = "".join(parts)
    return re.compile(expression.removesuffix(skip))


def _typos(packs: Iterable[Pack]) -> dict[str, list[Term]]:
    """Return by each word less one letter the terms it may be a typing error of.

    Only unmistakable words of five letters and more: an error in "cancel" may be another word.
    """
    found: dict[str, list[Term]] = defaultdict(list)
    for pack in packs:
        for term in pack.terms:
            sure = term.tier is Tier.CERTAIN and term.intent is Intent.OPT_OUT and not term.local
            sure = sure and term.kind is Kind.WORD  # an abbreviation is often an error already
            if sure and len(term.text) >= 5 and term.text.isalpha():
                for shorter in {term.text, *less_one(term.text)}:
                    found[shorter].append(term)
    return dict(found)


def _ends_of_typos(
    typos: Mapping[str, list[Term]],
) -> tuple[frozenset[tuple[int, str]], frozenset[tuple[int, str]]]:
    """Return how a word of so many letters begins, and how it ends, that may be a typing error."""
    texts = {term.text for terms in typos.values() for term in terms}
    sized = [(len(text) + more, text) for text in texts for more in (-1, 0, 1)]
    return (
        frozenset((size, text[:2]) for size, text in sized),
        frozenset((size, text[-2:]) for size, text in sized),
    )


def less_one(word: str) -> Iterator[str]:
    """Yield the word without its first letter, without its second, and so on."""
    return (word[:i] + word[i + 1 :] for i in range(len(word)))


def near(one: str, two: str) -> bool:
    """Tell whether two words differ by one letter wrong, missing, extra, or two swapped."""
    if abs(len(one) - len(two)) > 1:
        return False
    start = 0
    while start < min(len(one), len(two)) and one[start] == two[start]:
        start += 1
    rest, other = one[start:], two[start:]
    if len(one) != len(two):
        return rest[1:] == other or rest == other[1:]
    swapped = rest[:2] == other[:2][::-1] and rest[2:] == other[2:]
    return rest[1:] == other[1:] or swapped

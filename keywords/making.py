"""Makes a lexicon of packs: numbers their strings, and tells what each is in each language."""

from collections.abc import Iterable, Iterator, Mapping

from keywords.decision import Intent, Tier
from keywords.grammar import Grammar
from keywords.guards import GUARDS
from keywords.lexicon import Lexicon, Owners
from keywords.normalize import oddities
from keywords.pack import COMMON, STEM, Kind, Pack, Term
from keywords.strings import Strings
from keywords.typos import Typos

_QUIET, _LOUD, _TERM = range(3)


def make_lexicon(packs: list[Pack]) -> Lexicon:
    """Return the lexicon of these packs. Raises BadPack for a phrase that can't work."""
    read = _Reading(packs)
    grammars = [
        Grammar(pack, index, bits, list(sets))
        for index, (pack, bits, sets) in enumerate(zip(packs, read.bits, read.sets, strict=True))
    ]
    loudness = [_loudness(number, grammars, read) for number in range(len(read.numbers))]
    order = sorted(range(len(loudness)), key=loudness.__getitem__)
    now = {old: new for new, old in enumerate(order)}
    terms = [term for pack in packs for term in pack.terms]
    odd = sorted(oddities(_mended_into(terms)) - read.numbers.keys())  # one that is a word is that
    texts = list(read.numbers)
    return Lexicon(
        version=next((pack.version for pack in packs if pack.language == COMMON), ""),
        terms=terms,
        grammars={grammar.language: grammar for grammar in grammars},
        strings=Strings([*(texts[old] for old in order), *odd]),
        owners=Owners([*(read.places[old] for old in order), *({} for _ in odd)]),
        terms_of={now[old]: found for old, found in read.terms.items()},
        stems=frozenset(now[old] for old in read.stems),
        first_loud=loudness.count(_QUIET),
        first_term=len(loudness) - loudness.count(_TERM),
        first_odd=len(loudness),
        payloads=_by_text(terms, Kind.PAYLOAD),
        labels=_by_text(terms, Kind.BUTTON),
        typos=Typos(packs),
        polite=frozenset(_courtesy(packs)),
        sure=frozenset(_mended_into(terms)),
    )


class _Reading:
    """The strings of all packs, numbered as they come."""

    def __init__(self, packs: list[Pack]) -> None:
        self.numbers: dict[str, int] = {}
        self.places: list[dict[int, int]] = []  # by number: by language, of the set of roles
        self.bits: list[Mapping[str, int]] = []  # by language
        self.sets: list[dict[int, int]] = []  # by language: the place of each set of roles
        self.stems: set[int] = set()
        self.terms: dict[int, tuple[Term, ...]] = {}
        common = next((pack for pack in packs if pack.language == COMMON), None)
        for pack in packs:
            self._add_words(pack, common.words if common else {})
            self._add_terms(pack)

    def _add_words(self, pack: Pack, shared: Mapping[str, tuple[str, ...]]) -> None:
        names = sorted({*GUARDS, *pack.words, *shared})
        bits = {role: 1 << i for i, role in enumerate(names)}
        roles: dict[int, int] = {}
        for words in (pack.words, shared):
            for role, said in words.items():
                for word in said:
                    number = self._number(word, pad=_parted(word, pack) or words is shared)
                    roles[number] = roles.get(number, 0) | bits[role]
        sets: dict[int, int] = {}
        for number, found in roles.items():
            self.places[number][len(self.bits)] = sets.setdefault(found, len(sets))
        self.bits.append(bits)
        self.sets.append(sets)

    def _add_terms(self, pack: Pack) -> None:
        for term in pack.terms:
            if term.kind not in (Kind.BUTTON, Kind.PAYLOAD):
                sign = len(term.text) == 1 and not term.text.isalnum()
                number = self._number(term.text, pad=_parted(term.text, pack) and not sign)
                known = self.terms.get(number, ())
                # What the common pack says of a word holds in every language.
                if not any(one.language == COMMON and one.intent is term.intent for one in known):
                    self.terms[number] = (*known, term)

    def _number(self, word: str, *, pad: bool) -> int:
        text = word.removesuffix(STEM)
        stem = text != word
        key = text if not pad else f" {text}" if stem else f" {text} "
        number = self.numbers.setdefault(key, len(self.numbers))
        if number == len(self.places):
            self.places.append({})
        if stem:
            self.stems.add(number)
        return number


def _loudness(number: int, grammars: list[Grammar], read: _Reading) -> int:
    """Return whether a string is a term, starts the search for a phrase, or does neither."""
    if number in read.terms:
        return _TERM
    found = read.places[number].items()
    loud = any(grammars[i].sets[place] & grammars[i].anchors for i, place in found)
    return _LOUD if loud else _QUIET


def _mended_into(terms: Iterable[Term]) -> set[str]:
    """Return the words whose odd spellings are looked for."""
    return {
        term.text
        for term in terms
        if term.tier is Tier.CERTAIN
        and term.intent is Intent.OPT_OUT
        and 4 <= len(term.text) <= 20
        and term.text.isalpha()
    }


def _courtesy(packs: Iterable[Pack]) -> Iterator[str]:
    for pack in packs:
        yield from pack.words.get("courtesy", ())


def _parted(word: str, pack: Pack) -> bool:
    """Tell whether a word stands between spaces; Latin ones in other scripts are folded so."""
    return pack.spaces or word.isascii()


def _by_text(terms: Iterable[Term], kind: Kind) -> dict[str, Term]:
    found: dict[str, Term] = {}
    for term in terms:
        if term.kind is kind:
            found.setdefault(term.text, term)
    return found

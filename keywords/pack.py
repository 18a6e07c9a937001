"""What a pack says: the words of one language, read from its TOML file and checked."""

import hashlib
import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from consent.model import Switch
from keywords.decision import Intent, Tier
from keywords.normalize import normalize

PACKS = Path(__file__).parent / "packs"
STEM = "*"  # ends a word of a role that any ending may follow
COMMON = "mul"  # BCP 47: several languages; its words count in every language

# All under calling code 1, where 47 CFR 64.1200(a)(10) is the measure. "US" stands for all.
NANP = frozenset(
    "US CA AG AI AS BB BM BS DM DO GD GU JM KN KY LC MP MS PR SX TC TT VC VG VI".split()  # noqa: SIM905
)


class Kind(StrEnum):
    """What sort of term it is, which decides where it counts."""

    WORD = "word"  # the whole message
    ABBREVIATION = "abbreviation"  # the whole message
    PHRASE = "phrase"  # if certain, anywhere in a message; if likely, the whole message
    TRANSLITERATION = "transliteration"  # a word or a phrase, in letters of another script
    BUTTON = "button"  # the label of a button or list row, nowhere else
    PAYLOAD = "payload"  # the hidden value of a button or list row, nowhere else


class BadPack(ValueError):
    """A pack cannot be read. The message names file and term, and says what to do."""


class Term(NamedTuple):  # there are thousands, loaded at each start
    """One word or phrase we listen for. `say` is as the pack writes it, `text` as it is matched.

    A `local` term also means something else: it acts only where its language is served or spoken.
    """

    say: str
    text: str
    language: str
    intent: Intent
    tier: Tier
    switch: Switch | None
    kind: Kind
    local: bool
    certain_in: frozenset[str]
    source: str

    @property
    def anywhere(self) -> bool:
        """Whether it also counts inside a longer message."""
        phrase = self.kind is Kind.PHRASE or (
            self.kind is Kind.TRANSLITERATION and " " in self.text
        )
        return phrase and self.tier is Tier.CERTAIN and self.intent is Intent.OPT_OUT


@dataclass(frozen=True, slots=True)
class Phrase:
    """A pattern over kinds of words, such as `stop send? messages`: always a request to stop."""

    say: str
    language: str
    tier: Tier
    source: str


@dataclass(frozen=True, slots=True)
class Pack:
    """The words of one language; `words` by role, as guards and phrases speak of them."""

    language: str
    name: str
    scripts: tuple[str, ...]
    countries: frozenset[str]
    spaces: bool
    terms: tuple[Term, ...]
    phrases: tuple[Phrase, ...]
    words: Mapping[str, tuple[str, ...]]
    not_typos: frozenset[str]
    version: str


def matched(say: str) -> str:
    """Return a term of a pack in the spelling it is matched in."""
    return " ".join(normalize(say, ()).text.split())


def spelled_out(say: str) -> Iterator[str]:
    """Yield every reading of `env{í,i}{ar,en}`; one level of braces, an empty choice is allowed."""
    choice = re.search(r"\{([^{}]*)\}", say)
    if choice is None:
        yield say
        return
    for one in choice[1].split(","):
        yield from spelled_out(say[: choice.start()] + one + say[choice.end() :])


class _Reader:
    """Reads one file; every complaint names the file and the place."""

    def __init__(self, file: str) -> None:
        self.file = file

    def bad(self, place: str, what: str, do: str) -> BadPack:
        return BadPack(f"{self.file}: {place}: {what}; {do}")

    def keys(self, place: str, table: Mapping[str, Any], needed: str, allowed: str) -> None:
        missing = set(needed.split()) - table.keys()
        unknown = table.keys() - set(needed.split()) - set(allowed.split())
        if missing:
            raise self.bad(place, f"no {', '.join(sorted(missing))}", "add it")
        if unknown:
            raise self.bad(
                place,
                f"unknown {', '.join(sorted(unknown))}",
                f"use {needed} {allowed}".strip(),
            )

    def strings(self, place: str, value: Any) -> list[str]:
        if not isinstance(value, list) or not all(isinstance(v, str) and v for v in value):
            raise self.bad(place, "not a list of words", 'write ["one", "two"]')
        return value

    def one_of(self, place: str, value: Any, allowed: Iterable[str]) -> str:
        options = list(allowed)
        if value not in options:
            raise self.bad(place, f"{value!r} is not known", f"use one of {', '.join(options)}")
        return str(value)

    def said(self, place: str, value: Any) -> Iterator[tuple[str, str]]:
        """Yield each word as written and as matched; one that folds to nothing is an error."""
        for line in self.strings(place, value):
            for say in spelled_out(line):
                text = matched(say)
                if not text:
                    raise self.bad(f"{place} {say!r}", "nothing is left of it", "write letters")
                yield say, text


def read_pack(file: str, content: str) -> Pack:
    """Return the pack in this file. Raises BadPack if it is not TOML or not a pack."""
    reader = _Reader(file)
    try:
        table = tomllib.loads(content)
    except tomllib.TOMLDecodeError as exc:
        raise reader.bad("file", str(exc), "mend the TOML") from exc
    top = "language name scripts countries"
    reader.keys("top", table, top, "spaces terms phrases words not_typos version")
    language = table["language"]
    if language != file.removesuffix(".toml"):
        raise reader.bad("language", f"{language!r}", "name the file after the language")
    countries = reader.strings("countries", table["countries"])
    for country in countries:
        if not re.fullmatch("[A-Z]{2}", country):
            raise reader.bad("countries", country, "use two capital letters (ISO 3166)")
    words = table.get("words", {})
    return Pack(
        language=language,
        name=table["name"],
        scripts=tuple(reader.strings("scripts", table["scripts"])),
        countries=frozenset(countries),
        spaces=bool(table.get("spaces", True)),
        terms=tuple(_terms(reader, language, table.get("terms", []))),
        phrases=tuple(_phrases(reader, language, table.get("phrases", []))),
        words={role: tuple(_words(reader, role, words[role])) for role in words},
        not_typos=frozenset(text for _, text in reader.said("not_typos", table["not_typos"]))
        if "not_typos" in table
        else frozenset(),
        version=str(table.get("version", "")),
    )


def _words(reader: _Reader, role: str, value: Any) -> list[str]:
    if not re.fullmatch("[a-z_]+", role):
        raise reader.bad(f"words {role}", "not a name", "use small letters and _")
    place = f"words {role}"
    # A stem ("mesaj*") stays one: its star says that any ending may follow.
    said = reader.said(place, value)
    return list(dict.fromkeys(text + STEM if say.endswith(STEM) else text for say, text in said))


def _terms(reader: _Reader, language: str, groups: list[dict[str, Any]]) -> Iterator[Term]:
    seen: dict[tuple[str, bool], str] = {}
    for number, group in enumerate(groups, 1):
        place = f"terms group {number} ({', '.join(map(str, group.get('say', ['?'])))[:40]}…)"
        reader.keys(place, group, "intent kind tier source say", "switch local certain_in")
        for say, text in reader.said(place, group["say"]):
            term = _term(reader, language, group, say=say, text=text)
            kind = (text, term.kind in (Kind.BUTTON, Kind.PAYLOAD))
            if kind in seen:
                again = f"same as {seen[kind]!r} once folded"
                raise reader.bad(f"term {say!r}", again, "remove one of them")
            seen[kind] = say
            yield term


def _term(reader: _Reader, language: str, group: dict[str, Any], *, say: str, text: str) -> Term:
    place = f"term {say!r}"
    intents = (Intent.OPT_OUT, Intent.OPT_IN, Intent.HELP)
    intent = Intent(reader.one_of(f"{place}, intent", group["intent"], intents))
    tier = Tier(reader.one_of(f"{place}, tier", group["tier"], (Tier.CERTAIN, Tier.LIKELY)))
    switch = None
    if intent is not Intent.HELP:
        allowed = (Switch.ALL, Switch.MARKETING)
        switch = Switch(reader.one_of(f"{place}, switch", group.get("switch", "all"), allowed))
    if intent is Intent.OPT_IN and tier is not Tier.CERTAIN:
        raise reader.bad(
            place, "a likely opt-in", "make it certain or take it out: no guesses here"
        )
    return Term(
        say=say,
        text=text,
        language=language,
        intent=intent,
        tier=tier,
        switch=switch,
        kind=Kind(reader.one_of(f"{place}, kind", group["kind"], Kind)),
        # A word that is only likely is so because it also means something else.
        local=bool(group.get("local", tier is Tier.LIKELY)),
        certain_in=frozenset(reader.strings(place, group.get("certain_in", []))),
        source=str(group["source"]),
    )


def _phrases(reader: _Reader, language: str, groups: list[dict[str, Any]]) -> Iterator[Phrase]:
    for number, group in enumerate(groups, 1):
        place = f"phrases group {number}"
        reader.keys(place, group, "tier source say", "")
        tier = Tier(reader.one_of(f"{place}, tier", group["tier"], (Tier.CERTAIN, Tier.LIKELY)))
        for say in reader.strings(place, group["say"]):
            yield Phrase(say=say, language=language, tier=tier, source=str(group["source"]))


def read_packs(folder: Path = PACKS) -> tuple[list[Pack], str]:
    """Return all packs of a folder, the common one first, and their digest (hex SHA-256).

    The digest is of what the packs say, not of their layout and comments.
    """
    contents = {path.name: path.read_text("utf-8") for path in sorted(folder.glob("*.toml"))}
    packs = [read_pack(name, content) for name, content in contents.items()]
    canon = json.dumps({n: tomllib.loads(c) for n, c in contents.items()}, sort_keys=True)
    packs.sort(key=lambda pack: (pack.language != COMMON, pack.language))
    return packs, hashlib.sha256(canon.encode()).hexdigest()

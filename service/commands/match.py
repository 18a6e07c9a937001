"""`optledger match`: lines of JSON in, what each asks for out."""

import os
import sys
from collections.abc import Iterator
from typing import Any

import msgspec
import typer

from consent.model import Surface
from keywords.decision import NOTHING, Decision, Intent, Tier
from keywords.matcher import Matcher, load_matcher

_READ = 1 << 18  # bytes at a time: large enough to be fast, small enough to answer at once
_NOTHING = b'{"id":%b,"intent":"none","tier":"none","switch":null,"term":null,"language":null}\n'
_LONGEST_LINE = 4 << 20


class Asked(msgspec.Struct):
    """A line of `optledger match`."""

    text: str
    id: msgspec.Raw = msgspec.Raw(b"null")
    lang: str | None = None
    country: str | None = None
    surface: Surface = Surface.TEXT


class Answered(msgspec.Struct):
    """What is said to it."""

    id: msgspec.Raw
    intent: Intent
    tier: Tier
    switch: str | None
    term: str | None
    language: str | None


def match() -> None:
    """Read JSON lines, write what each asks for, in the order they came.

    In: {"id", "text", "lang"?, "country"?, "surface"?}. Out: {"id", "intent", "tier", "switch",
    "term", "language"}. A line that can't be read gives {"line", "error"} in its place, and exit
    code 1 at the end.
    """
    answer = _Answers(load_matcher())
    for lines in _lines(sys.stdin.fileno()):
        _write(b"".join(map(answer, lines)))
    if answer.unread:
        typer.secho(f"optledger: {answer.unread} lines could not be read", fg="red", err=True)
        raise typer.Exit(1)


class _Answers:
    """Answers one line after the other."""

    def __init__(self, matcher: Matcher) -> None:
        self._decide = matcher.decide
        self._read = msgspec.json.Decoder(Asked).decode
        self._encode = msgspec.json.Encoder().encode
        self._line = 0
        self.unread = 0

    def __call__(self, line: bytes) -> bytes:
        self._line += 1
        if line.isspace() or not line:
            return b""
        if len(line) > _LONGEST_LINE:
            return self._refused(f"longer than {_LONGEST_LINE:,} bytes")
        try:
            row = self._read(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as exc:
            # Its message names the field, never what it holds.
            return self._refused(str(exc))
        languages = (row.lang,) if row.lang else ()
        found = self._decide(
            row.text, surface=row.surface, languages=languages, country=row.country
        )
        if found is NOTHING:  # as nearly all: nothing is left to encode
            return _NOTHING % bytes(row.id)
        return self._encode(_answered(row.id, found)) + b"\n"

    def _refused(self, why: str) -> bytes:
        self.unread += 1
        error: dict[str, Any] = {"line": self._line, "error": why}
        return self._encode(error) + b"\n"


def _answered(name: msgspec.Raw, found: Decision) -> Answered:
    return Answered(
        id=name,
        intent=found.intent,
        tier=found.tier,
        switch=found.switch.value if found.switch else None,
        term=found.term or None,
        language=found.language or None,
    )


def _lines(source: int) -> Iterator[list[bytes]]:
    """Yield the lines as they come in; of one that never ends, no more than is refused."""
    rest = b""
    while chunk := os.read(source, _READ):
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > 2 * _LONGEST_LINE:
            rest = rest[: _LONGEST_LINE + 1]
        yield lines
    if rest:
        yield [rest]


def _write(content: bytes) -> None:
    rest = memoryview(content)
    try:
        while rest:
            rest = rest[os.write(sys.stdout.fileno(), rest) :]
    except BrokenPipeError:
        raise typer.Exit(1) from None  # whoever read it, as `head` does, has had enough

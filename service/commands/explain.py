"""`optledger explain`: why a text is decided as it is."""

import msgspec
import typer

from consent.model import Surface
from keywords.decision import Intent, Tier
from keywords.explain import Explanation, Found, Word, explain
from keywords.matcher import load_matcher

_COLOURS = {Tier.CERTAIN: "red", Tier.LIKELY: "yellow", Tier.NONE: "green"}
_TIERS = {
    Tier.CERTAIN: "acts at once",
    Tier.LIKELY: "pauses marketing, and a person looks",
    Tier.NONE: "changes nothing",
}


def explain_text(
    text: str = typer.Argument(help="What somebody wrote"),
    lang: list[str] = typer.Option([], help="A language the app serves (BCP 47); may be repeated"),
    country: str | None = typer.Option(None, help="The contact's country: two letters (ISO 3166)"),
    surface: Surface = typer.Option(Surface.TEXT, help="Where the words stood"),
    as_json: bool = typer.Option(False, "--json", help="Print JSON, for programs"),
) -> None:
    """Show how a text is read, and why it is decided so. It is kept nowhere."""
    found = explain(load_matcher(), text, surface=surface, languages=lang, country=country)
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
        return
    typer.echo(f"{_label('read as')}{found.normal}")
    for language, words in found.words.items():
        _show_words(language, words)
    for one in (*found.terms, *found.phrases):
        _show_found(one)
    _show_decision(found, text)


def _label(name: str) -> str:
    return typer.style(f"{name:<10}", fg="bright_black")


def _show_words(language: str, words: tuple[Word, ...]) -> None:
    typer.echo(_label(f"words {language}"), nl=False)
    shown = []
    for word in words:
        roles = typer.style(f"({', '.join(word.roles)})", fg="cyan")
        shown.append(f"{word.text} {roles}".strip())
    typer.echo("  ".join(shown))


def _show_found(one: Found) -> None:
    kind = "term" if one.source else "phrase"
    tier = typer.style(one.tier.value, fg=_COLOURS[one.tier])
    label = _label(f"{kind} {one.language}")
    typer.echo(f"{label}{one.written!r} is {one.say!r}: {tier}", nl=False)
    typer.echo(f"   [{one.source}]" if one.source else "")
    for doubt in one.against:
        typer.echo(f"{_label('')}but {doubt}")
    if one.against:
        left = typer.style(one.left.value, fg=_COLOURS[one.left])
        typer.echo(f"{_label('')}so it counts as {left}")


def _show_decision(found: Explanation, text: str) -> None:
    one = found.decision
    what = one.intent.value if one.intent is not Intent.NONE else "asks for nothing"
    typer.echo(_label("decision"), nl=False)
    typer.secho(what, fg=_COLOURS[one.tier], bold=True, nl=False)
    if one.intent is Intent.NONE:
        typer.echo(f": {_TIERS[one.tier]}")
        return
    start, end = one.span
    typer.echo(f", {one.tier.value}: {_TIERS[one.tier]}")
    typer.echo(f"{_label('by')}{text[start:end]!r}: {one.term!r} ({one.language})")
    if one.switch is not None:
        typer.echo(f"{_label('switch')}{one.switch.value}")

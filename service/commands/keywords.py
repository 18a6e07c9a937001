"""`optledger keywords`: words an app listens for besides the packs."""

import json
from enum import StrEnum

import typer

from consent.model import Switch
from db.app_keywords import KeywordRow, list_keywords
from db.apps import load_app
from intake.own_words import Asks, add_own_words, remove_own_word
from keywords.decision import Intent, Tier
from keywords.matcher import load_matcher
from service.commands.operator import OPERATOR, name_of
from service.commands.run import on_store
from service.store import Store


class Asked(StrEnum):
    """What a word asks for."""

    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    HELP = "help"


class Moves(StrEnum):
    """What a word moves."""

    ALL = "all"
    MARKETING = "marketing"


class Sure(StrEnum):
    """How sure it is."""

    CERTAIN = "certain"
    LIKELY = "likely"


app = typer.Typer(no_args_is_help=True, help="Words an app listens for besides the packs.")

_APP = typer.Option(..., "--app", help="The app")


@app.command("add")
def add(
    words: list[str] = typer.Argument(
        metavar="WORD", help="Words or short sentences; quote what has spaces"
    ),
    slug: str = _APP,
    intent: Asked = typer.Option(help="What they ask for"),
    switch: Moves | None = typer.Option(
        None, help="What they move: all unless given; none for help"
    ),
    tier: Sure = typer.Option(Sure.CERTAIN, help="certain acts, likely pauses marketing"),
    operator: str | None = OPERATOR,
) -> None:
    """Listen for words, in force within two seconds; all are added or none.

    A word counts if it is the whole message, courtesy beside it apart, or the label or value of a
    button or list row.
    """
    name = name_of(operator)
    if intent is Asked.HELP and switch is not None:
        raise typer.BadParameter("a word that asks for help moves no switch: leave --switch out")
    moves = None if intent is Asked.HELP else Switch((switch or Moves.ALL).value)
    asks = Asks(Intent(intent.value), Tier(tier.value), moves)
    matcher = load_matcher()

    async def save(store: Store) -> list[KeywordRow]:
        async with store.session() as conn:
            one = await load_app(conn, store.keys, slug)
            return await add_own_words(conn, one.app_id, matcher, words, asks, operator=name)

    for row in on_store(save):
        typer.echo(f"Added {_line(row)}. In force within two seconds.")


@app.command("remove")
def remove(
    word: str = typer.Argument(metavar="WORD", help="The word, in any spelling it is found in"),
    slug: str = _APP,
    operator: str | None = OPERATOR,
) -> None:
    """Listen for a word no longer. What it decided stays."""
    name = name_of(operator)

    async def save(store: Store) -> KeywordRow:
        async with store.session() as conn:
            one = await load_app(conn, store.keys, slug)
            return await remove_own_word(conn, one.app_id, word, operator=name)

    typer.echo(f"Removed {_line(on_store(save))}. In force within two seconds.")


@app.command("list")
def list_words(
    slug: str = _APP,
    all_: bool = typer.Option(False, "--all", help="Those that were removed, too"),
    as_json: bool = typer.Option(False, "--json", help="Print JSON, for programs"),
) -> None:
    """List an app's own words, and who added them when."""

    async def load(store: Store) -> list[KeywordRow]:
        async with store.session() as conn:
            one = await load_app(conn, store.keys, slug)
            found = await list_keywords(conn, [one.app_id], removed=all_)
            return found.get(one.app_id, [])

    rows = on_store(load)
    if as_json:
        typer.echo(json.dumps([_told(row) for row in rows], indent=2))
        return
    for row in rows:
        typer.echo(_line(row))
        typer.echo(f"  added    {row.added_at:%F %T}Z by {row.added_by}")
        if row.removed_at is not None:
            typer.echo(f"  removed  {row.removed_at:%F %T}Z by {row.removed_by}")
    if not rows:
        typer.echo("This app has no words of its own.")


def _line(row: KeywordRow) -> str:
    moves = f", {row.switch}" if row.switch else ""
    return f"{row.say!r}: {row.intent}, {row.tier}{moves}"


def _told(row: KeywordRow) -> dict[str, object]:
    return {
        "id": str(row.keyword_id),
        "word": row.say,
        "intent": row.intent,
        "switch": row.switch,
        "tier": row.tier,
        "added_at": row.added_at.isoformat(),
        "added_by": row.added_by,
        "removed_at": row.removed_at.isoformat() if row.removed_at else None,
        "removed_by": row.removed_by,
    }

"""`optledger review`: messages that may ask to stop, and what a person makes of them."""

import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

import typer

from check.reviews import Review, Reviews
from consent.model import Switch
from consent.verdict import EXPLAINED, Policy
from db.apps import AppRecord, load_app
from db.contact_keys import ContactKeys
from db.reviews import Hold, find_hold
from db.standing import TooManyNamesError
from db.statements import Connection
from intake import review as reviewing
from intake.app import App
from service.commands.ask import shown
from service.commands.operator import OPERATOR, name_of
from service.commands.run import on_store
from service.registry import load_key, make_app
from service.store import Store

T = TypeVar("T")


class Closes(StrEnum):
    """What a confirmed stop closes."""

    ALL = "all"
    MARKETING = "marketing"


app = typer.Typer(
    no_args_is_help=True,
    help="Work off messages that may ask to stop: marketing to whoever sent one waits until then.",
)

_APP = typer.Option("demo", "--app", help="The app")
_ID = typer.Argument(metavar="ID", help="First letters of its id, from `optledger review list`")


@app.command("list")
def list_reviews(
    slug: str = _APP,
    all_: bool = typer.Option(False, "--all", help="Those that were decided or closed, too"),
    limit: int = typer.Option(100, min=1, help="At most so many, the oldest first"),
    as_json: bool = typer.Option(False, "--json", help="Print JSON, for programs"),
) -> None:
    """List what waits for a person, the oldest first. It shows what people wrote.

    What the contact has said clearly since, either way, needs no review and is shown with --all.
    """

    async def load(store: Store) -> list[Review]:
        async with store.session() as conn:
            one = await load_app(conn, store.keys, slug)
            return await _of(store, conn, one).listed(decided=all_, limit=limit)

    found = on_store(load)
    if as_json:
        typer.echo(json.dumps([_told(one) for one in found], indent=2))
        return
    for one in found:
        typer.echo(_lines(one))
    if not found:
        typer.echo("Nothing waits for a review.")
    if len(found) == limit:
        typer.echo(f"These are the oldest {limit}; there may be more: see --limit.")


@app.command("confirm")
def confirm(
    id_: str = _ID,
    slug: str = _APP,
    switch: Closes | None = typer.Option(None, help="What it closes; else what the words asked"),
    operator: str | None = OPERATOR,
) -> None:
    """Record the opt-out that it was, as of when it was said. What they said since stands."""
    name = name_of(operator)

    async def save(conn: Connection, app_: App, hold: Hold) -> Switch:
        closes = Switch(switch.value) if switch is not None else None
        return await reviewing.confirm(conn, app_, hold, operator=name, switch=closes)

    closed, hold, means = _decide(slug, id_, save)
    since = f"{hold.said_at:%F %T}Z"
    typer.echo(f"Confirmed by {name}: opted out of {closed.value} since {since}; {means}")


@app.command("dismiss")
def dismiss(id_: str = _ID, slug: str = _APP, operator: str | None = OPERATOR) -> None:
    """Lift the hold: it did not ask to stop."""
    name = name_of(operator)

    async def save(conn: Connection, app_: App, hold: Hold) -> None:
        await reviewing.dismiss(conn, app_, hold, operator=name)

    _, _, means = _decide(slug, id_, save)
    typer.echo(f"Dismissed by {name}: this hold is lifted; {means}")


def _decide(
    slug: str, start: str, save: Callable[[Connection, App, Hold], Awaitable[T]]
) -> tuple[T, Hold, str]:
    """Decide a review; return what came of it, its hold, and what it means for marketing."""

    async def run(store: Store) -> tuple[T, Hold, str]:
        async with store.session() as conn:
            one = await load_app(conn, store.keys, slug)
        app_ = make_app(store, one)
        for number in app_.missing_numbers():
            await load_key(store, app_, number)
        async with store.session() as conn:
            hold = await find_hold(conn, one.app_id, start)
            done = await save(conn, app_, hold)
        async with store.session() as conn:  # after the commit: nothing undoes the decision
            return done, hold, await _means(_of(store, conn, one), hold, one.policy)

    return on_store(run)


def _of(store: Store, conn: Connection, one: AppRecord) -> Reviews:
    keys = ContactKeys(store.keys.index_key, one.app_id)
    return Reviews(conn, store.keys, one.app_id, keys)


async def _means(reviews: Reviews, hold: Hold, policy: Policy) -> str:
    try:
        now = await reviews.marketing(hold, policy)
    except TooManyNamesError as exc:
        return f"nobody can tell whether marketing may be sent, so it may not: {exc}"
    may = "may be sent" if now.may_send else "may not be sent"
    return f"marketing to this contact {may}: {EXPLAINED[now.reason]}"


def _lines(one: Review) -> str:
    """Return one review for a person."""
    hold, body, proof = one.hold, one.told.body, one.told.evidence
    state = one.state.value
    if hold.outcome is not None:
        state += f" by {hold.reviewed_by} {_when(hold.reviewed_at)}"
    lines = [f"{hold.message_key.hex()[:12]}  {_when(hold.said_at)}  {state}"]
    if one.told.missing:
        lines.append(f"  words     {one.told.missing}")
    else:
        lines.append(f"  words     {shown(proof['words'])}")
        lines.append(f"  found     {proof['term']!r} ({body['language']})")
    return "\n".join(lines)


def _told(one: Review) -> dict[str, object]:
    hold, body, proof = one.hold, one.told.body, one.told.evidence
    return {
        "id": hold.message_key.hex(),
        "since": hold.said_at.isoformat(),
        "state": one.state.value,
        "words": proof.get("words"),
        "term": proof.get("term"),
        "language": body["language"],
        "missing": one.told.missing or None,
        "entry": f"{hold.entry.lane}-{hold.entry.number}",
        "reviewed_at": hold.reviewed_at.isoformat() if hold.reviewed_at else None,
        "reviewed_by": hold.reviewed_by,
    }


def _when(at: datetime | None) -> str:
    return f"{at:%F %T}Z" if at else ""

"""`optledger quarantine`: what could not be read or stored, and another try at it."""

import json
from datetime import datetime

import typer

from db import quarantine as rows
from db.apps import AppRecord, load_app
from db.data_keys import load_data_keys
from db.quarantine import SetAside
from db.sealing import number_of, place
from db.statements import Connection
from intake.app import App
from intake.own_words import own_words_of
from intake.recorder import Limits, Recorder
from intake.take_in import retry as feed_again
from keywords.matcher import load_matcher
from service.commands.run import on_store
from service.registry import Registry, make_app
from service.store import Store
from webhook.errors import UNREAD_CODES

app = typer.Typer(no_args_is_help=True, help="See what could not be read, and try it again.")

_APP = typer.Option("demo", "--app", help="The app")
_JSON = typer.Option(False, "--json", help="Print JSON, for programs")


@app.command("list")
def list_items(
    slug: str = _APP,
    all_: bool = typer.Option(False, "--all", help="Those that were resolved, too"),
    as_json: bool = _JSON,
) -> None:
    """List what was set aside: id, code, reason and time, and never the content."""

    async def load(store: Store) -> list[SetAside]:
        async with store.session() as conn:
            one = await load_app(conn, store.keys, slug)
            return await rows.list_items(conn, one.app_id, resolved=all_)

    items = on_store(load)
    if as_json:
        typer.echo(json.dumps([_told(item) for item in items], indent=2))
        return
    for item in items:
        state = f"resolved {_when(item.resolved_at)}" if item.resolved_at else "waiting"
        typer.echo(f"{item.key.hex()[:12]}  {_when(item.received_at)}  {item.code}  {state}")
        typer.echo(f"  {item.reason}")
    if not items:
        typer.echo("Nothing is set aside.")
    for code in sorted({item.code for item in items}):
        typer.echo(f"{code}: {UNREAD_CODES.get(code, '')}")


@app.command("show")
def show(item: str = typer.Argument(help="First letters of its id"), slug: str = _APP) -> None:
    """Show the bytes of one item, with escapes. They hold names, numbers and words."""

    async def load(store: Store) -> bytes:
        async with store.session() as conn:
            one = await load_app(conn, store.keys, slug)
            found = await rows.find_item(conn, one.app_id, item)
            return await _opened(store, conn, make_app(store, one), found)

    body = on_store(load)
    typer.echo(body.decode("utf-8", "backslashreplace").encode("unicode_escape").decode("ascii"))


@app.command("retry")
def retry(
    item: str | None = typer.Argument(None, help="First letters of its id; else every item"),
    slug: str = _APP,
) -> None:
    """Feed items in again, after an update of the parser. What was recorded brings nothing new."""

    async def run(store: Store) -> tuple[int, int]:
        async with store.session() as conn:
            one = await load_app(conn, store.keys, slug)
            items = await rows.list_items(conn, one.app_id)
            if item is not None:
                items = [await rows.find_item(conn, one.app_id, item)]
        return await _feed(store, one, items)

    resolved, left = on_store(run)
    typer.echo(f"{resolved} read now, {left} still set aside")
    raise typer.Exit(1 if left else 0)


async def _feed(store: Store, one: AppRecord, items: list[SetAside]) -> tuple[int, int]:
    database = store.database
    recorder = Recorder(
        database.connect, step_down=database.step_down, limits=Limits(writers=1, answer_within=60)
    )
    matcher = load_matcher()
    registry = Registry(store, matcher, recorder)
    app_ = make_app(store, one)
    app_.own_words = own_words_of(one.keywords, matcher.lexicon)
    await recorder.start()
    resolved = 0
    try:
        with typer.progressbar(items, label="retrying") as bar:
            for item in bar:
                async with store.session() as conn:
                    body = await _opened(store, conn, app_, item)
                read = await feed_again(
                    app_, body, matcher=matcher, recorder=recorder, load_key=registry.load_key
                )
                async with store.session() as conn:
                    await rows.note_try(conn, one.app_id, item.key, resolved=read)
                resolved += read
    finally:
        await recorder.stop()
    return resolved, len(items) - resolved


async def _opened(store: Store, conn: Connection, app_: App, item: SetAside) -> bytes:
    number = number_of(item.sealed)
    for known, key in (await load_data_keys(conn, store.keys, app_.app_id, [number])).items():
        app_.sealer.add(known, key)
    return app_.sealer.open(item.sealed, place("quarantine", "sealed", app_.app_id, item.key))


def _told(item: SetAside) -> dict[str, object]:
    return {
        "id": item.key.hex(),
        "code": item.code,
        "reason": item.reason,
        "received_at": item.received_at.isoformat(),
        "tries": item.tries,
        "resolved_at": item.resolved_at.isoformat() if item.resolved_at else None,
    }


def _when(at: datetime | None) -> str:
    return f"{at:%F %T}Z" if at else ""

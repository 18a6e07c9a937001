"""`optledger check` and `optledger history`."""

import json
from datetime import UTC, datetime

import typer

from check.asked import read_name
from check.history import History, Told, history_of
from check.may_send import Answer, may_send
from consent.model import Category
from consent.verdict import EXPLAINED
from db.apps import load_app
from db.contact_keys import ContactKeys
from service.commands.run import on_store
from service.store import Store

_JSON = typer.Option(False, "--json", help="Print JSON, for programs")


def check(
    app: str = typer.Option(help="The app that would send"),
    to: str = typer.Option(help="Phone with its country code, in any usual writing, or a BSUID"),
    category: Category = typer.Option(help="What would be sent"),
    as_json: bool = _JSON,
) -> None:
    """May we send? Exit code 0: yes. 1: no. 2: can't tell, so don't."""
    name = read_name(to)

    async def ask(store: Store) -> Answer:
        async with store.session() as conn:
            one = await load_app(conn, store.keys, app)
            keys = ContactKeys(store.keys.index_key, one.app_id)
            return await may_send(conn, one.app_id, keys, one.policy, name=name, category=category)

    answer = on_store(ask)
    verdict = answer.verdict
    entry = f"{answer.entry.lane}-{answer.entry.number}" if answer.entry else None
    since = verdict.since.isoformat().replace("+00:00", "Z") if verdict.since else None
    if as_json:
        told = {
            "may_send": verdict.may_send,
            "reason": verdict.reason.value,
            "explained": EXPLAINED[verdict.reason],
            "since": since,
            "entry": entry,
            "app": app,
            "category": category.value,
            "as_of": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        }
        typer.echo(json.dumps(told, indent=2))
    else:
        colour = typer.colors.GREEN if verdict.may_send else typer.colors.RED
        typer.secho("may send" if verdict.may_send else "may not send", fg=colour, bold=True)
        typer.echo(f"  reason  {verdict.reason.value}: {EXPLAINED[verdict.reason]}")
        if since:
            typer.echo(f"  since   {since}")
        if entry:
            typer.echo(f"  entry   {entry}   (optledger history --app {app} CONTACT)")
    raise typer.Exit(0 if verdict.may_send else 1)


def history(
    contact: str = typer.Argument(help="Phone with its country code, or a BSUID"),
    app: str = typer.Option(help="The app"),
    as_json: bool = _JSON,
) -> None:
    """Show every entry of a contact with its evidence, the oldest first."""
    name = read_name(contact)

    async def load(store: Store) -> History:
        async with store.session() as conn:
            one = await load_app(conn, store.keys, app)
            keys = ContactKeys(store.keys.index_key, one.app_id)
            return await history_of(conn, store.keys, one.app_id, keys, name)

    found = on_store(load)
    if as_json:
        entries = [
            {"entry": one.body, "evidence": one.evidence or None, "missing": one.missing or None}
            for one in found.entries
        ]
        typer.echo(json.dumps({"names": found.names, "entries": entries}, indent=2))
        return
    if not found.entries:
        typer.echo("Nothing about consent was ever recorded of this contact.")
        return
    for names in filter(None, found.names):
        typer.echo("known as " + ", ".join(f"{kind} {value!a}" for kind, value in names.items()))
    for one in found.entries:
        typer.echo(_lines(one))


def _lines(told: Told) -> str:
    """Return one entry for a person; what the contact wrote is shown with escapes."""
    body, proof = told.body, told.evidence
    lane, number = body["entry"]
    what = body["action"].replace("_", " ") + (f" ({body['switch']})" if body["switch"] else "")
    lines = ["", f"{body['said_at']}  {what}"]
    if "words" in proof:
        start, end = proof["span"]
        lines.append(f"  words     {shown(proof['words'])}")
        lines.append(f"  matched   {proof['words'][start:end]!r}, {_term(body, proof)}")
    lines.append(f"  by        {body['actor']}, {body['surface']}{_clamped(body)}")
    if "review_of" in body:
        lines.append(f"  review    of entry {'-'.join(map(str, body['review_of']))}")
    if "after" in body:
        lines.append(f"  changed   {body['before']['state']} -> {body['after']['state']}")
    if "from" in body:
        stood = {switch: one["state"] for switch, one in body["stood"].items()}
        lines.append(f"  stood     {stood or 'nothing said'} under the old name")
    lines.append(f"  recorded  {body['recorded_at']}, entry {lane}-{number}")
    if told.missing:
        lines.append(f"  evidence  {told.missing}")
    elif "delivery" in proof:
        lines.append(f"  delivery  sha256 {proof['delivery']}")
    return "\n".join(lines)


def shown(words: str) -> str:
    """Return what somebody wrote as it can be printed: with escapes if it holds odd signs."""
    return words if words.isprintable() else words.encode("unicode_escape").decode("ascii")


def _term(body: dict[str, object], proof: dict[str, object]) -> str:
    pack = body["pack"]
    version = pack["version"] if isinstance(pack, dict) else "?"
    return f"term {proof['term']!r} ({body['language']}, {body['tier']}), pack {version}"


def _clamped(body: dict[str, object]) -> str:
    return "; its clock ran ahead, so the time is ours" if body["clamped"] else ""

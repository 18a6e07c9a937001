"""`optledger migrate`, `optledger config` and `optledger doctor`."""

import asyncio
import json

import typer

from db.migrate import migrate as bring_up_to_date
from service.checkup import Finding, examine
from service.settings import effective, load_settings
from service.store import addresses

_JSON = typer.Option(False, "--json", help="Print JSON, for programs")


def migrate() -> None:
    """Bring the tables up to date. Running services of the release before go on meanwhile."""
    with addresses(load_settings()) as where:
        done = asyncio.run(bring_up_to_date(where.owner))
    if done.before == done.after:
        typer.echo(f"The tables are up to date: revision {done.after}.")
    else:
        typer.echo(f"Migrated from {done.before or 'nothing'} to revision {done.after}.")


def config(as_json: bool = _JSON) -> None:
    """Show every setting as it is in force, secrets masked."""
    shown = effective(load_settings())
    if as_json:
        typer.echo(json.dumps({name: value for name, (value, _) in shown.items()}, indent=2))
        return
    width = max(map(len, shown))
    for name, (value, about) in shown.items():
        typer.echo(f"{name:<{width}}  {value or '(not set)'}\n{'':<{width}}    {about}")


def doctor(as_json: bool = _JSON) -> None:
    """Look at everything the service needs, and say what is wrong and what to do.

    Exit code 0 when the service can run.
    """
    findings = examine()
    if as_json:
        told = [{"what": one.what, "ok": one.ok, "said": one.said} for one in findings]
        typer.echo(json.dumps(told, indent=2))
    else:
        for one in findings:
            typer.echo(_line(one))
    raise typer.Exit(0 if all(one.ok for one in findings) else 1)


def _line(one: Finding) -> str:
    mark = typer.style("ok  ", fg="green") if one.ok else typer.style("FAIL", fg="red", bold=True)
    return f"{mark}  {one.what:<14} {one.said}"

"""`optledger app`: apps, their secrets and numbers."""

import json
from enum import StrEnum

import typer

from consent.model import Category, Switch
from db.apps import AppRecord, add_secret, create_app, load_app, load_apps, retire_secret, set_app
from keywords.brand import BadBrandError
from keywords.brand import check as check_brands
from service.commands.run import on_store
from service.settings import load_settings
from service.store import Store


class StopCloses(StrEnum):
    """What a typed STOP may close."""

    ALL = "all"
    MARKETING = "marketing"


app = typer.Typer(no_args_is_help=True, help="Make and list apps, and rotate their secrets.")
secret = typer.Typer(no_args_is_help=True, help="Rotate secrets: add the new, retire the old.")
app.add_typer(secret, name="secret")

_JSON = typer.Option(False, "--json", help="Print JSON, for programs")


@app.command("create")
def create(
    slug: str = typer.Argument(help="Name in the address: a-z, 0-9 and -"),
    app_secret: str = typer.Option(
        help="From Meta: App settings, Basic, App secret. Without it you are asked, unseen",
        prompt="App secret, from Meta",
        hide_input=True,
    ),
    verify_token: str = typer.Option(
        help="Your own word, entered at Meta with the callback URL. Without it you are asked",
        prompt="Verify token, your own word",
        hide_input=True,
    ),
    number: list[str] = typer.Option([], help="Meta's phone_number_id; may be given many times"),
) -> None:
    """Make an app: one Meta app, whose deliveries come to /webhook/SLUG."""

    async def make(store: Store) -> None:
        async with store.session() as conn:
            await create_app(
                conn,
                store.keys,
                slug,
                app_secret=app_secret,
                verify_token=verify_token,
                numbers=tuple(number),
            )

    on_store(make)
    typer.echo(f"App {slug} made. Its callback URL ends in /webhook/{slug}")


@app.command("list")
def list_apps(as_json: bool = _JSON) -> None:
    """List the apps, their numbers and secrets (never the values)."""

    async def load(store: Store) -> list[AppRecord]:
        async with store.session() as conn:
            return await load_apps(conn, store.keys)

    apps = on_store(load)
    if as_json:
        typer.echo(json.dumps([_told(one) for one in apps], indent=2))
        return
    for one in apps:
        typer.echo(f"{one.slug}   numbers: {', '.join(one.numbers) or 'none listed'}")
        for kept in one.secrets:
            state = "active" if kept.retired_at is None else f"retired {kept.retired_at:%F %T}Z"
            since = f"{kept.active_from:%F %T}Z"
            typer.echo(f"  {str(kept.secret_id)[:8]}  {kept.kind:<12}  since {since}  {state}")


@app.command("show")
def show(
    slug: str = typer.Argument("demo", help="The app"),
) -> None:
    """Show what to enter at Meta for an app: callback URL and verify token."""

    async def load(store: Store) -> AppRecord:
        async with store.session() as conn:
            return await load_app(conn, store.keys, slug)

    one = on_store(load)
    address = load_settings().public_url or "https://YOUR-HOST"
    typer.echo(f"Callback URL   {address}/webhook/{one.slug}")
    typer.echo(f"Verify token   {one.active('verify_token')[0]}")
    typer.echo(f"STOP closes    {one.policy.stop_closes.value}")
    needs = sorted(category.value for category in one.policy.needs_opt_in)
    typer.echo(f"Needs opt-in   {', '.join(needs) or 'nothing'}")
    typer.echo(f"Languages      {', '.join(one.languages) or 'any'}")
    typer.echo(f"Brands         {', '.join(one.brands) or 'none'}")


@app.command("set")
def change(
    slug: str = typer.Argument(help="The app"),
    stop_closes: StopCloses | None = typer.Option(
        None, help="What a typed STOP closes: all, or marketing only"
    ),
    needs_opt_in: str | None = typer.Option(
        None, help="Categories that nobody may get unasked, with commas; '' for none [marketing]"
    ),
    languages: str | None = typer.Option(
        None, help="Languages of its contacts, with commas, as en,pt; '' for any"
    ),
    brands: str | None = typer.Option(
        None, help="What people call it, with commas: 'STOP Acme' is STOP then; '' for none"
    ),
) -> None:
    """Change what an app decided for itself. In force within a second."""
    try:
        needs = None if needs_opt_in is None else tuple(map(Category, _listed(needs_opt_in)))
    except ValueError as exc:
        known = ", ".join(category.value for category in Category)
        raise typer.BadParameter(f"--needs-opt-in takes some of: {known}") from exc
    spoken = None if languages is None else tuple(_listed(languages))
    try:
        names = None if brands is None else check_brands(_listed(brands))
    except BadBrandError as exc:
        raise typer.BadParameter(f"--brands: {exc}") from exc

    async def save(store: Store) -> None:
        async with store.session() as conn:
            one = await load_app(conn, store.keys, slug)
            closes = Switch(stop_closes.value) if stop_closes else None
            await set_app(
                conn,
                one,
                stop_closes=closes,
                needs_opt_in=needs,
                languages=spoken,
                brands=names,
            )

    on_store(save)
    typer.echo(f"Changed {slug}. In force within a second; see `optledger app show {slug}`.")


def _listed(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


@secret.command("add")
def add(
    slug: str = typer.Argument(help="The app"),
    app_secret: str | None = typer.Option(None, help="A further app secret"),
    verify_token: str | None = typer.Option(None, help="A further verify token"),
) -> None:
    """Accept one more secret from now on; the others stay until they are retired."""
    given = {"app_secret": app_secret, "verify_token": verify_token}
    if not any(given.values()):
        raise typer.BadParameter("give --app-secret or --verify-token")

    async def save(store: Store) -> list[str]:
        async with store.session() as conn:
            one = await load_app(conn, store.keys, slug)
            return [
                str(await add_secret(conn, store.keys, one.app_id, kind, value))
                for kind, value in given.items()
                if value
            ]

    for added in on_store(save):
        typer.echo(f"Added {added[:8]}. In force within a second; see `optledger app list`.")


@secret.command("retire")
def retire(
    slug: str = typer.Argument(help="The app"),
    secret_id: str = typer.Argument(help="First letters of its id, from `optledger app list`"),
) -> None:
    """Accept a secret no longer. Meta may resend deliveries signed with it for seven days."""

    async def save(store: Store) -> str:
        async with store.session() as conn:
            one = await load_app(conn, store.keys, slug)
            return str((await retire_secret(conn, one, secret_id)).secret_id)

    typer.echo(f"Retired {on_store(save)[:8]}. In force within a second.")


def _told(one: AppRecord) -> dict[str, object]:
    return {
        "slug": one.slug,
        "numbers": list(one.numbers),
        "stop_closes": one.policy.stop_closes.value,
        "needs_opt_in": sorted(category.value for category in one.policy.needs_opt_in),
        "languages": list(one.languages),
        "brands": list(one.brands),
        "secrets": [
            {
                "id": str(kept.secret_id),
                "kind": kept.kind,
                "active_from": kept.active_from.isoformat(),
                "retired_at": kept.retired_at.isoformat() if kept.retired_at else None,
            }
            for kept in one.secrets
        ],
    }

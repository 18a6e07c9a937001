"""The command `optledger`."""

import sys

import asyncpg
import typer

from check.asked import UnclearNameError
from db.apps import AppError
from db.database import DatabaseError
from db.embedded import EmbeddedPostgresError
from db.keyfile import KeyFileError
from db.migrate import MigrationError
from db.quarantine import NoSuchItemError
from db.reviews import NoSuchReviewError
from db.sealing import CannotOpen
from db.standing import TooManyNamesError
from intake.review import AlreadyReviewedError
from keywords.own import BadOwnWordError
from keywords.pack import BadPack
from service.commands import (
    app,
    ask,
    explain,
    keywords,
    match,
    quarantine,
    review,
    send,
    serve,
    setup,
)
from service.settings import SettingsError
from service.store import StoreError
from service.supervisor import ServeError
from webhook.errors import StoreUnavailable

# What a person can do something about: shown as one sentence, without a traceback.
_TOLD = (
    AlreadyReviewedError,
    AppError,
    BadOwnWordError,
    BadPack,
    CannotOpen,
    DatabaseError,
    EmbeddedPostgresError,
    KeyFileError,
    MigrationError,
    NoSuchItemError,
    NoSuchReviewError,
    ServeError,
    SettingsError,
    StoreError,
    StoreUnavailable,
    TooManyNamesError,
    UnclearNameError,
    send.SendError,
)

_HELP = """The consent ledger for WhatsApp.

Takes Meta's signed webhooks in, records who asked to stop or to start, and answers whether you may
send. Settings come from the environment: `optledger config` lists them.

First steps: `optledger serve`, then in another terminal `optledger send STOP --from 15551230001`
and `optledger check --app demo --to 15551230001 --category marketing`.
"""

cli = typer.Typer(
    name="optledger",
    help=_HELP,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
cli.command()(serve.serve)
cli.add_typer(app.app, name="app")
cli.command()(send.send)
cli.command()(ask.check)
cli.command()(ask.history)
cli.add_typer(review.app, name="review")
cli.add_typer(keywords.app, name="keywords")
cli.add_typer(quarantine.app, name="quarantine")
cli.command("explain")(explain.explain_text)
cli.command()(match.match)
cli.command()(setup.migrate)
cli.command()(setup.doctor)
cli.command()(setup.config)


def main() -> None:
    """Run the command; an error is one sentence on standard error, and exit code 2."""
    try:
        cli()
    except _TOLD as exc:
        _fail(str(exc))
    except asyncpg.PostgresError as exc:
        _fail(f"the database refused: {type(exc).__name__}; `optledger doctor` looks at it")
    except OSError as exc:
        _fail(f"{exc.strerror or type(exc).__name__}; `optledger doctor` looks at what is needed")


def _fail(message: str) -> None:
    typer.secho(f"optledger: {message}", fg="red", err=True)
    sys.exit(2)

"""`optledger serve`."""

import asyncio
import os
import sys
from pathlib import Path

import typer

from db import embedded
from db.keyfile import read_key_file
from service.asgi import WorkerOptions
from service.logs import configure_logs
from service.settings import Settings, load_settings
from service.store import (
    Addresses,
    Prepared,
    embedded_addresses,
    given_addresses,
    key_path,
    prepare,
)
from service.supervisor import ServeError, supervise


def serve(
    public_port: int | None = typer.Option(None, help="Port for Meta's deliveries [8080]"),
    internal_port: int | None = typer.Option(None, help="Port for health and metrics [8081]"),
    workers: int | None = typer.Option(None, help="Processes that take deliveries [1]"),
) -> None:
    """Serve: start the database if none is set, bring it up to date, and take deliveries.

    Stops in order on Ctrl-C or SIGTERM; SIGHUP replaces the workers one by one. Nothing that was
    answered with 200 is lost by a kill -9.
    """
    settings = load_settings(public_port=public_port, internal_port=internal_port, workers=workers)
    configure_logs(settings.log_level)
    given = given_addresses(settings)
    if given is not None:
        _run(settings, given, None)
        return
    data_dir = embedded.effective_data_dir(settings.data_dir.absolute())
    postgres = embedded.EmbeddedPostgres(data_dir)
    try:
        where = embedded_addresses(postgres.start(), data_dir)
        _run(settings, where, postgres)
    finally:
        postgres.stop()


def _run(settings: Settings, where: Addresses, postgres: embedded.EmbeddedPostgres | None) -> None:
    prepared = asyncio.run(prepare(settings, where, demo=True))
    keys = read_key_file(key_path(settings, where.data_dir))
    options = WorkerOptions(settings, where, keys, os.getpid())

    def announce() -> None:
        sys.stdout.write(_greeting(settings, where, prepared))
        sys.stdout.flush()

    if not supervise(settings, options, postgres, announce):
        raise ServeError("a worker did not start; its log line above says why")


def _greeting(settings: Settings, where: Addresses, prepared: Prepared) -> str:
    local = f"http://{settings.public_host}:{settings.public_port}"
    inside = f"http://{settings.internal_host}:{settings.internal_port}"
    command = _command()
    there = _where_else(settings)
    lines = ["", f"optledger serves. Webhook: {local}/webhook/APP   health: {inside}/readyz", ""]
    if prepared.new_key_file is not None:
        lines += [
            f"A key file was made: {prepared.new_key_file}",
            "Keep a copy of it apart from the database's backups: without it nothing is readable.",
            "",
        ]
    if prepared.demo is not None:
        lines += [
            "An app to try things with was made: demo",
            "  what to enter at Meta (App dashboard, WhatsApp, Configuration):",
            f"    Callback URL  {settings.public_url or 'https://YOUR-HOST'}/webhook/demo",
            f"    Verify token  {prepared.demo.verify_token}",
            "  and what to enter here, from Meta (App settings, Basic, App secret):",
            f"    {there}{command} app secret add demo --app-secret SECRET",
            f"  (see it all again: {there}{command} app show demo)",
            "",
        ]
    lines += [
        "Send yourself a signed STOP, then ask whether you may send:",
        f"  {there}{command} send STOP --from 15551230001 --app demo",
        f"  {there}{command} check --app demo --to 15551230001 --category marketing",
        "",
        f"Data: {where.data_dir}   stop: Ctrl-C",
        "",
    ]
    return "\n".join(lines)


def _where_else(settings: Settings) -> str:
    """Return the settings that a command in another terminal needs to find this service."""
    usual = Settings.model_fields
    given = {
        "data_dir": settings.data_dir.absolute() if settings.database_url is None else None,
        "public_port": settings.public_port,
    }
    if settings.data_dir == usual["data_dir"].default:
        del given["data_dir"]
    return "".join(
        f"OPTLEDGER_{name.upper()}={value} "
        for name, value in given.items()
        if value is not None and value != usual[name].default
    )


def _command() -> str:
    """Return how this command was called, so that what we print can be pasted."""
    called = Path(sys.argv[0])
    if called.is_absolute():
        try:
            return str(called.relative_to(Path.cwd()))
        except ValueError:
            return str(called) if str(called.parent) not in os.get_exec_path() else called.name
    return str(called)

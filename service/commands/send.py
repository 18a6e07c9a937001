"""`optledger send`: play Meta, towards ourselves."""

import http.client
import json
import secrets
import time
import urllib.error
import urllib.request
from enum import StrEnum
from typing import Any

import typer

from check.asked import read_name
from db.apps import load_app
from service.commands.run import on_store
from service.settings import load_settings
from service.store import Store
from webhook.signature import sign


class Native(StrEnum):
    """What the switch inside WhatsApp was moved to."""

    STOP = "stop"
    RESUME = "resume"


# Invented; an app with numbers of its own sends the first of them.
_NUMBER_ID = "100000000000001"


def send(
    text: str | None = typer.Argument(None, help="What the contact writes"),
    from_: str | None = typer.Option(
        None, "--from", help="The contact's phone, with its country code"
    ),
    app: str = typer.Option("demo", help="The app it is sent to"),
    bsuid: str | None = typer.Option(None, help="The contact's BSUID, as US.1349…"),
    button: str | None = typer.Option(None, help="Tap a template's button with this label instead"),
    native: Native | None = typer.Option(None, help="Move the switch inside WhatsApp instead"),
    url: str | None = typer.Option(None, help="Where to; else the public port on this machine"),
    secret: str | None = typer.Option(None, help="Sign with this; else with the app's own secret"),
    at: int | None = typer.Option(None, help="When it was said, Unix seconds; else now"),
    message_id: str | None = typer.Option(None, help="The message's id; else a new one"),
) -> None:
    """Build the delivery Meta would send, sign it, post it, and show the answer.

    Exit code 0 when it was recorded.
    """
    if [text, button, native].count(None) != 2:
        raise typer.BadParameter("give one thing: a text, --button or --native")
    if from_ is None and bsuid is None:
        raise typer.BadParameter("give --from, --bsuid or both")
    from_, bsuid = (read_name(name) if name is not None else None for name in (from_, bsuid))
    settings = load_settings()
    numbers: tuple[str, ...] = ()
    if secret is None:
        secret, numbers = _secret_of(app)
    contact = {"wa_id": from_, "user_id": bsuid}
    said = {"text": text, "button": button, "native": native.value if native else None}
    said_at = int(time.time()) if at is None else at
    number_id = numbers[0] if numbers else _NUMBER_ID
    body = delivery(contact, said, said_at=said_at, number_id=number_id, message_id=message_id)
    address = url or f"http://{settings.public_host}:{settings.public_port}/webhook/{app}"
    try:
        signature = sign(secret.encode(), body)
    except ValueError as exc:
        raise typer.BadParameter("a secret is text, and not empty") from exc
    status, answer = post(address, body, signature)
    typer.echo(f"POST {address}  {len(body)} bytes, signed")
    typer.echo(f"{status} {answer or ('recorded' if status == 200 else '')}".rstrip())
    raise typer.Exit(0 if status == 200 else 1)


def _secret_of(slug: str) -> tuple[str, tuple[str, ...]]:
    async def load(store: Store) -> tuple[str, tuple[str, ...]]:
        async with store.session() as conn:
            app = await load_app(conn, store.keys, slug)
            return app.active("app_secret")[0], app.numbers

    return on_store(load)


def delivery(
    contact: dict[str, str | None],
    said: dict[str, str | None],
    *,
    said_at: int,
    number_id: str = _NUMBER_ID,
    message_id: str | None = None,
) -> bytes:
    """Return the body Meta would send: non-ASCII escaped, as Meta does.

    Source: Meta, "Webhooks reference", messages (text, button) and user_preferences.
    """
    names = {name: value for name, value in contact.items() if value}
    value: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550000000", "phone_number_id": number_id},
        "contacts": [{"profile": {"name": "Sample"}, **names}],
    }
    if said["native"]:
        detail = f"User requested to {said['native']} marketing messages"
        preference = {"detail": detail, "category": "marketing_messages", "value": said["native"]}
        value["user_preferences"] = [{**names, **preference, "timestamp": said_at}]
        return _body("user_preferences", value)
    message: dict[str, Any] = {
        "id": message_id or f"wamid.{secrets.token_urlsafe(30)}",
        "timestamp": str(said_at),
    }
    slots = {"wa_id": "from", "user_id": "from_user_id"}
    message |= {slots[name]: value for name, value in names.items()}
    if said["button"]:
        label = said["button"]
        message |= {"type": "button", "button": {"payload": label, "text": label}}
    else:
        message |= {"type": "text", "text": {"body": said["text"]}}
    return _body("messages", value | {"messages": [message]})


def _body(field: str, value: dict[str, Any]) -> bytes:
    change = {"field": field, "value": value}
    entry = {"id": "100000000000002", "changes": [change]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode("ascii")


def post(address: str, body: bytes, signature: bytes) -> tuple[int, str]:
    """Post a signed body; return status and answer. Raises SendError if nobody answers."""
    headers = {
        "Content-Type": "application/json",
        "X-Hub-Signature-256": signature.decode("ascii"),
    }
    if not address.startswith(("http://", "https://")):
        raise SendError("an address begins with http:// or https://")
    try:
        request = urllib.request.Request(address, body, headers)  # noqa: S310  checked above
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return answer.status, answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as exc:
        with exc:
            return exc.code, exc.read().decode("utf-8", "replace")
    except (OSError, ValueError, http.client.HTTPException) as exc:
        reason = getattr(exc, "reason", exc)
        raise SendError(
            f"nobody answers at {address}: {reason}. Is `optledger serve` running there?"
        ) from exc


class SendError(Exception):
    """The delivery could not be posted."""

"""`GET` and `POST /webhook/{app}`: the only thing on the public port.

A raw ASGI endpoint, because routing through request and response objects costs more than the
signature, the parser and the matcher together: docs/performance.md.
"""

import hmac
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol
from urllib.parse import parse_qs

from webhook.errors import (
    BadSignature,
    MethodNotAllowed,
    NotFound,
    Refusal,
    TooLarge,
    UnknownApp,
    WrongVerifyToken,
)
from webhook.signature import Verifier

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

# Meta sends up to 3 MB. Source: Meta, "Webhooks overview", payload size.
BODY_LIMIT = 4 * 1024 * 1024

PREFIX = "/webhook/"

_JSON = (b"content-type", b"application/json")
_TEXT = (b"content-type", b"text/plain; charset=utf-8")


# The answer that is given thousands of times a second.
_RECORDED: Message = {
    "type": "http.response.start",
    "status": 200,
    "headers": [_TEXT, (b"content-length", b"0")],
}
_NOTHING_MORE: Message = {"type": "http.response.body", "body": b""}


class Door(Protocol):
    """What one app's deliveries come in through."""

    verifier: Verifier
    verify_tokens: Sequence[str]

    def take_in(self, body: bytes) -> Awaitable[None]:
        """Record a delivery; done after the commit, or raises StoreUnavailable."""


FindDoor = Callable[[str], Door | None]
Outcome = Callable[[str], None]


class Webhook:
    """The endpoint; `find` gives the door of an app by its name, `note` counts outcomes."""

    def __init__(self, find: FindDoor, note: Outcome, *, body_limit: int = BODY_LIMIT) -> None:
        self._find = find
        self._note = note
        self._body_limit = body_limit

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request; a refusal says its code, and nothing of what was sent."""
        try:
            door = self._door(scope["path"])
            if scope["method"] == "POST":
                await self._deliver(door, scope, receive)
                self._note("recorded")
                await send(_RECORDED)
                await send(_NOTHING_MORE)
            elif scope["method"] == "GET":
                challenge = _challenge(door, scope["query_string"])
                self._note("verified")
                await _answer(send, 200, _TEXT, body=challenge)
            else:
                raise MethodNotAllowed(scope["method"])
        except _Gone:
            self._note("disconnected")
        except Refusal as refusal:
            self._note(refusal.code)
            await _refuse(send, refusal)

    def _door(self, path: str) -> Door:
        """Return the door of /webhook/{app}; no other path leads anywhere on this port."""
        if not path.startswith(PREFIX):
            raise NotFound("there is nothing at this path")
        door = self._find(path[len(PREFIX) :])
        if door is None:
            raise UnknownApp("no such app")
        return door

    async def _deliver(self, door: Door, scope: Message, receive: Receive) -> None:
        signature = None
        for name, value in scope["headers"]:
            if name == b"x-hub-signature-256":
                signature = value
            elif name == b"content-length" and int(value) > self._body_limit:
                raise TooLarge(f"over {self._body_limit} bytes")
        message = await receive()
        if message["type"] == "http.request" and not message.get("more_body"):
            body: bytes = message.get("body", b"")  # all at once, as nearly always
            if len(body) > self._body_limit:
                raise TooLarge(f"over {self._body_limit} bytes")
        else:
            body = await self._rest(message, receive)
        if not door.verifier.verify(body, signature):
            raise BadSignature("not signed with an active secret of this app")
        await door.take_in(body)

    async def _rest(self, message: Message, receive: Receive) -> bytes:
        """Return a body that comes in parts, of which this is the first."""
        parts: list[bytes] = []
        size = 0
        while True:
            if message["type"] == "http.disconnect":
                raise _Gone
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self._body_limit:
                raise TooLarge(f"over {self._body_limit} bytes")
            if not message.get("more_body"):
                return b"".join(parts)
            message = await receive()


class _Gone(Exception):
    """The other side went away before its request was whole."""


def _challenge(door: Door, query: bytes) -> bytes:
    """Return what Meta asked to hear again, if it knows the verify token.

    Source: Meta, "Create a webhook endpoint", verification requests.
    """
    try:
        asked = parse_qs(query.decode("ascii"), strict_parsing=True, max_num_fields=20)
    except ValueError as exc:
        raise WrongVerifyToken("not a verification request") from exc
    mode, challenge, token = (
        asked.get(f"hub.{name}", [""])[0] for name in ("mode", "challenge", "verify_token")
    )
    known = False
    for own in door.verify_tokens:
        known |= hmac.compare_digest(own.encode(), token.encode("utf-8", "surrogatepass"))
    if mode != "subscribe" or not known or not challenge:
        raise WrongVerifyToken("the verify token is not this app's")
    return challenge.encode("utf-8", "surrogatepass")


async def _refuse(send: Send, refusal: Refusal) -> None:
    told = {"error": {"code": refusal.code, "message": refusal.args[0], "remedy": refusal.remedy}}
    headers = [_JSON]
    if isinstance(refusal, MethodNotAllowed):
        headers.append((b"allow", b"GET, POST"))
    retry_after = getattr(refusal, "retry_after", None)
    if retry_after is not None:
        headers.append((b"retry-after", str(retry_after).encode("ascii")))
    if isinstance(refusal, TooLarge):
        headers.append((b"connection", b"close"))  # the rest of the body is not worth reading
    await _answer(send, refusal.status, *headers, body=json.dumps(told).encode("ascii"))


async def _answer(
    send: Send, status: int, *headers: tuple[bytes, bytes], body: bytes = b""
) -> None:
    length = (b"content-length", str(len(body)).encode("ascii"))
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})

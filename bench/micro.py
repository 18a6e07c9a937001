"""What the parts of the hot path cost alone, in microseconds, over the same bodies."""

import hashlib
import hmac
import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from rich.console import Console
from rich.table import Table

from bench.bodies import SECRET, body
from bench.run import MANY
from consent.verdict import Policy
from db.contact_keys import ContactKeys
from db.sealing import Sealer, Use, place
from intake.app import App
from intake.reading import read
from keywords.matcher import Matcher, load_matcher
from webhook.delivery import Delivery
from webhook.parse import parse_delivery
from webhook.signature import Verifier, sign

_BODIES = 5000
_TIMES = 5


@dataclass(frozen=True, slots=True)
class _Parts:
    app: App
    matcher: Matcher
    bodies: Sequence[bytes]
    deliveries: Sequence[Delivery]


def show(console: Console) -> dict[str, float]:
    """Print and return the microseconds of each part: the best of some rounds."""
    app = _app()
    bodies = [body(random.Random(number)) for number in range(_BODIES)]
    parts = _Parts(app, load_matcher(), bodies, list(map(parse_delivery, bodies)))
    took = _signatures(parts) | _keys(parts) | _reading(parts) | _many(parts)
    table = Table("part", "µs", box=None, header_style="bold")
    table.columns[1].justify = "right"
    for name, micros in took.items():
        table.add_row(name, f"{micros:.2f}")
    console.print(table)
    return took


def _app() -> App:
    app = App(1, "bench", Policy(), (), ContactKeys(os.urandom(32), 1), Sealer(1, {}))
    for number in app.missing_numbers():
        app.sealer.add(number, os.urandom(32))
    return app


def _signatures(parts: _Parts) -> dict[str, float]:
    secret = SECRET.encode()
    verifier = Verifier([secret])
    signed = [(one, sign(secret, one)) for one in parts.bodies]
    keyed = HMAC(secret, SHA256())

    def copied(one: bytes) -> bytes:
        mac = keyed.copy()
        mac.update(one)
        return mac.finalize()

    return {
        "signature: Verifier, all of it": _micros(lambda one: verifier.verify(*one), signed),
        "signature: copy of a keyed HMAC": _micros(copied, parts.bodies),
        "signature: hmac.digest": _micros(
            lambda one: hmac.digest(secret, one, "sha256"), parts.bodies
        ),
        "SHA-256 of the body": _micros(lambda one: hashlib.sha256(one).hexdigest(), parts.bodies),
    }


def _keys(parts: _Parts) -> dict[str, float]:
    app = parts.app
    messages = [message for delivery in parts.deliveries for message in delivery.messages]
    phones = [message.names.wa_id or "" for message in messages]
    ids = [message.message_id for message in messages]
    items = [(os.urandom(16), message.raw) for message in messages]

    def seal(one: Any) -> bytes:
        bound = place("message", "sealed", app.app_id, one[0])
        return app.sealer.seal(app.number(Use.MESSAGE), one[1], bound)

    return {
        "contact key": _micros(app.keys.phone, phones),
        "match keys of a phone": _micros(app.keys.forms, phones),
        "message key": _micros(lambda one: app.keys.message("message", one), ids),
        "seal": _micros(seal, items),
        "is a data key missing?": _micros(lambda _: app.missing_numbers(), ids),
        "number of today's data key": _micros(lambda _: app.number(Use.MESSAGE), ids),
    }


def _reading(parts: _Parts) -> dict[str, float]:
    app, matcher = parts.app, parts.matcher
    said = [
        (words.surface, words.text)
        for delivery in parts.deliveries
        for message in delivery.messages
        for words in message.words
    ]
    acting = [one for one in said if matcher.decide(one[1], surface=one[0]).tier.value != "none"]
    quiet = [one for one in said if one not in set(acting)]
    now = datetime.now(UTC)
    pairs = list(zip(parts.deliveries, parts.bodies, strict=True))

    def decide(one: Any) -> object:
        return matcher.decide(one[1], surface=one[0], country="US")

    return {
        "parse": _micros(parse_delivery, parts.bodies),
        "decide, a chat line": _micros(decide, quiet),
        "decide, a keyword": _micros(decide, acting),
        "decide, the mix": _micros(decide, said),
        "intake.reading.read, all of it": _micros(
            lambda one: read(app, matcher, one[0], one[1], now), pairs
        ),
    }


def _many(parts: _Parts) -> dict[str, float]:
    dice = random.Random(1)
    bodies = [body(dice, MANY) for _ in range(_BODIES // MANY)]
    now = datetime.now(UTC)
    pairs = [(parse_delivery(one), one) for one in bodies]
    verifier = Verifier([SECRET.encode()])
    signed = [(one, sign(SECRET.encode(), one)) for one in bodies]
    took = {
        "signature": _micros(lambda one: verifier.verify(*one), signed),
        "parse": _micros(parse_delivery, bodies),
        "intake.reading.read": _micros(
            lambda one: read(parts.app, parts.matcher, one[0], one[1], now), pairs
        ),
    }
    return {f"{name}, a message of {MANY}": micros / MANY for name, micros in took.items()}


def _micros(call: Callable[[Any], object], values: Sequence[Any]) -> float:
    """Return the microseconds a call takes, in the best of some rounds over all values."""
    best = float("inf")
    for _ in range(_TIMES):
        began = time.process_time()
        for value in values:
            call(value)
        best = min(best, time.process_time() - began)
    return 1e6 * best / max(1, len(values))

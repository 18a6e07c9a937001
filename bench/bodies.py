"""Signed deliveries as Meta sends them, every one different, in a file that wrk reads.

Ids differ between all decks that one process makes, so nothing is ever a duplicate; and a deck is
never dealt twice to the product. A tenth of the messages are keywords.
"""

import base64
import hashlib
import hmac
import itertools
import json
import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SECRET = "an app secret for measuring only"
APP = "bench"
CONTACTS = 20_000
KEYWORDS_IN = 10  # one message of so many is a keyword

# Opt-outs of both scopes, opt-ins, and some that a person has to look at.
KEYWORDS = (
    "STOP", "Stop", "stop", "STOP ALL", "Unsubscribe", "stop please", "Stop promotions", "parar",
    "Sair", "BAJA", "Cancelar suscripción", "arrêter", "Désabonner", "إلغاء الاشتراك",
    "सदस्यता समाप्त करें",     "START", "start", "Subscribe", "Começar", "unstop",
)  # fmt: skip

# What people write to a business; not one of them asks to stop or to start.
CHAT = (
    "Hi! Is this still available?",
    "Does it come in another colour?",
    "What time do you open tomorrow?",
    "ok thanks",
    "👍",
    "Yes please, two. Can you deliver to the office before noon? It's the second door on the left, "  # noqa: ISC004
    "the bell doesn't work, so call me when you're there.",
    "My order number is 48213, where is it?",
    "Thank you so much ❤️",
    "Bom dia, quanto custa o frete para Campinas?",
    "Pode me mandar o boleto de novo por favor? O link que vocês mandaram expirou.",
    "obrigada 🙏",
    "Hola, ¿tienen talla 38 en negro?",
    "¿A qué hora llega el pedido?",
    "Perfecto, gracias",
    "Buenas tardes, quería saber si hacen envíos a Mendoza y cuánto demora aproximadamente",
    "Bonjour, je voudrais prendre rendez-vous jeudi matin si possible",
    "Merci beaucoup !",
    "C'est bien la commande 5512 ?",
    "مرحبا، كم سعر هذا المنتج؟",
    "شكرا جزيلا",
    "नमस्ते, क्या यह साइज़ 40 में मिलेगा?",
    "ठीक है",
    "Haan bhai kal subah 10 baje theek rahega",
    "Guten Tag, ist der Termin am Freitag noch frei?",
    "Ja, passt.",
    "Berapa harganya kak?",
    "Sudah saya transfer ya, mohon dicek",
    "1",
    "2",
    "No",
    "https://maps.app.goo.gl/3fK9x2",
    "Can I cancel my order and take the blue one instead?",
    "See you at the stop on Main Street",
    "I sent the documents yesterday, did you get them? The one with the stamp is on page 3.",
)

# Calling code and what follows, with the letters BSUIDs begin with; some have two forms of a phone.
_COUNTRIES = (
    ("1415", 7, "US"), ("55119", 8, "BR"), ("521", 10, "MX"), ("54911", 8, "AR"), ("91", 10, "IN"),
    ("4915", 9, "DE"), ("447", 9, "GB"), ("628", 9, "ID"), ("2010", 8, "EG"), ("34", 9, "ES"),
)  # fmt: skip
_NAMES = (
    "Sheena Nelson",
    "João",
    "María José",
    "Ana",
    "فاطمة",
    "Priya S",
    "Lukas 🌱",
    "Dewi",
    "Zoë",
    "mike",
)

_serial = itertools.count(random.SystemRandom().getrandbits(40) << 24)


@dataclass(frozen=True, slots=True)
class Deck:
    """A file of requests. `parts` are the first byte and the end of the share of each thread."""

    path: Path
    requests: int
    messages_each: int
    parts: tuple[tuple[int, int], ...]

    def read(self) -> Iterator[bytes]:
        """Yield each request as it goes over the wire."""
        with self.path.open("rb") as file:
            while size := file.read(8):
                yield file.read(int(size))


def deal(path: Path, requests: int, *, messages_each: int = 1, threads: int = 1) -> Deck:
    """Write so many new requests to a file, each with so many messages."""
    dice = random.Random(requests)
    bounds = [requests * part // threads for part in range(threads + 1)]
    places = []
    with path.open("wb") as file:
        for first, end in itertools.pairwise(bounds):
            places.append(file.tell())
            for _ in range(end - first):
                one = request(body(dice, messages_each))
                file.write(b"%08d" % len(one))
                file.write(one)
        places.append(file.tell())
        file.flush()
        os.fsync(file.fileno())  # else the database's first commit may have to wait for it
    return Deck(path, requests, messages_each, tuple(itertools.pairwise(places)))


def request(signed: bytes) -> bytes:
    """Return the request with which Meta would post this body."""
    mac = hmac.digest(SECRET.encode(), signed, hashlib.sha256).hex().encode()
    return (
        b"POST /webhook/%b HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n"
        b"User-Agent: facebookexternalua\r\nContent-Type: application/json\r\n"
        b"X-Hub-Signature: sha1=%040d\r\nX-Hub-Signature-256: sha256=%b\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (APP.encode(), 0, mac, len(signed), signed)
    )


def body(dice: random.Random, messages: int = 1) -> bytes:
    """Return a delivery of so many messages, each from another contact: one change each, as Meta's.

    Source: Meta, "Webhooks", batching; "messages webhook reference", text.
    """
    changes = ",".join(_change(dice) for _ in range(messages))
    start = '{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":['
    return f"{start}{changes}]}}]}}".encode("ascii")


def _change(dice: random.Random) -> str:
    number = dice.randrange(CONTACTS)
    wa_id, bsuid, name = _contact(number)
    return (
        '{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881",'
        '"phone_number_id":"106540352242922"},"contacts":[{"profile":{"name":' + name + "},"
        f'"wa_id":"{wa_id}","user_id":"{bsuid}"}}],"messages":[{{"from":"{wa_id}",'
        f'"from_user_id":"{bsuid}","id":"{_wamid(wa_id)}","timestamp":"{int(time.time())}",'
        f'"text":{{"body":{_words(dice)}}},"type":"text"}}]}},"field":"messages"}}'
    )


def _contact(number: int) -> tuple[str, str, str]:
    """Return the phone, the BSUID and the name, in quotes, of one of the contacts."""
    start, digits, country = _COUNTRIES[number % len(_COUNTRIES)]
    phone = f"{start}{number * 7919 % 10**digits:0{digits}d}"
    return phone, f"{country}.{13491208655302741918 + number}", _QUOTED_NAMES[number % len(_NAMES)]


def _wamid(wa_id: str) -> str:
    """Return a new message id of Meta's length, which like theirs holds the phone."""
    tail = f"{next(_serial):020X}".encode()
    raw = b"\x1d\x18" + bytes([len(wa_id)]) + wa_id.encode() + b"\x15\x02\x00\x12\x18\x14" + tail
    return "wamid." + base64.b64encode(raw + b"\x00").decode()


def _words(dice: random.Random) -> str:
    return dice.choice(_QUOTED_KEYWORDS if dice.randrange(KEYWORDS_IN) == 0 else _QUOTED_CHAT)


_QUOTED_NAMES = tuple(map(json.dumps, _NAMES))  # non-ASCII escaped, as Meta does
_QUOTED_CHAT = tuple(map(json.dumps, CHAT))
_QUOTED_KEYWORDS = tuple(map(json.dumps, KEYWORDS))

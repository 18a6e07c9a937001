"""What was said and who said it stand nowhere in the clear: not in the data, not in a log."""

import base64
import time

from tests.e2e.installed import APP, Installed, request, side_by_side, signature
from tests.kit import delivery, message, preference, preferences

PHONE, BSUID, NAME = "12125551947", "US.48151623429999", "Quillwort Fenwick"
WORD = "unsubscribe me zanzibarquince"
SECRETS = ("a-planted-app-secret-7731", "a-planted-token-7731")


def planted() -> dict[str, bytes]:
    """Everything that must not be found, in every form in which it could stand there."""
    found = {"the phone": PHONE.encode(), "the bsuid": BSUID.encode(), "the name": NAME.encode()}
    found |= {f"secret {n}": one.encode() for n, one in enumerate(SECRETS)}
    found["the word"] = b"zanzibarquince"
    found["the word, in UTF-16"] = "zanzibarquince".encode("utf-16-le")
    found["the phone, in UTF-16"] = PHONE.encode("utf-16-le")
    for what in (PHONE, "zanzibarquince"):
        for shift in range(3):  # however it stands in what was encoded
            coded = base64.b64encode(b"x" * shift + what.encode() + b"xx").rstrip(b"=")
            found[f"{what}, base64 {shift}"] = coded[4 if shift else 0 : -4]
        found[f"{what}, in hex"] = what.encode().hex().encode()
    return found


def wamid(number: int) -> str:
    """As Meta makes them: the contact's phone stands in it."""
    inside = b"\x1c\x18\x0b" + PHONE.encode() + b"\x15\x02\x00\x12\x18" + bytes([number])
    return "wamid." + base64.b64encode(inside).decode()


def test_it_is_found_nowhere(copy: Installed) -> None:
    copy.settings["OPTLEDGER_LOG_LEVEL"] = "debug"
    copy.start()
    copy.ok("app", "create", "planted", "--app-secret", SECRETS[0], "--verify-token", SECRETS[1])
    who = {"phone": PHONE, "bsuid": BSUID}
    now = int(time.time())
    contacts = [{"profile": {"name": NAME}, "wa_id": PHONE, "user_id": BSUID}]
    good = message("STOP", id=wamid(1), at=now, **who)
    likely = message(WORD, id=wamid(2), at=now, **who)
    hostile = message(f"{WORD} \u0000 \ud83d", id=wamid(3), at=now, **who)
    bad = message(WORD, id=wamid(4), at=now, **who) | {"text": [WORD]}
    body = delivery(good, likely, hostile, bad, contacts=contacts)
    assert copy.post(body).status == 200
    assert copy.post(preferences(preference("stop", phone=PHONE))).status == 200
    assert copy.post(b"{" + PHONE.encode() + WORD.encode()).status == 200
    assert copy.post(delivery(likely, contacts=contacts), secret="another").status == 401
    odd = f"/webhook/{APP}?{PHONE}&hub.verify_token={SECRETS[1]}&hub.challenge={PHONE}"
    assert copy.get(odd).status == 403
    assert copy.get(f"/webhook/{PHONE}").status == 404
    broken = request(copy.public, "POST", f"/webhook/{APP}", body, signature(body) | {"x": PHONE})
    assert broken.status == 200
    copy.ok("send", WORD, "--from", PHONE, "--bsuid", BSUID, "--app", APP, "--at", str(now))
    commands = side_by_side(
        lambda: copy.run("check", "--app", APP, "--to", PHONE, "--category", "marketing"),
        lambda: copy.run("check", "--app", APP, "--to", PHONE * 2, "--category", "marketing"),
        lambda: copy.run("quarantine", "list", "--app", APP),
        lambda: copy.run("quarantine", "retry", "--app", APP),
    )
    shown = copy.ok("history", PHONE, "--app", APP)  # this may say it, and does
    assert PHONE in shown
    assert "zanzibarquince" in copy.ok("history", BSUID, "--app", APP, "--json")
    copy.sql("checkpoint")
    assert copy.stop() == 0

    files = [path for path in copy.folder.rglob("*") if path.is_file()]
    assert any("pg_wal" in path.parts for path in files)
    assert {path.name for path in files} >= {"serve.err", "serve.out", "postgres.log"}
    contents = {str(path.relative_to(copy.folder)): path.read_bytes() for path in files}
    contents |= {
        f"{' '.join(done.args[1:3])}": (done.stdout + done.stderr).encode() for done in commands
    }
    hits = [
        (what, where)
        for what, needle in planted().items()
        for where, content in contents.items()
        if needle in content
    ]
    assert hits == [], copy.logs[1].read_text()


def test_the_search_finds_what_is_there() -> None:
    """The needles do occur in what a wamid looks like."""
    found = [what for what, needle in planted().items() if needle in wamid(1).encode()]
    assert len(found) == 1, found

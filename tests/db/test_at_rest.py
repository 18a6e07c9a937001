"""Who people are and what they wrote stands nowhere in the data directory."""

import base64
import json
from pathlib import Path

import asyncpg
import pytest

from tests.kit import Service, changed, delivery, message

pytestmark = pytest.mark.anyio

PHONE, WORD, NAME = "15550918273", "zanzibarquokka", "Xylophonia"
BSUID = "US.77123000918273"


async def test_a_planted_number_and_word_are_not_in_the_files(
    service: Service, owner: asyncpg.Connection
) -> None:
    wamid = "wamid." + base64.b64encode(PHONE.encode()).decode()
    contacts = [{"profile": {"name": NAME}, "wa_id": PHONE, "user_id": BSUID}]
    said = message(f"stop {WORD} unsubscribe", phone=PHONE, bsuid=BSUID, wamid=wamid)
    await service.take_in(
        delivery(said, message("STOP", phone=PHONE, bsuid=BSUID), contacts=contacts),
        delivery(message("STOP", phone=PHONE) | {"timestamp": WORD}),
        delivery(changed(phone=PHONE, wa_id="15550918274", profile=NAME)),
        f'{{"broken": "{WORD} {PHONE}'.encode(),
    )
    assert await service.count("audit_entry") >= 2
    assert await service.count("quarantine") == 2
    await owner.execute("checkpoint")
    folder = Path(await owner.fetchval("show data_directory"))
    hidden = [PHONE, WORD, NAME, BSUID, wamid.removeprefix("wamid."), "15550918274"]
    needles = [text.encode() for text in hidden]
    needles += [text.encode("utf-16-le") for text in hidden]
    assert _holding(folder, needles) == []


def _holding(folder: Path, needles: list[bytes]) -> list[str]:
    """Return the files of the data directory, and logs beside it, that hold a needle."""
    looked, found = 0, []
    for path in [*folder.rglob("*"), *folder.parent.glob("*.log")]:
        if path.is_file():
            content = path.read_bytes()
            looked += len(content)
            found += [str(path) for needle in needles if needle in content]
    assert looked > 10_000_000
    return found


async def test_what_was_said_can_be_read_with_the_key_only(service: Service, owner) -> None:
    await service.say("STOP", phone=PHONE, bsuid=BSUID)
    app = service.app.app
    row = await owner.fetchrow("select message_key, sealed from message")
    from db.sealing import CannotOpen, place

    kept = json.loads(
        app.sealer.open(row["sealed"], place("message", "sealed", app.app_id, row["message_key"]))
    )
    assert kept["item"]["text"]["body"] == "STOP"
    assert kept["wa_id"] == PHONE
    with pytest.raises(CannotOpen):
        app.sealer.open(row["sealed"], place("message", "sealed", app.app_id + 1, b"x"))

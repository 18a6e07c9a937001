"""What could not be read: kept, shown, tried again, and no other message is held up by it."""

import asyncio

from db.apps import load_app
from db.data_keys import load_data_keys
from db.database import Database
from db.embedded import ConnectArgs
from db.keyfile import read_key_file
from db.sealing import Sealer
from db.setup import dsn_of
from intake.reading import set_aside as set_aside_row
from service.registry import make_app
from service.store import Addresses, Store
from tests.e2e.installed import APP, Installed, a_message_id, a_phone, says
from tests.kit import delivery, message
from webhook.delivery import Unread

LIST = ("quarantine", "list", "--app", APP)


def test_a_signed_body_nobody_can_read_is_kept(shop: Installed) -> None:
    body = b'{"object": "whatsapp_business_account", "entry": [ zz' + a_phone().encode()
    before = {one["id"] for one in shop.json(*LIST)}
    assert shop.post(body).status == 200
    assert shop.post(body).status == 200  # Meta may send it again: still one item
    (one,) = (one for one in shop.json(*LIST) if one["id"] not in before)
    assert (one["code"], one["resolved_at"]) == ("not_a_delivery", None)
    shown = shop.ok(*LIST)
    assert one["id"][:12] in shown
    assert "update the parser" in shown  # what to do
    assert "zz" not in shown
    assert shop.ok("quarantine", "show", one["id"][:12], "--app", APP).strip() == body.decode()

    tried = shop.run("quarantine", "retry", one["id"][:12], "--app", APP)
    assert tried.returncode == 1
    assert "0 read now, 1 still set aside" in tried.stdout
    (again,) = (each for each in shop.json(*LIST) if each["id"] == one["id"])
    assert again["tries"] == one["tries"] + 1


def test_one_bad_message_among_good_ones(shop: Installed) -> None:
    first, bad, last = a_phone(), a_phone(), a_phone()
    body = delivery(
        message("STOP", phone=first, id=a_message_id()),
        message("STOP", phone=bad, id=a_message_id()) | {"text": [7]},
        message("STOP", phone=last, id=a_message_id()),
    )
    before = {one["id"] for one in shop.json(*LIST)}
    counted = shop.metrics().get('optledger_quarantined_total{code="unreadable_message"}', 0)
    assert shop.post(body).status == 200
    assert shop.entries_of([first, bad, last]) == {first: 1, bad: 0, last: 1}
    (one,) = (one for one in shop.json(*LIST) if one["id"] not in before)
    assert one["code"] == "unreadable_message"
    after = shop.metrics()['optledger_quarantined_total{code="unreadable_message"}']
    assert after == counted + 1
    assert bad in shop.ok("quarantine", "show", one["id"], "--app", APP)
    assert bad not in shop.log()


def test_what_the_parser_reads_since_is_recorded_by_a_retry(shop: Installed) -> None:
    """A whole delivery, set aside by a release that could not read it, is read by this one."""
    phone, mute = a_phone(), a_phone()
    body = says("STOP", phone)
    assert shop.post(b"[" + mute.encode()).status == 200
    (key,) = set_aside(shop, body)
    assert shop.entries_of([phone]) == {phone: 0}
    waiting = {one["id"] for one in shop.json(*LIST)}
    assert key.hex() in waiting
    done = shop.run("quarantine", "retry", "--app", APP)  # all of them
    assert done.returncode == 1
    assert f"1 read now, {len(waiting) - 1} still set aside" in done.stdout
    assert shop.entries_of([phone]) == {phone: 1}
    assert {one["id"] for one in shop.json(*LIST)} == waiting - {key.hex()}
    (resolved,) = (one for one in shop.json(*LIST, "--all") if one["id"] == key.hex())
    assert resolved["resolved_at"]
    assert shop.run("quarantine", "retry", key.hex(), "--app", APP).returncode == 0
    assert shop.entries_of([phone]) == {phone: 1}


def set_aside(shop: Installed, body: bytes) -> list[bytes]:
    """Put a readable body where only unreadable ones are, and return its id."""
    from_ = str(shop.home.run_dir), (shop.data_dir / "postgres.password").read_text().strip()
    args = ConnectArgs(
        host=from_[0], port=5432, user="optledger_owner", password=from_[1], database="optledger"
    )

    async def put() -> bytes:
        database = await Database.open(dsn_of(args))
        store = Store(database, read_key_file(shop.key_file), Addresses("", ""))
        async with store.session() as conn:
            record = await load_app(conn, store.keys, APP)
            app = make_app(store, record)
            numbers = app.missing_numbers()
            app.sealer = Sealer(
                record.app_id, await load_data_keys(conn, store.keys, record.app_id, numbers)
            )
            row = set_aside_row(app, Unread(body, "not_a_delivery", "an older parser"))
            await conn.execute(
                "insert into quarantine (app_id, item_key, code, reason, sealed, received_at) "
                "values ($1, $2, $3, $4, $5, now())",
                record.app_id,
                row.item_key,
                row.code,
                row.reason,
                row.sealed,
            )
        await database.close()
        return row.item_key

    return [asyncio.run(put())]

"""What could not be read: kept, shown, tried again, and no other message is held up by it."""

from tests.e2e.installed import APP, Installed, a_message_id, a_phone, says
from tests.kit import delivery, message

LIST = ("quarantine", "list", "--app", APP)


def test_a_signed_body_nobody_can_read_is_kept(shop: Installed) -> None:
    body = b'{"object": "whatsapp_business_account", "entry": [ zz' + a_phone().encode()
    before = {one["id"] for one in shop.json(*LIST)}
    assert shop.post(body).status == 200
    assert shop.post(body).status == 200  # Meta may send it again: still one item
    (one,) = (one for one in shop.json(*LIST) if one["id"] not in before)
    assert (one["code"], one["tries"], one["resolved_at"]) == ("not_a_delivery", 0, None)
    shown = shop.ok(*LIST)
    assert one["id"][:12] in shown
    assert "replay" in shown  # what to do
    assert "zz" not in shown
    assert shop.ok("quarantine", "show", one["id"][:12], "--app", APP).strip() == body.decode()

    tried = shop.run("quarantine", "retry", one["id"][:12], "--app", APP)
    assert tried.returncode == 1
    assert "0 read now, 1 still set aside" in tried.stdout
    (one,) = (again for again in shop.json(*LIST) if again["id"] == one["id"])
    assert one["tries"] == 1


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
    """An item as an older parser left it: put there by hand, whole and readable."""
    phone, other = a_phone(), a_phone()
    unreadable = b"[" + phone.encode()
    assert shop.post(unreadable).status == 200
    waiting = [one["id"] for one in shop.json(*LIST)]
    assert shop.post(says("STOP", other)).status == 200
    done = shop.run("quarantine", "retry", "--app", APP)  # all of them
    assert done.returncode == 1
    assert f"{len(waiting)} still set aside" in done.stdout
    assert {one["id"] for one in shop.json(*LIST)} == set(waiting)
    assert shop.entries_of([other]) == {other: 1}
